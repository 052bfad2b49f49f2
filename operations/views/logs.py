"""The log of an operation: pages, search, and the whole of it as a file."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db.models import Max
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from console.access.roles import Role, require_viewer
from console.http import ConsoleRequest
from console.runtime import db_clock
from console.ui.choices import keep
from console.ui.downloads import note_download
from console.ui.polling import ENDED_SECONDS, seconds_between_polls, seen
from operations.csv_export import csv_lines, digest_of, download
from operations.display.log_archive import risk_of
from operations.display.log_display import COOKIE, LogDisplay
from operations.filters import LogFilter
from operations.models import Operation
from operations.outcome.log_line import log_line
from operations.outcome.log_pages import Log, severities_of
from operations.views.lookup import find_operation

PAGE = 100
# So many entries stand before and after one that is shown among its neighbours.
HALF = PAGE // 2
# At the most often; entries come no sooner than the worker asks.
POLL_SECONDS = 5
COLUMNS = ("sequence", "timestamp", "severity", "text", "error", "raw")


@require_safe
@never_cache
@require_viewer
def logs(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show a page of the log, or for htmx its table alone; 204 when it is as `seen`."""
    operation = find_operation(request, pk, Role.VIEWER)
    sought = _to_match(operation, request.GET) if "find" in request.GET else {}
    if isinstance(sought, HttpResponse):
        return sought
    log = log_context(operation, request.GET, request.COOKIES) | sought
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


@require_POST
@require_viewer
def log_display(request: ConsoleRequest) -> HttpResponse:
    """Remember for a year how logs are to be shown, and go back to the page."""
    display = LogDisplay.of(request.COOKIES).changed(request.POST.get("show", ""))
    if display is None:
        raise BadRequest("Logs cannot be shown in this way.")
    return keep(request, COOKIE, display.cookie, "operations:list")


def log_context(
    operation: Operation, query: Mapping[str, Any], cookies: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the table of the log shows for a query; without one the last page."""
    entries = operation.log_entries.all()
    display = LogDisplay.of(cookies)
    names = severities_of(entries)
    chosen = LogFilter(query, severities=names)
    if not chosen.is_valid():
        return {"filter": chosen, "display": display}
    last = entries.aggregate(last=Max("sequence"))["last"] or 0
    given = chosen.cleaned_data
    log = Log(entries, last, chosen.severities, given["q"])
    page = _around(log, chosen) if given["at"] else _page(log, chosen)
    is_last_page = not (given["before"] or given["after"] or given["at"])
    grows = operation.is_watched or operation.is_in_flight
    quickest = POLL_SECONDS if operation.is_in_flight else ENDED_SECONDS
    seconds = seconds_between_polls(operation.created_at, quickest=quickest)
    have = seen(last, grows, seconds, display)
    return {
        "filter": chosen,
        "display": display,
        "risk": operation.log_since and risk_of(operation, db_clock.now()),
        "start": operation.sent_at or operation.created_at,
        **page,
        "text": given["q"],
        "is_empty": not last,
        "is_live": grows,
        # It keeps itself up to date where new entries would appear.
        "poll_seconds": seconds if is_last_page and grows else None,
        "poll_query": chosen.query(seen=have),
        "newest": None if is_last_page else chosen.query(),
        "narrowing": chosen.query(),
        "seen": have,
    }


def _page(log: Log, chosen: LogFilter) -> dict[str, Any]:
    """Return a page in the order of the log, and the queries of its neighbours.

    A search that found nothing more within what it looked at leads further.
    """
    before, after = chosen.cleaned_data["before"], chosen.cleaned_data["after"]
    if after:
        found = log.later(after, PAGE + 1)
        shown = found.entries[:PAGE]
        older, newer = True, len(found.entries) > PAGE
    else:
        found = log.earlier(before or log.last + 1, PAGE + 1)
        shown = found.entries[:PAGE][::-1]
        older, newer = len(found.entries) > PAGE, bool(before)
    first = shown[0].sequence if shown else (after or 0) + 1
    last = shown[-1].sequence if shown else (before or 1) - 1
    page: dict[str, Any] = {"entries": shown}
    # What the search came to, unless the page was full before.
    reached = None if len(found.entries) > PAGE else found.reached
    if reached:
        page["reached"] = reached
        page["looked_from"] = after + 1 if after else (before or log.last + 1) - 1
        older, newer = (older, True) if after else (True, newer)
        first, last = (first, reached) if after else (reached, last)
    page["older"] = chosen.query(before=first) if older and first > 1 else ""
    page["newer"] = chosen.query(after=last) if newer and last else ""
    return page


def _around(log: Log, chosen: LogFilter) -> dict[str, Any]:
    """Return the page that holds an entry, whatever its text, in its middle."""
    at = chosen.cleaned_data["at"]
    log = replace(log, text="")
    earlier = log.earlier(min(at, log.last) + 1, HALF + 1).entries
    later = log.later(at, HALF + 1).entries
    shown = [*earlier[:HALF][::-1], *later[:HALF]]
    text = chosen.cleaned_data["q"]
    beside = {"severity": chosen.cleaned_data["severity"]}
    around = urlencode({name: value for name, value in beside.items() if value})

    def query(**place: int) -> str:
        return "&".join(filter(None, (around, urlencode(place))))

    return {
        "entries": shown,
        "at": at,
        "is_there": any(entry.sequence == at for entry in shown),
        "older": query(before=shown[0].sequence) if len(earlier) > HALF else "",
        "newer": query(after=shown[-1].sequence) if len(later) > HALF else "",
        "previous_match": chosen.query(at=at, find="previous") if text else "",
        "next_match": chosen.query(at=at, find="next") if text else "",
    }


def _to_match(
    operation: Operation, query: Mapping[str, Any]
) -> HttpResponse | dict[str, Any]:
    """Lead to the next entry with the text; or say how far there is none.

    Nothing where no match is sought.
    """
    entries = operation.log_entries.all()
    chosen = LogFilter(query, severities=severities_of(entries))
    if not chosen.is_valid():
        return {}
    given = chosen.cleaned_data
    way, at = given["find"], given["at"]
    if not (way and at and given["q"]):
        return {}
    last = entries.aggregate(last=Max("sequence"))["last"] or 0
    log = Log(entries, last, chosen.severities, given["q"])
    start = given["start"] or at
    found = log.later(start, 1) if way == "next" else log.earlier(start, 1)
    if found.entries:
        number = found.entries[0].sequence
        page = reverse("operations:logs", args=[operation.pk])
        query_there = chosen.query(at=number)
        return HttpResponseRedirect(f"{page}?{query_there}#entry-{number}")
    further = chosen.query(at=at, find=way, start=found.reached or 0)
    return {
        "sought": way,
        "sought_to": found.reached,
        "seek_further": further if found.reached else "",
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
