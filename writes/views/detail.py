"""One write: reviewed while it is a draft, followed part by part once it was sent."""

import hashlib
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ampersand import Request, RequestInvalid
from console.access.roles import Role, require_operator, require_viewer
from console.fields import UnreadableSecret
from console.models import EnvironmentControl, NoActiveKey
from console.ui.polling import seconds_between_polls, seen
from files.remote.looking import LARGE
from writes import children, drafts, parts, sharing, turns
from writes.confirm_form import ConfirmForm
from writes.models import Batch, Write
from writes.panels import children_shown
from writes.parts_progress import PartsProgress, progress_of
from writes.repeats import earlier_of
from writes.templatetags.writes import duration
from writes.time_left import pace_of
from writes.timeline import timeline
from writes.views.lookup import find_write

POLL_SECONDS = 2


@require_safe
@never_cache
@require_viewer
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a draft for review, and what was sent in parts by its parts.

    A write of one part is shown by its operation, a draft with faults by its file.
    """
    write = find_write(request, pk, Role.VIEWER)
    batches = list(write.batches.select_related("operation"))
    if len(batches) == 1:
        return redirect(batches[0].operation)
    if batches:
        return render(request, "writes/sent.html", _sent_context(request, write))
    if write.source == Write.Source.CSV and write.is_draft and not write.is_ready:
        return redirect("writes:file", write.pk)
    return review(request, write)


@require_safe
@never_cache
@require_viewer
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the part of a sent write that changes by itself; 204 if it is `seen`."""
    context = _sent_context(request, find_write(request, pk, Role.VIEWER))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    context["is_fragment"] = True
    return render(request, "writes/sent.html#write-status", context)


def _sent_context(request: HttpRequest, write: Write) -> dict[str, Any]:
    batches = list(write.batches.select_related("operation"))
    progress = progress_of(batches)
    will_go = turns.goes_on(write, batches)
    is_going = will_go or progress.ended + progress.held < progress.parts
    moves = progress.is_moving or will_go
    totals = None if is_going else write.rows_totals
    if moves and totals and totals.sent != progress.rows - progress.rows_not_sent:
        # They are from before the rest was sent, and will be put together anew.
        totals = None
    seconds = _poll_seconds(batches) if moves else None
    is_paused = write.paused_at is not None and progress.unsent > 0
    pace = pace_of(batches, timezone.now()) if is_going else None
    came_of_it = list(children_shown(write, request))
    shown = (
        [batch.operation.version for batch in batches],
        totals,
        is_paused,
        pace and duration(pace.elapsed),
        [(child.pk, child.state) for child in came_of_it],
    )
    return {
        "write": write,
        "project": write.project,
        "batches": batches,
        "progress": progress,
        "is_going": is_going,
        "totals": totals,
        "is_paused": is_paused,
        "stopped": turns.stopped_at(write, batches),
        "can_send_again": _can_send_again(progress, batches),
        "pace": pace,
        "children": came_of_it,
        # Put together only where it is drawn: mostly a page that asks has no news.
        "timeline": partial(timeline, write),
        "poll_seconds": seconds,
        "seen": seen(*shown, seconds),
    }


def _can_send_again(progress: PartsProgress, batches: list[Batch]) -> bool:
    """Tell whether all parts are over, and none has to be found out about first."""
    in_doubt = any(batch.operation.needs_person for batch in batches)
    return progress.ended == progress.parts and not in_doubt


def _poll_seconds(batches: list[Batch]) -> int:
    """Return how often the page looks for news: often again with each part let go."""
    since = max(batch.operation.waiting_since for batch in batches)
    return seconds_between_polls(since, quickest=POLL_SECONDS)


def review(
    request: HttpRequest,
    write: Write,
    *,
    form: ConfirmForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    """Show a draft with all that is asked before it is sent; `form` came back so."""
    context: dict[str, Any] = {
        "write": write,
        "project": write.project,
        "form": form or ConfirmForm(write=write),
        "control": EnvironmentControl.objects.of(write.project.environment),
    }
    if write.source == Write.Source.CSV and not write.check_report:
        # It was put away before it was checked: there is no request to show.
        return render(request, "writes/detail.html", context, status=status)
    try:
        shown = drafts.prepare_shown(write)
        context |= {"shown": shown, "curl": drafts.as_curl(write, shown)}
        context["reviewed"] = digest(write, shown)
        context["earlier"] = earlier_of(write, timezone.now())
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        problem = problem or str(error)
    if write.source == Write.Source.CSV:
        context |= _file_context(write)
    context["problem"] = problem
    return render(request, "writes/detail.html", context, status=status)


def _file_context(write: Write) -> dict[str, Any]:
    return {
        "report": write.check_report,
        "inspection": write.inspected,
        "deliveries": _deliveries(write),
        "trial": children.trial_of(write),
    }


def _deliveries(write: Write) -> list[dict[str, Any]]:
    """Return the ways in which this file can go, when there is a choice."""
    if write.delivery == Write.Delivery.TEXT:
        return []
    labels = dict(Write.Delivery.choices)
    size = write.check_report["as_sent_size"]
    return [
        {
            "value": way,
            "label": labels[way],
            "is_risky": way != Write.Delivery.PARTS and size > LARGE,
        }
        for way in sharing.deliveries(size)
    ]


def digest(write: Write, shown: Request) -> str:
    """Return what tells one request from another, for the button that sends it."""
    said = f"{write.edition} {shown.method} {shown.url}\n".encode() + shown.content()
    return hashlib.sha256(said).hexdigest()


@require_POST
@require_operator
def deliver(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose how a file that is too big for one request reaches Ampersand."""
    write = find_write(request, pk, Role.OPERATOR)
    way = request.POST.get("delivery", "")
    together = way == Write.Delivery.PARTS and "is_parallel" in request.POST
    is_open = write.is_ready and write.delivery != Write.Delivery.TEXT
    size = write.check_report.get("as_sent_size", 0)
    # Another edition, so that what is confirmed just now is not sent another way.
    if (
        not is_open
        or way not in sharing.deliveries(size)
        or not write.revise(delivery=way, is_parallel=together)
    ):
        messages.warning(request, "Nothing was changed: there is no such choice.")
    return redirect(write)


@require_POST
@require_operator
def go_on(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the parts that are held, although the one before did not end well."""
    write = find_write(request, pk, Role.OPERATOR)
    if not parts.go_on(write, request):
        messages.warning(request, "Nothing is held: nothing was changed.")
    return redirect(write)


@require_POST
@require_operator
def cancel_rest(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel the parts of which nothing has left."""
    write = find_write(request, pk, Role.OPERATOR)
    count = parts.cancel_rest(write, request)
    if count:
        noun = "part was" if count == 1 else "parts were"
        messages.success(request, f"{count:,} {noun} cancelled; nothing of them left.")
    else:
        messages.warning(request, "Nothing was left to cancel.")
    return redirect(write)


@require_POST
@require_operator
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a draft away. What was sent cannot be discarded."""
    write = find_write(request, pk, Role.OPERATOR)
    if not children.discard(write, by=request.user.get_username()):
        messages.warning(request, "This is no draft any more; nothing was changed.")
        return redirect(write)
    messages.success(request, "The draft was discarded. Nothing was sent.")
    return redirect("home")


@require_safe
@require_operator
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the form that this write came from, filled in with its content."""
    write = find_write(request, pk, Role.OPERATOR)
    form = reverse(f"writes:{write.source}")
    return redirect(f"{form}?{urlencode({'again': write.pk})}")
