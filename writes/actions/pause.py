"""Pausing what has not left of a write that was sent, and letting it go on.

What has left has left: pausing holds the parts that wait, and no other part is let go
until somebody resumes. Race-safe because a part is claimed only if it still waits and
its write is not paused.
"""

from django.db import transaction
from django.db.models import QuerySet

from console.actor import Actor
from console.runtime import db_clock
from operations.models import Operation
from writes.actions import release_parts
from writes.models import Batch, Call, Write
from writes.worker import record_call

State = Operation.State


class NothingToPause(Exception):
    """All of it has left already, or was cancelled."""


def pause(write: Write, actor: Actor, *, reason: str = "") -> int:
    """Hold what has not left; return how many parts, or requests of a run, that are.

    Pausing twice is pausing once. `reason` is shown with it, at most 500 characters.
    Raises `NothingToPause`.
    """
    by = actor.name
    with transaction.atomic():
        is_new = write.pause(by=by, reason=reason)
        for operation in _operations(write, State.WAITING):
            release_parts.hold(operation, reason or f"Paused by {by}.", by=by)
        held = _operations(write, State.HELD).count()
        planned = _planned(write)
        if not held and not planned:
            raise NothingToPause
        _tell_rest(write)
        if is_new:
            left = f"{planned} requests" if planned else f"{held} parts"
            release_parts.audit(write, actor, "write.paused", f"{left} not sent")
    return planned or held


def resume(write: Write, actor: Actor) -> bool:
    """Let it go on as before; tell whether it was paused."""
    with transaction.atomic():
        if not write.resume():
            return False
        release_parts.release(write, by=actor.name)
        Batch.objects.filter(
            write=write, operation__state=State.IN_PROGRESS, calls_total__gt=0
        ).update(calls_due_at=db_clock.now())
        _tell_rest(write)
        release_parts.audit(write, actor, "write.resumed", "as before")
    return True


def _tell_rest(write: Write) -> None:
    """Have the page of a run under way say that it rests, or that it goes on."""
    if write.is_run:
        record_call.tell_rest(write.batches.get())


def _planned(write: Write) -> int:
    """Return how many requests of a run under way have not left.

    One that asks about an outcome goes on once somebody has decided about that.
    """
    planned = Call.objects.filter(state=Call.State.PLANNED, batch__write=write)
    under_way = (State.IN_PROGRESS, State.UNKNOWN)
    return planned.filter(batch__operation__state__in=under_way).count()


def _operations(write: Write, state: str) -> QuerySet[Operation]:
    return Operation.objects.filter(batch__write=write, state=state)
