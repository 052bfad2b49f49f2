"""Addresses of Home and of everything that writes."""

from django.urls import include, path

from writes.views import csv, detail, downloads, home, record, url

# /writes/…
writes_patterns = (
    [
        path("record/", record.record, name="record"),
        path("csv/", csv.csv, name="csv"),
        path("url/", url.url, name="url"),
        path("<int:pk>/", detail.detail, name="detail"),
        path("<int:pk>/send/", detail.send, name="send"),
        path("<int:pk>/discard/", detail.discard, name="discard"),
        path("<int:pk>/again/", detail.again, name="again"),
        path("<int:pk>/original.csv", downloads.original, name="original"),
        path("<int:pk>/as-sent.csv", downloads.as_sent, name="as_sent"),
        path("<int:pk>/body.json", downloads.body, name="body"),
    ],
    "writes",
)

urlpatterns = [
    path("", home.home, name="home"),
    path("writes/", include(writes_patterns)),
]
