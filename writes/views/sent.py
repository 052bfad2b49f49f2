"""A write that was sent: followed part by part, paused, gone on with."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from console.access.roles import Role, require_operator, require_viewer
from console.actor import Actor
from console.http import ConsoleRequest
from console.models import EnvironmentControl
from console.sign_in.identity_check import need_identity_to_send
from console.templatetags.console import duration
from console.ui.polling import seen
from writes.actions import pause as actions
from writes.actions import release_parts
from writes.display.beside import beside
from writes.display.eta import pace_of
from writes.display.progress import PartsProgress, progress_of
from writes.display.timeline import timeline
from writes.display.waits import waits_for
from writes.models import Batch, Write
from writes.models.batch import (
    failed_rows,
    goes_on,
    has_failed_enough,
    stopped_at,
)
from writes.views.lookup import find_write
from writes.views.panels import children_shown, poll_seconds

POLL_SECONDS = 2


@require_safe
@never_cache
@require_viewer
def status(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Return the part of a sent write that changes by itself; 204 if it is `seen`."""
    context = sent_context(request, find_write(request, pk, Role.VIEWER))
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    context["is_fragment"] = True
    return render(request, "writes/sent.html#write-status", context)


def sent_context(request: ConsoleRequest, write: Write) -> dict[str, Any]:
    """Return what the page of a write that was sent shows."""
    batches = list(write.batches.select_related("operation"))
    progress = progress_of(batches)
    will_go = goes_on(write, batches)
    is_going = will_go or progress.ended + progress.held < progress.parts
    moves = progress.is_moving or will_go
    # Often again with each part that is let go.
    let_go = [batch.operation.waiting_since for batch in batches]
    since = max(let_go, default=write.created_at)
    seconds = poll_seconds(write, batches, since, quickest=POLL_SECONDS)
    if seconds is None:
        # Its rows may have been joined after it was read, and nothing asks again.
        write.read_anew()
    totals = None if is_going else write.rows_totals
    if moves and totals and totals.sent != progress.rows - progress.rows_not_sent:
        # They are from before the rest was sent, and will be put together anew.
        totals = None
    is_paused = write.paused_at is not None and progress.unsent > 0
    pace = pace_of(batches, timezone.now()) if is_going else None
    control = EnvironmentControl.objects.of(write.project.environment)
    waits = ""
    if progress.waiting and not is_paused:
        waits = waits_for(write, control, timezone.now())
    came_of_it = list(children_shown(write, request))
    others = beside(write, request.user)
    shown = (
        [batch.operation.version for batch in batches],
        totals,
        is_paused,
        pace and duration(pace.elapsed),
        waits,
        [(child.pk, child.state) for child in came_of_it],
        [(each.kind, each.rows, each.write.state, each.trial) for each in others],
    )
    return {
        "write": write,
        "project": write.project,
        "batches": batches,
        "progress": progress,
        "is_going": is_going,
        "totals": totals,
        "is_paused": is_paused,
        "stopped": stopped_at(write, batches),
        "failed_rows": failed_rows(batches),
        "has_failed_enough": has_failed_enough(write, batches),
        "can_send_again": write.has_content and _can_send_again(progress, batches),
        "pace": pace,
        "control": control,
        "waits": waits,
        "children": came_of_it,
        "beside": others,
        # Put together only where it is drawn: mostly a page that asks has no news.
        "timeline": partial(timeline, write),
        "poll_seconds": seconds,
        "seen": seen(*shown, seconds),
    }


def _can_send_again(progress: PartsProgress, batches: list[Batch]) -> bool:
    """Tell whether all parts are over, and none has to be found out about first."""
    in_doubt = any(batch.operation.needs_person for batch in batches)
    return progress.ended == progress.parts and not in_doubt


@require_POST
@require_operator
def go_on(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Send the parts that are held, although the one before did not end well."""
    write = find_write(request, pk, Role.OPERATOR)
    need_identity_to_send(request, write.project.environment)
    if not release_parts.go_on(write, Actor.of(request)):
        messages.warning(request, "Nothing was changed: no part is queued.")
    return redirect(write)


@require_POST
@require_operator
def cancel_rest(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Cancel the parts of which nothing has left."""
    write = find_write(request, pk, Role.OPERATOR)
    count = release_parts.cancel_rest(write, Actor.of(request))
    if count:
        noun = "part was" if count == 1 else "parts were"
        of = "it" if count == 1 else "them"
        text = f"{count:,} {noun} cancelled; nothing of {of} was written."
        messages.success(request, text)
    else:
        messages.warning(request, "Nothing was left to cancel.")
    return redirect(write)


@require_POST
@require_operator
def pause(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Hold what has not left yet."""
    write = find_write(request, pk, Role.OPERATOR)
    try:
        actions.pause(write, Actor.of(request))
    except actions.NothingToPause:
        messages.warning(
            request, "Nothing was paused: what has been sent cannot be recalled."
        )
    return redirect(write)


@require_POST
@require_operator
def resume(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let it go on as before."""
    write = find_write(request, pk, Role.OPERATOR)
    need_identity_to_send(request, write.project.environment)
    if not actions.resume(write, Actor.of(request)):
        messages.warning(request, "It was not paused: nothing was changed.")
    return redirect(write)
