"""What the rest of a write waits for while it goes on, in one or two sentences."""

from datetime import datetime

from django.utils import timezone

from console.models import EnvironmentControl
from operations.models import Gate, Operation
from writes.models import Batch, Call, Write

State = Operation.State
# More are only called many.
MOST_COUNTED = 100


def waits_for(write: Write, control: EnvironmentControl, now: datetime) -> str:
    """Say what keeps the rest of a write waiting, and who else is served meanwhile.

    "" where nothing does. `control` is that of its environment. What a person stopped
    or paused waits for that person, and is said elsewhere.
    """
    if control.is_frozen:
        return (
            f"{control} is frozen: what has not been sent waits until the freeze ends."
        )
    said = [_remote(write, now), _others(write)]
    return " ".join(filter(None, said))


def _remote(write: Write, now: datetime) -> str:
    """Say until when nothing goes to the project, or no further try is made."""
    gate = Gate.objects.filter(pk=write.project.pk).first()
    if gate is not None and gate.is_open:
        return f"Ampersand does not answer; it is tried again at {_clock(gate.try_at)}."
    closed = gate.closed_at(now) if gate else None
    if closed is not None:
        return f"Ampersand asked to wait until {_clock(closed)}."
    put_off = _put_off(write, now)
    return f"Its next request goes at {_clock(put_off)}." if put_off else ""


def _put_off(write: Write, now: datetime) -> datetime | None:
    """Return when the next request of a run is tried once more, None if it may go."""
    batch = Batch.objects.filter(write=write, calls_due_at__gt=now).order_by().first()
    if batch is None:
        return None
    planned = Call.objects.filter(batch=batch, state=Call.State.PLANNED)
    following = planned.order_by("number").only("attempts", "due_at").first()
    return following.due_at if following and following.attempts else None


def _others(write: Write) -> str:
    """Say how many other writes share the pace of the project."""
    project = write.project
    waiting = Operation.objects.filter(
        project=project, state__in=(State.WAITING, State.SENDING)
    )
    going = Batch.objects.filter(calls_due_at__isnull=False, operation__project=project)
    mine = Batch.objects.filter(write=write).values("operation")
    others = going.exclude(write=write).order_by()
    ids = {
        *waiting.exclude(pk__in=mine).values_list("batch__write", flat=True)[
            :MOST_COUNTED
        ],
        *others.values_list("write", flat=True)[:MOST_COUNTED],
    }
    if not ids:
        return ""
    count = f"{MOST_COUNTED}+" if len(ids) >= MOST_COUNTED else f"{len(ids)}"
    noun = "write" if len(ids) == 1 else "writes"
    return f"It takes turns with {count} other {noun} to {project.name}."


def _clock(moment: datetime | None) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S") if moment else "once"
