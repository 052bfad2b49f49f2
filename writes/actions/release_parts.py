"""The parts of a write: let go when their turn comes, held, cancelled.

The rules are in `writes.models.batch`; here they are carried out.
"""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from console.actor import Actor
from console.models import AuditEvent, Project
from operations.models import Operation
from writes import dispatch
from writes.models import Batch, Write
from writes.models.batch import (
    BatchQuerySet,
    paused_condition,
    stopped_at,
    stopped_condition,
    too_many_failed_condition,
)

State = Operation.State

MOST_RELEASED = 200


def release_held(now: datetime) -> int:
    """Let go every held part whose turn has come; return how many."""
    return _release(Batch.objects.all(), now)


def release(write: Write, *, by: str) -> int:
    """The same for one write, where a person did something about it."""
    return _release(write.batches.all(), timezone.now(), by=by)


def _release(batches: BatchQuerySet, now: datetime, *, by: str = "") -> int:
    held = batches.due_for_release()
    found = held.select_related("operation__project").order_by("pk")[:MOST_RELEASED]
    return sum(
        _let_go(batch.operation, now, place, by=by) for place, batch in enumerate(found)
    )


def _let_go(
    operation: Operation, now: datetime, place: int = 0, *, by: str = ""
) -> bool:
    """Have a held part wait to be sent; `place` in line of those let go together."""
    went = operation.change(
        only_from=(State.HELD,),
        by=by,
        state=State.WAITING,
        waiting_since=now,
        due_at=due_at(operation.project, now, place),
        reason="",
    )
    if went and place < operation.project.max_at_once:
        transaction.on_commit(partial(dispatch.enqueue_send, operation))
    return went


def due_at(project: Project, now: datetime, place: int) -> datetime:
    """Return when the clock enqueues a part that is `place` in line, if it still waits.

    Parts that are let go together do not come all at once: the gate would only put
    them off.
    """
    pause = timedelta(seconds=place / project.max_per_second)
    return now + dispatch.REPEAT_SEND_AFTER + pause


def hold_back(now: datetime) -> int:
    """Hold what waits of writes that are paused or stopped; return how many."""
    waiting = Operation.objects.filter(state=State.WAITING)
    reasons = {
        "The write is paused.": paused_condition(),
        "Too many rows of this write failed.": too_many_failed_condition(),
        "Another part did not succeed.": stopped_condition(),
    }
    return sum(
        hold(operation, why)
        for why, condition in reasons.items()
        for operation in waiting.filter(condition)[:MOST_RELEASED]
    )


def hold(operation: Operation, why: str, *, by: str = "") -> bool:
    """Hold a part that waits; tell whether it still did. What has left has left."""
    return operation.change(
        only_from=(State.WAITING,), by=by, state=State.HELD, due_at=None, reason=why
    )


def go_on(write: Write, actor: Actor) -> bool:
    """Send the held parts although others did not end well; a person decided.

    Where rows are counted that fail, counting begins anew.

    Returns False when there is nothing to send, and while the write is paused.
    """
    batches = list(write.batches.select_related("operation"))
    stopped = stopped_at(write, batches)
    if not stopped or write.paused_at is not None:
        return False
    held = next(b for b in batches if b.operation.state == State.HELD)
    with transaction.atomic():
        in_the_way = write.batches.filter(pk__in=[b.pk for b in stopped])
        # Of two people at the same moment one decides.
        if not in_the_way.filter(is_passed=False).update(is_passed=True):
            return False
        release(write, by=actor.name)
        audit(write, actor, "write.continued", f"from part {held.number}")
    return True


def cancel_rest(write: Write, actor: Actor) -> int:
    """Cancel every part of which nothing has left; return how many."""
    cancelled = 0
    with transaction.atomic():
        for batch in write.batches.select_related("operation"):
            if batch.operation.can_be_cancelled:
                cancelled += batch.operation.cancel(by=actor.name)
        if cancelled:
            audit(write, actor, "write.cut_short", f"{cancelled} parts not sent")
    return cancelled


def audit(write: Write, actor: Actor, action: str, what: str) -> None:
    """Record what somebody did with the parts of a write that was sent."""
    AuditEvent.record(
        action=action,
        subject=f"Write {write.pk}, {what}",
        about=write,
        actor=actor,
        detail={"write": write.pk},
    )
