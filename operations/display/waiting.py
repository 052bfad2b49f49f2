"""What a write waits for that has not left: until when, and what is before it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from console.runtime import db_clock
from operations.models import Gate, Operation

State = Operation.State


@dataclass(frozen=True)
class Waiting:
    """`until` is when its project takes writes again, as far as known, `why` not now.

    `before` counts the writes that wait for a worker and come first, `under_way` those
    that are being sent just now.
    """

    until: datetime | None = None
    why: str = ""
    before: int = 0
    under_way: int = 0


def waiting_of(operation: Operation) -> Waiting | None:
    """Return what `operation` waits for, None unless it waits to be sent."""
    if operation.state != State.WAITING or operation.due_at is None:
        return None
    until, why = _closed(operation)
    # A worker takes what was never tried in order, of whatever project it is.
    in_line = Q(project=operation.project_id) | Q(reason="")
    waits = Operation.objects.filter(
        in_line, state=State.WAITING, due_at__lt=operation.due_at
    ).exclude(pk=operation.pk)
    under_way = Operation.objects.filter(state=State.SENDING)
    return Waiting(until, why, waits.not_frozen().count(), under_way.count())


def _closed(operation: Operation) -> tuple[datetime | None, str]:
    """Return until when nothing of its project is sent, and why."""
    gate = Gate.objects.filter(pk=operation.project_id).first()
    if gate is None:
        return None, ""
    if gate.is_open:
        return gate.try_at, "Ampersand is not responding"
    closed = gate.closed_at(db_clock.now())
    return closed, "Ampersand asked us to wait" if closed else ""
