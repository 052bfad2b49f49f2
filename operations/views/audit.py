"""Who did what, when, on what and from where."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import Person, require_viewer
from console.http import ConsoleRequest
from console.models import AuditEvent, AuditEventQuerySet
from console.ui.downloads import note_download
from operations.csv_export import csv_lines, download
from operations.display.audit_detail import number_of, told
from operations.models import Operation
from operations.views.audit_filter import SEARCHED, AuditFilter

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


# Counted no further.
MOST_COUNTED = 10_000
# Of the same request: a page of a write with many parts has no more.
MOST_BESIDE = 20


@require_safe
@never_cache
@require_viewer
def audit_list(request: ConsoleRequest) -> HttpResponse:
    """Show audit events, newest first, narrowed by the filters in the address."""
    chosen, events = audit_events(request.GET, request.user)
    if events is None:
        return render(request, "operations/audit.html", {"filter": chosen}, status=400)
    rest = chosen.within(events)
    found, behind = _page(chosen, rest)
    shown = found[:PAGE]
    older = chosen.query(before=shown[-1].pk) if len(found) > PAGE else ""
    further = chosen.query(before=behind) if behind and not older else ""
    context: dict[str, Any] = {
        "filter": chosen,
        "events": shown,
        "told": [told(event) for event in shown],
        "count": "" if chosen.cleaned_data["text"] else _count(events),
        "older": older,
        "further": further,
        "looked_at": SEARCHED,
        "newest": chosen.query() if chosen.cleaned_data["before"] else None,
        "query": chosen.query(),
        "zone": timezone.get_current_timezone_name(),
    }
    return render(request, "operations/audit.html", context)


def _page(
    chosen: AuditFilter, rest: AuditEventQuerySet
) -> tuple[list[AuditEvent], int | None]:
    """Return a page and one more, and where to look on for a word not found so far."""
    behind = None
    if chosen.cleaned_data["text"]:
        numbers, behind = chosen.mentioning(rest, PAGE + 1)
    else:
        # An index tells the numbers; asked for rows, a database would walk through all.
        numbers = list(rest.values_list("pk", flat=True)[: PAGE + 1])
    events = AuditEvent.objects.in_bulk(numbers)
    return [events[number] for number in numbers], behind


def _count(events: AuditEventQuerySet) -> str:
    # In the page's order, so that an index is read and not the table.
    count = events.values("pk")[: MOST_COUNTED + 1].count()
    return f"{MOST_COUNTED:,}+" if count > MOST_COUNTED else f"{count:,}"


@require_safe
@never_cache
@require_viewer
def audit_event(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show one event with its seal, its neighbours, and what else its request did."""
    visible = AuditEvent.objects.visible_to(request.user)
    event = get_object_or_404(visible, pk=pk)
    operation, write = (number_of(event, name) for name in ("operation", "write"))
    mine = Operation.objects.visible_to(request.user)
    beside = visible.exclude(pk=pk).filter(correlation_id=event.correlation_id)
    context = {
        "event": event,
        "told": told(event),
        "holds": _holds(event),
        "older": visible.filter(pk__lt=pk).newest_first().first(),
        "newer": visible.filter(pk__gt=pk).order_by("pk").first(),
        "operation": mine.filter(pk=operation).first() if operation else None,
        "write": write,
        "beside": [told(each) for each in beside.order_by("pk")[:MOST_BESIDE]]
        if event.correlation_id
        else [],
    }
    return render(request, "operations/audit_event.html", context)


def _holds(event: AuditEvent) -> bool:
    """Tell whether the event is as it was sealed, and follows the one before it."""
    before = AuditEvent.objects.filter(pk__lt=event.pk).newest_first()
    previous = before.values_list("hash", flat=True).first() or ""
    links = AuditEvent.objects.filter(pk=event.pk).links(previous)
    return all(holds for _, holds in links)


def audit_events(
    query: Any, user: Person
) -> tuple[AuditFilter, AuditEventQuerySet | None]:
    """Return the bound filter, and what it lets through unless it makes no sense.

    Only what `user` may read, whatever the filter; the text is not looked for yet.
    """
    chosen = AuditFilter(query, user=user)
    if not chosen.is_valid():
        return chosen, None
    return chosen, chosen.apply(AuditEvent.objects.visible_to(user))


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
    lines = csv_lines(COLUMNS, _cells(events, chosen.cleaned_data["text"]))
    return download(lines, file_name="audit.csv")


def _cells(events: AuditEventQuerySet, text: str) -> Iterator[list[Any]]:
    # Compared as on the page: a database may know the case of ASCII letters alone.
    sought = text.casefold()
    for row in events.values(*COLUMNS).iterator():
        if sought not in row["subject"].casefold():
            continue
        row["at"] = row["at"].isoformat()
        row["detail"] = json.dumps(row["detail"], ensure_ascii=False)
        yield [row[name] for name in COLUMNS]
