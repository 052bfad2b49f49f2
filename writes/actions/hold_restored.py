"""Holding what waits in a database that may be a restored back-up.

It may not know what was sent after the back-up was made, and would send it once more.
So a person has to look, and resumes or cancels each write.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from console.health import pulse
from operations.models import Operation
from writes.actions.pause import NothingToPause, pause
from writes.models import Call, Write
from writes.worker.hold import CONSOLE


def hold_restored(now: datetime) -> int:
    """Pause every write of which something has not left, if the database went back.

    Returns how many. After this the database counts as in use.
    """
    held = 0
    if not pulse.is_trusted(now):
        reason = _reason(pulse.last_used())
        unsent = Write.objects.filter(
            Q(batches__operation__state__in=Operation.UNSENT)
            | Q(batches__calls__state=Call.State.PLANNED),
            paused_at=None,
        )
        held = sum(_hold(write, reason) for write in unsent.distinct())
    pulse.beat(now)
    return held


def _reason(last_used: datetime | None) -> str:
    when = "before an upgrade"
    if last_used:
        when = f"on {timezone.localtime(last_used):%-d %b %Y at %H:%M:%S}"
    return (
        f"The database was last in use {when}, so it may be a backup that lacks what "
        "was sent since. Check Ampersand and the customer's system, then resume or "
        "cancel this write."
    )


def _hold(write: Write, reason: str) -> bool:
    try:
        with transaction.atomic():
            pause(write, CONSOLE, reason=reason)
            held = Operation.objects.filter(batch__write=write)
            held.filter(state=Operation.State.HELD).update(may_have_left=True)
    except NothingToPause:
        return False
    return True
