"""Addresses of Home and of everything that writes."""

from django.urls import include, path

from writes.views import (
    csv,
    derived,
    destinations,
    downloads,
    drafts,
    file,
    grid,
    groups,
    home,
    hook,
    link_call,
    reconcile,
    record,
    review,
    rows,
    run,
    sent,
    shared_file,
    url,
)

# /writes/…
writes_patterns = (
    [
        path("record/", record.record, name="record"),
        path("csv/", csv.csv, name="csv"),
        path("url/", url.url, name="url"),
        path("groups/<int:pk>/import/", groups.group_import, name="group_import"),
        path("drafts/", drafts.drafts, name="drafts"),
        path("destinations/", destinations.destinations, name="destinations"),
        path("<int:pk>/", review.detail, name="detail"),
        path("<int:pk>/status/", sent.status, name="status"),
        path("<int:pk>/file/", file.file, name="file"),
        path("<int:pk>/file/work/", file.work, name="work"),
        path("<int:pk>/grid/", grid.grid, name="grid"),
        path("<int:pk>/grid/cell/", grid.cell, name="grid_cell"),
        path("<int:pk>/grid/state/", grid.state, name="grid_state"),
        path("<int:pk>/grid/<int:number>/", grid.row, name="grid_row"),
        path("<int:pk>/deliver/", review.deliver, name="deliver"),
        path("<int:pk>/send/", review.send, name="send"),
        path("<int:pk>/go-on/", sent.go_on, name="go_on"),
        path("<int:pk>/pause/", sent.pause, name="pause"),
        path("<int:pk>/resume/", sent.resume, name="resume"),
        path("<int:pk>/cancel-rest/", sent.cancel_rest, name="cancel_rest"),
        path("<int:pk>/requests/", run.panel, name="run"),
        path("<int:pk>/requests/go-on/", run.go_on, name="run_go_on"),
        path(
            "<int:pk>/requests/cancel-rest/",
            run.cancel_rest,
            name="run_cancel_rest",
        ),
        path("<int:pk>/requests/<int:number>/", run.call, name="call"),
        path(
            "<int:pk>/requests/<int:number>/decide/",
            run.decide,
            name="call_decide",
        ),
        path(
            "<int:pk>/requests/<int:number>/operations/",
            link_call.operations,
            name="call_operations",
        ),
        path(
            "<int:pk>/requests/<int:number>/link/",
            link_call.link,
            name="call_link",
        ),
        path(
            "<int:pk>/requests/<int:number>/halves/",
            derived.halves,
            name="call_halves",
        ),
        path("<int:pk>/discard/", review.discard, name="discard"),
        path("<int:pk>/fetch/", review.fetch, name="fetch"),
        path("<int:pk>/again/", review.again, name="again"),
        path("<int:pk>/retry/", derived.retry, name="retry"),
        path("<int:pk>/trial/", derived.trial, name="trial"),
        path("<int:pk>/revoke/", shared_file.revoke, name="revoke"),
        path("<int:pk>/rows/", rows.rows, name="rows"),
        path("<int:pk>/rejoin/", rows.rejoin, name="rejoin"),
        path("<int:pk>/rows/panel/", rows.panel, name="rows_panel"),
        path("<int:pk>/failed.csv", rows.failed, name="failed"),
        path(
            "<int:pk>/failed-with-reasons.csv",
            rows.failed_with_reasons,
            name="failed_with_reasons",
        ),
        path("<int:pk>/outcomes.csv", rows.outcomes, name="outcomes"),
        path(
            "<int:pk>/outcomes-for-spreadsheets.csv",
            rows.outcomes_for_spreadsheets,
            name="outcomes_for_spreadsheets",
        ),
        path("<int:pk>/held-back.csv", downloads.held_back, name="held_back"),
        path("<int:pk>/findings.csv", downloads.findings, name="findings"),
        path("<int:pk>/original.csv", downloads.original, name="original"),
        path("<int:pk>/as-sent.csv", downloads.as_sent, name="as_sent"),
        path("<int:pk>/body.json", downloads.body, name="body"),
    ],
    "writes",
)

# /operations/…/reconcile/, in this app because it may send.
reconcile_patterns = (
    [
        path("", reconcile.page, name="page"),
        path("link/", reconcile.link, name="link"),
        path("written/", reconcile.written, name="written"),
        path("not-written/", reconcile.not_written, name="not_written"),
        path("send-again/", reconcile.send_again, name="send_again"),
    ],
    "reconcile",
)

urlpatterns = [
    path("", home.home, name="home"),
    path("operations/<int:pk>/reconcile/", include(reconcile_patterns)),
    path("writes/", include(writes_patterns)),
    path("files/<str:token>/", shared_file.served, name="served"),
    path("hooks/ampersand/<str:token>", hook.hook, name="hook"),
]
