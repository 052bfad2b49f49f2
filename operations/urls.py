"""Addresses of operations and their logs, below /operations/."""

from django.urls import include, path

from operations.views import actions, compare, detail, failures, logs, saved_views
from operations.views.columns import columns
from operations.views.export import operations_csv
from operations.views.list import operation_list, rows
from operations.views.report import report, report_csv, report_json
from operations.views.selected import selected

app_name = "operations"

one = [
    path("", detail.detail, name="detail"),
    path("status/", detail.status, name="status"),
    path("ask-now/", actions.ask_now, name="ask_now"),
    path("cancel/", actions.cancel, name="cancel"),
    path("compare/", compare.choose, name="compare"),
    path("compare/<int:other>/", compare.compare, name="compared"),
    path("logs/", logs.logs, name="logs"),
    path("logs/<int:sequence>/", logs.log_entry, name="log_entry"),
    path("logs.ndjson", logs.logs_ndjson, name="logs_ndjson"),
    path("logs.csv", logs.logs_csv, name="logs_csv"),
]

urlpatterns = [
    path("", operation_list, name="list"),
    path("rows/", rows, name="rows"),
    path("operations.csv", operations_csv, name="csv"),
    path("selected/", selected, name="selected"),
    path("columns/", columns, name="columns"),
    path("views/", saved_views.views, name="views"),
    path("views/counts/", saved_views.view_counts, name="view_counts"),
    path("views/<int:pk>/change/", saved_views.view_change, name="view_change"),
    path("views/<int:pk>/delete/", saved_views.view_delete, name="view_delete"),
    path("follow/", actions.follow, name="follow"),
    path("log-display/", logs.log_display, name="log_display"),
    path("failures/", failures.failures, name="failures"),
    path("failures/<slug:digest>/", failures.failure, name="failure"),
    path("report/", report, name="report"),
    path("report/report.csv", report_csv, name="report_csv"),
    path("report/report.json", report_json, name="report_json"),
    path("<int:pk>/", include(one)),
]
