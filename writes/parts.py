"""The parts of a write, sent one after the other.

A part is let go when the one before it ended with its rows accounted for. After any
other end it stays held: what is wrong with one part is often wrong with all.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone

from console.models import AuditEvent
from operations.models import Operation
from writes import sending
from writes.models import Batch, Write

State = Operation.State

# After these the next part goes by itself: Ampersand worked on the rows, and what it
# refused is known row by row.
ENDED_WELL = (State.SUCCEEDED, State.PARTLY_FAILED)
MOST_RELEASED = 200


def release_held(now: datetime) -> int:
    """Let go every held part whose turn has come; return how many."""
    before = Batch.objects.filter(
        write_id=OuterRef("write_id"),
        number=OuterRef("number") - 1,
        operation__state__in=ENDED_WELL,
    )
    held = Batch.objects.filter(Exists(before), operation__state=State.HELD)
    turns = held.select_related("operation").order_by("pk")[:MOST_RELEASED]
    return sum(_let_go(batch.operation, now) for batch in turns)


def _let_go(operation: Operation, now: datetime, *, by: str = "") -> bool:
    went = operation.change(
        only_from=(State.HELD,),
        by=by,
        state=State.WAITING,
        waiting_since=now,
        due_at=now + sending.NUDGE_LEASE,
    )
    if went:
        transaction.on_commit(partial(sending.enqueue, operation.pk))
    return went


def stopped_at(batches: Iterable[Batch]) -> Batch | None:
    """Return the part whose end holds the others back, None if they go by themselves.

    `batches` are those of one write in their order, with their operations.
    """
    last: Batch | None = None
    for batch in batches:
        if batch.operation.state == State.HELD:
            break
        if batch.operation.is_in_flight:
            # Also where a later one was cancelled by hand: they go one by one.
            return None
        last = batch
    else:
        return None
    if last is None or last.operation.state in ENDED_WELL:
        return None
    return last


def go_on(write: Write, request: HttpRequest) -> bool:
    """Send the held parts although the one before did not end well; a person decided.

    Returns False when there is nothing to send.
    """
    batches = list(write.batches.select_related("operation"))
    if stopped_at(batches) is None:
        return False
    held = next(b for b in batches if b.operation.state == State.HELD)
    with transaction.atomic():
        went = _let_go(held.operation, timezone.now(), by=request.user.get_username())
        if went:
            _audit(write, request, "write.continued", f"from part {held.number}")
    return went


def cancel_rest(write: Write, request: HttpRequest) -> int:
    """Cancel every part of which nothing has left; return how many."""
    cancelled = 0
    with transaction.atomic():
        for batch in write.batches.select_related("operation"):
            if batch.operation.can_be_cancelled:
                by = request.user.get_username()
                cancelled += batch.operation.cancel(by=by)
        if cancelled:
            _audit(write, request, "write.cut_short", f"{cancelled} parts not sent")
    return cancelled


def _audit(write: Write, request: HttpRequest, action: str, what: str) -> None:
    AuditEvent.record(
        action=action,
        subject=f"Write {write.pk}, {what}",
        subject_url=write.get_absolute_url(),
        request=request,
        project=write.project,
        detail={"write": write.pk},
    )
