"""Who did what, when, on what and from where."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import require_viewer
from console.http import ConsoleRequest
from console.models import AuditEvent, AuditEventQuerySet
from console.ui.downloads import note_download
from operations.csv_export import csv_lines, download
from operations.filters import audit_events

PAGE = 50
COLUMNS = (
    "id",
    "at",
    "actor_name",
    "action",
    "subject",
    "project_name",
    "environment",
    "address",
    "correlation_id",
    "detail",
    "hash",
)


@require_safe
@never_cache
@require_viewer
def audit_list(request: ConsoleRequest) -> HttpResponse:
    """Show audit events, newest first, narrowed by the filters in the address."""
    chosen, events = audit_events(request.GET, request.user)
    if events is None:
        return render(request, "operations/audit.html", {"filter": chosen}, status=400)
    found = list(events[: PAGE + 1])
    shown = found[:PAGE]
    context: dict[str, Any] = {
        "filter": chosen,
        "events": shown,
        "older": chosen.query(before=shown[-1].pk) if len(found) > PAGE else "",
        "newest": chosen.query() if chosen.cleaned_data["before"] else None,
        "query": chosen.query(),
    }
    return render(request, "operations/audit.html", context)


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def audit_csv(request: ConsoleRequest) -> HttpResponseBase:
    """Send what the filters let through as CSV for spreadsheets, newest first."""
    chosen, events = audit_events(request.GET, request.user)
    if events is None:
        return render(request, "operations/audit.html", {"filter": chosen}, status=400)
    # By its seal all that came before the newest event is known as well.
    head = AuditEvent.objects.newest_first().first()
    if head:
        events = events.filter(pk__lte=head.pk)
    note_download(
        request,
        "audit.downloaded",
        "Audit trail as CSV",
        told=lambda: {
            "filters": chosen.narrowing,
            "head": head.hash if head else "",
        },
    )
    return download(csv_lines(COLUMNS, _cells(events)), file_name="audit.csv")


def _cells(events: AuditEventQuerySet) -> Iterator[list[Any]]:
    for row in events.values(*COLUMNS).iterator():
        row["at"] = row["at"].isoformat()
        row["detail"] = json.dumps(row["detail"], ensure_ascii=False)
        yield [row[name] for name in COLUMNS]
