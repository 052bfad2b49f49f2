"""The log of an operation: pages, search, and the whole of it as a file."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db.models import Max, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import Role, require_viewer
from console.http import ConsoleRequest
from console.ui.downloads import note_download
from console.ui.polling import ENDED_SECONDS, seconds_between_polls, seen
from operations.csv_export import csv_lines, digest_of, download
from operations.filters import LogFilter
from operations.models import LogEntry, Operation
from operations.outcome.log_line import log_line
from operations.views.lookup import find_operation

PAGE = 100
MOST_SEVERITIES = 50
# At the most often; entries come no sooner than the worker asks.
POLL_SECONDS = 5
COLUMNS = ("sequence", "timestamp", "severity", "text", "error", "raw")


@require_safe
@never_cache
@require_viewer
def logs(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show a page of the log, or for htmx its table alone; 204 when it is as `seen`."""
    operation = find_operation(request, pk, Role.VIEWER)
    log = log_context(operation, request.GET)
    is_fragment = bool(request.htmx)
    if is_fragment and request.GET.get("seen") == log.get("seen", False):
        response = HttpResponse(status=204)
    else:
        name = "operations/logs.html#operation-log" if is_fragment else None
        response = render(
            request,
            name or "operations/logs.html",
            {"operation": operation, "log": log},
            status=200 if log["filter"].is_valid() else 400,
        )
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@never_cache
@require_viewer
def log_entry(request: ConsoleRequest, pk: int, sequence: int) -> HttpResponse:
    """Show one entry without cuts."""
    operation = find_operation(request, pk, Role.VIEWER)
    entry = get_object_or_404(operation.log_entries, sequence=sequence)
    context = {
        "operation": operation,
        "entry": entry,
        "line": log_line(entry, whole=True),
    }
    return render(request, "operations/log_entry.html", context)


def log_context(operation: Operation, query: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the table of the log shows for a query; without one the last page."""
    entries = operation.log_entries.all()
    severities = entries.order_by().values_list("severity", flat=True).distinct()
    chosen = LogFilter(
        query, severities=sorted(filter(None, severities[:MOST_SEVERITIES]))
    )
    if not chosen.is_valid():
        return {"filter": chosen}
    page = _page(chosen.apply(entries), chosen)
    last = entries.aggregate(last=Max("sequence"))["last"] or 0
    is_last_page = not (chosen.cleaned_data["before"] or chosen.cleaned_data["after"])
    grows = operation.is_watched or operation.is_in_flight
    quickest = POLL_SECONDS if operation.is_in_flight else ENDED_SECONDS
    seconds = seconds_between_polls(operation.created_at, quickest=quickest)
    have = seen(last, grows, seconds)
    return {
        "filter": chosen,
        **page,
        "is_empty": not last,
        # It keeps itself up to date where new entries would appear.
        "poll_seconds": seconds if is_last_page and grows else None,
        "poll_query": chosen.query(seen=have),
        "seen": have,
    }


def _page(entries: QuerySet[LogEntry], chosen: LogFilter) -> dict[str, Any]:
    """Return a page in the order of the log, and the queries of its neighbours."""
    before, after = chosen.cleaned_data["before"], chosen.cleaned_data["after"]
    if after:
        found = list(entries.filter(sequence__gt=after)[: PAGE + 1])
        shown = found[:PAGE]
        has_older, has_newer = True, len(found) > PAGE
    else:
        earlier = entries.filter(sequence__lt=before) if before else entries
        found = list(earlier.order_by("-sequence")[: PAGE + 1])
        shown = found[:PAGE][::-1]
        has_older, has_newer = len(found) > PAGE, bool(before)
    first = shown[0].sequence if shown else (after or 0) + 1
    last = shown[-1].sequence if shown else (before or 1) - 1
    return {
        "entries": shown,
        "older": chosen.query(before=first) if has_older else "",
        "newer": chosen.query(after=last) if has_newer and last else "",
    }


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def logs_ndjson(request: ConsoleRequest, pk: int) -> StreamingHttpResponse:
    """Send the whole log, one JSON object a line."""
    operation = find_operation(request, pk, Role.VIEWER)
    rows = _rows_until_now(operation)

    def lines() -> Iterator[str]:
        return (f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows())

    _note_download(request, operation, "NDJSON", lines)
    return download(
        lines(),
        file_name=f"operation-{operation.pk}-logs.ndjson",
        content_type="application/x-ndjson",
    )


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def logs_csv(request: ConsoleRequest, pk: int) -> StreamingHttpResponse:
    """Send the whole log as CSV for spreadsheets; formulas are made harmless."""
    operation = find_operation(request, pk, Role.VIEWER)
    rows = _rows_until_now(operation)

    def lines() -> Iterator[str]:
        return csv_lines(COLUMNS, _cells(rows()))

    _note_download(request, operation, "CSV", lines)
    return download(lines(), file_name=f"operation-{operation.pk}-logs.csv")


def _rows_until_now(operation: Operation) -> Callable[[], Iterator[dict[str, Any]]]:
    """Return what gives the log as it is now, each time the same."""
    last = operation.log_entries.aggregate(last=Max("sequence"))["last"] or 0

    def rows() -> Iterator[dict[str, Any]]:
        entries = operation.log_entries.filter(sequence__lte=last)
        for entry in entries.values(*COLUMNS).iterator():
            moment = entry["timestamp"]
            yield {**entry, "timestamp": moment.isoformat() if moment else None}

    return rows


def _cells(rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    for row in rows:
        raw = json.dumps(row["raw"], ensure_ascii=False)
        yield [*(row[name] for name in COLUMNS[:-1]), raw]


def _note_download(
    request: ConsoleRequest,
    operation: Operation,
    form: str,
    lines: Callable[[], Iterator[str]],
) -> None:
    note_download(
        request,
        "log.downloaded",
        f"Log of operation {operation.pk} as {form}",
        about=operation,
        told=lambda: {"sha256": digest_of(lines())},
    )
