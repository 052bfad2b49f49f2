"""What is done to the operations that somebody ticked in the list.

Their numbers are posted, never the filters: what comes into the list later is not
meant.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from console.access.roles import require_viewer
from console.actor import Actor
from console.http import ConsoleRequest
from console.ui.downloads import note_download
from console.validators import LARGEST_ID, whole_number
from operations.actions.selection import CANCEL, DEEDS, Deed, do_to_all, judge
from operations.csv_export import digest_of, download
from operations.models import LogEntry, Operation
from operations.views.export import operation_lines
from operations.views.lookup import name_groups

# As many as a page of the list shows, and some more by hand.
MOST = 200
LOG_COLUMNS = ("operation_id", "sequence", "timestamp", "severity", "text", "error")


@require_POST
@require_viewer  # type: ignore[arg-type]
def selected(request: ConsoleRequest) -> HttpResponseBase:
    """Do what the button says to the ticked operations, or ask before it is done."""
    operations = _ticked(request)
    if not operations:
        messages.warning(request, "Nothing was done: select operations first.")
        return redirect("operations:list")
    name = request.POST.get("do", "")
    if name in DOWNLOADS:
        return DOWNLOADS[name](request, operations)
    if name not in DEEDS:
        raise BadRequest("There is no such action.")
    deed = DEEDS[name]
    if deed is CANCEL and "confirmed" not in request.POST:
        return _page(request, deed, operations, is_done=False)
    return _page(request, deed, operations, is_done=True)


def _ticked(request: ConsoleRequest) -> list[Operation]:
    given = request.POST.getlist("operation")
    if len(given) > MOST:
        raise BadRequest(f"Nothing was done: at most {MOST} operations at once.")
    numbers = [n for text in given if (n := whole_number(text, most=LARGEST_ID))]
    visible = Operation.objects.visible_to(request.user).select_related(
        "project", "integration"
    )
    found = list(visible.filter(pk__in=numbers).newest_first())
    name_groups(found)
    return found


def _page(
    request: ConsoleRequest, deed: Deed, operations: list[Operation], *, is_done: bool
) -> HttpResponse:
    actor = Actor.of(request)
    told = (do_to_all if is_done else judge)(deed, operations, actor)
    context = {
        "deed": deed,
        "is_done": is_done,
        "count": len(told),
        "those": [each for each in told if not each.why],
        "others": [each for each in told if each.why],
    }
    return render(request, "operations/selected.html", context)


def _csv(request: ConsoleRequest, operations: list[Operation]) -> HttpResponseBase:
    return _download(
        request,
        operations,
        lambda: operation_lines(operations),
        what="as CSV",
        file_name="operations.csv",
    )


def _logs(request: ConsoleRequest, operations: list[Operation]) -> HttpResponseBase:
    """Send the logs of all, one JSON object a line."""
    entries = LogEntry.objects.filter(operation__in=operations)
    last = entries.order_by("-pk").values_list("pk", flat=True).first() or 0
    mine = entries.filter(pk__lte=last).order_by("operation_id", "sequence")

    def lines() -> Iterator[str]:
        for row in mine.values(*LOG_COLUMNS, "raw").iterator():
            moment = row["timestamp"]
            told = {**row, "timestamp": moment.isoformat() if moment else None}
            yield f"{json.dumps(told, ensure_ascii=False)}\n"

    return _download(
        request,
        operations,
        lines,
        what="with their logs",
        file_name="operations-logs.ndjson",
        content_type="application/x-ndjson",
    )


def _download(
    request: ConsoleRequest,
    operations: Sequence[Operation],
    lines: Callable[[], Iterator[str]],
    *,
    what: str,
    **file: str,
) -> HttpResponseBase:
    digest = digest_of(lines())
    for place in sorted({each.project.environment for each in operations}):
        here = [each.pk for each in operations if each.project.environment == place]
        note_download(
            request,
            "operations.downloaded",
            f"{len(here)} selected operations {what}",
            environment=place,
            told=partial(dict, operations=here, sha256=digest),
        )
    return download(lines(), **file)


DOWNLOADS = {"csv": _csv, "logs": _logs}
