"""Addresses of operations and their logs, below /operations/."""

from django.urls import include, path

from operations.views import actions, detail, logs
from operations.views.list import operation_list, rows

app_name = "operations"

one = [
    path("", detail.detail, name="detail"),
    path("status/", detail.status, name="status"),
    path("ask-now/", actions.ask_now, name="ask_now"),
    path("cancel/", actions.cancel, name="cancel"),
    path("logs/", logs.logs, name="logs"),
    path("logs/<int:sequence>/", logs.log_entry, name="log_entry"),
    path("logs.ndjson", logs.logs_ndjson, name="logs_ndjson"),
    path("logs.csv", logs.logs_csv, name="logs_csv"),
]

urlpatterns = [
    path("", operation_list, name="list"),
    path("rows/", rows, name="rows"),
    path("follow/", actions.follow, name="follow"),
    path("<int:pk>/", include(one)),
]
