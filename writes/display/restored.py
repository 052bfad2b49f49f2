"""What is held since the database was found to be doubtful, for Home."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from console.access.roles import Person
from console.environments import Environment
from console.models import Pulse
from operations.models import Operation

State = Operation.State


@dataclass(frozen=True)
class HeldThere:
    """How many operations are held in one environment."""

    environment: Environment
    count: int


@dataclass(frozen=True)
class Restored:
    """Why and since when what waited is held, and where it is."""

    doubt: str
    at: datetime
    held: list[HeldThere]


def restored_for(user: Person) -> Restored | None:
    """Return what a reader may see of what is held; None where nothing is."""
    pulse = Pulse.objects.exclude(doubted_at=None).first()
    if pulse is None or pulse.doubted_at is None:
        return None
    why = Q(may_have_left=True) | Q(batch__write__pause_reason__startswith=pulse.doubt)
    held = Operation.objects.visible_to(user).filter(
        why,
        state__in=(State.HELD, State.IN_PROGRESS),
        batch__write__paused_at__isnull=False,
    )
    counted = held.order_by().values_list("environment").annotate(Count("pk"))
    found = dict(counted)
    there = [HeldThere(e, found[e.value]) for e in Environment if e.value in found]
    return Restored(pulse.doubt, pulse.doubted_at, there) if there else None
