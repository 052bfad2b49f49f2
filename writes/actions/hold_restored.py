"""Holding what waits in a database that may be a restored back-up.

It may not know what was sent after the back-up was made, and would send it once more.
So a person has to look, and resumes or cancels each write.
"""

from datetime import datetime

from django.utils import timezone

from console.actor import Actor
from console.health import pulse
from operations.models import Operation
from writes.actions.pause import NothingToPause, pause
from writes.models import Write

CONSOLE = Actor(name="the console")


def hold_restored(now: datetime) -> int:
    """Pause every write of which something has not left, if the database went back.

    Returns how many. After this the database counts as in use.
    """
    old = pulse.went_back(now)
    held = 0
    if old is not None:
        unsent = Write.objects.filter(
            paused_at=None, batches__operation__state__in=Operation.UNSENT
        )
        held = sum(_hold(write, old.at) for write in unsent.distinct())
    pulse.beat(now)
    return held


def _hold(write: Write, last_used: datetime) -> bool:
    moment = timezone.localtime(last_used)
    reason = (
        "Nothing of it has left as far as this database knows. It was last in use on "
        f"{moment:%-d %b %Y at %H:%M:%S}, so it may be a restored back-up, and this "
        "may have been sent since. Look in Ampersand and in the customer's SaaS, then "
        "resume it or cancel it."
    )
    try:
        pause(write, CONSOLE, reason=reason)
    except NothingToPause:
        return False
    return True
