"""What the page of an operation shows of the write behind it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.template.loader import render_to_string

from console.access.roles import Role
from console.http import ConsoleRequest
from console.ui.polling import ENDED_SECONDS, seconds_between_polls, seen
from operations.models import Operation
from writes.actions import settle
from writes.display.beside import beside
from writes.models import Batch, FileJob, SharedAddress, Write, WriteQuerySet
from writes.requests import as_curl

POLL_SECONDS = 3


def rows_panel(request: ConsoleRequest, operation: Operation) -> str:
    """Draw how the rows fared of the write that an operation belongs to."""
    batch = batch_of(operation)
    if batch is None or batch.write.source != Write.Source.CSV:
        return ""
    context = rows_context(request, batch.write)
    return render_to_string("writes/rows_summary.html#panel", context, request)


def beside_notice(request: ConsoleRequest, operation: Operation) -> str:
    """Say where the other rows are of a trial, or of what comes after one."""
    batch = batch_of(operation)
    if batch is None or batch.write.source != Write.Source.CSV:
        return ""
    context = {"write": batch.write, "beside": beside(batch.write, request.user)}
    return render_to_string("writes/beside.html#notice", context, request)


def children_shown(write: Write, request: ConsoleRequest) -> WriteQuerySet:
    """Return what came of `write`, where the reader has a role."""
    children = write.children.for_role(request.user, Role.VIEWER).not_discarded()
    return children.select_related("integration__project")


def rows_context(request: ConsoleRequest, write: Write) -> dict[str, Any]:
    """Return what the summary of the rows of a write shows."""
    batches = list(write.batches.select_related("operation"))
    begun = write.confirmed_at or write.created_at
    seconds = poll_seconds(write, batches, begun, quickest=POLL_SECONDS)
    came_of_it = list(children_shown(write, request))
    if seconds is None:
        # Its rows may have been joined after it was read, and nothing asks again.
        write.read_anew()
    totals = write.rows_totals
    job = None if totals else FileJob.objects.last_of(write, FileJob.Kind.JOIN)
    is_not_joined = job is not None and job.state == FileJob.State.FAILED
    others = beside(write, request.user)
    rests = write.is_run and any(
        batch.stopped_why or write.paused_at for batch in batches
    )
    shown = (
        totals,
        is_not_joined,
        [(child.pk, child.state) for child in came_of_it],
        [(each.kind, each.rows, each.write.state, each.trial) for each in others],
    )
    return {
        "write": write,
        "parts": len(batches),
        "totals": totals,
        "is_not_joined": is_not_joined,
        "children": came_of_it,
        "beside": others,
        "rests": rests,
        "poll_seconds": seconds,
        "seen": seen(shown, rests, seconds),
    }


def poll_seconds(
    write: Write, batches: Sequence[Batch], since: datetime, *, quickest: int
) -> int | None:
    """Return how often a page looks for news of a write, None when none will come.

    `batches` come with their operations; `since` is when the last of them began.
    """
    if not settle.is_moving(write, batches):
        is_settled = all(batch.is_settled for batch in batches)
        if is_settled or not settle.awaits_join(write):
            is_watched = any(batch.operation.is_watched for batch in batches)
            return ENDED_SECONDS if is_watched else None
    return seconds_between_polls(since, quickest=quickest)


def pause_panel(request: ConsoleRequest, operation: Operation) -> str:
    """Offer to pause what waits for a reason, and to resume what is paused.

    What waits without one leaves before anybody could press the button. Parts are
    paused on the page of their write.
    """
    if operation.state not in Operation.UNSENT:
        return ""
    batch = batch_of(operation)
    if batch is None:
        return ""
    is_alone = operation.reason and not operation.part
    if batch.write.paused_at is None and not is_alone:
        return ""
    context = {"write": batch.write}
    return render_to_string("writes/pause_panel.html", context, request)


def request_panel(request: ConsoleRequest, operation: Operation) -> str:
    """Draw the request as it was sent, or nothing for somebody else's operation."""
    batch = batch_of(operation)
    if batch is None:
        return ""
    shown = batch.request_shown()
    context = {
        "batch": batch,
        "write": batch.write,
        "operation": operation,
        "has_content": batch.write.has_content,
        "shown": shown,
        "curl": as_curl(batch.write, shown),
        # What is sent again of a run that goes on would be sent twice.
        "is_going": operation.is_run and operation.ended_at is None,
        "address": SharedAddress.objects.filter(batch=batch).first(),
    }
    return render_to_string("writes/request_panel.html", context, request)


def batch_of(operation: Operation) -> Batch | None:
    """Return what an operation carried, None for one of somebody else's.

    Looked up once for all panels of a page.
    """
    return getattr(operation, "batch", None)
