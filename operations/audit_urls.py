"""Addresses of the audit trail, below /audit/."""

from django.urls import path

from operations.views import audit

app_name = "audit"

urlpatterns = [
    path("", audit.audit_list, name="list"),
    path("<int:pk>/", audit.audit_event, name="event"),
    path("audit.csv", audit.audit_csv, name="csv"),
]
