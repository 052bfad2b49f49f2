"""Pausing what has not left of a write that was sent, and letting it go on.

What has left has left: pausing holds the parts that wait, and no other part is let go
until somebody resumes. Race-safe because a part is claimed only if it still waits and
its write is not paused.
"""

from django.db import transaction
from django.db.models import QuerySet

from console.actor import Actor
from operations.models import Operation
from writes.actions import release_parts
from writes.models import Write

State = Operation.State


class NothingToPause(Exception):
    """All of it has left already, or was cancelled."""


def pause(write: Write, actor: Actor, *, reason: str = "") -> int:
    """Hold what has not left; return how many parts that are.

    Pausing twice is pausing once. `reason` is shown with it, at most 500 characters.
    Raises `NothingToPause`.
    """
    by = actor.name
    with transaction.atomic():
        is_new = write.pause(by=by, reason=reason)
        for operation in _operations(write, State.WAITING):
            release_parts.hold(operation, reason or f"Paused by {by}.", by=by)
        held = _operations(write, State.HELD).count()
        if not held:
            raise NothingToPause
        if is_new:
            release_parts.audit(write, actor, "write.paused", f"{held} parts not sent")
    return held


def resume(write: Write, actor: Actor) -> bool:
    """Let it go on as before; tell whether it was paused."""
    with transaction.atomic():
        if not write.resume():
            return False
        release_parts.release(write, by=actor.name)
        release_parts.audit(write, actor, "write.resumed", "as before")
    return True


def _operations(write: Write, state: str) -> QuerySet[Operation]:
    return Operation.objects.filter(batch__write=write, state=state)
