"""Whether this database is the newest of its kind, or a back-up that was restored.

The clock counts up a row at each tick, and notes the number beside the files. A
database that was last in use long ago, or whose number is lower than the noted one, may
not know what was sent since. Until the clock has held what waits in it, nothing leaves.
"""

import logging
import os
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Greatest

from console.models import Pulse

log = logging.getLogger(__name__)


def is_trusted(now: datetime) -> bool:
    """Whether something may leave: the clock has seen this very database just now.

    A database that was never counted is new, unless something is noted beside it.
    """
    # The note first: a clock may count up in between, and a note is never ahead.
    noted = _noted()
    pulse = Pulse.objects.first()
    if pulse is None:
        return not noted
    return pulse.number >= noted and now - pulse.at <= Pulse.GAP


def last_used() -> datetime | None:
    """Return when the clock last saw this database, if it ever did."""
    return Pulse.objects.values_list("at", flat=True).first()


def beat(now: datetime) -> None:
    """Count up, and note the number where no restored database can take it back.

    Call it outside a transaction: what is noted must be committed. The database counts,
    so that of several clocks none sets it back.
    """
    noted = _noted()
    number = Greatest(F("number"), Value(noted)) + 1
    if not Pulse.objects.update(number=number, at=now):
        first = {"number": noted + 1, "at": now}
        Pulse.objects.get_or_create(pk=1, defaults=first)
    _note(Pulse.objects.get().number)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "pulse"


def _noted() -> int:
    try:
        return int(_path().read_text())
    except (OSError, ValueError):
        # Never noted, or by a process that was cut off: then the time alone tells.
        return 0


def _note(number: int) -> None:
    new = _path().with_suffix(".new")
    try:
        new.write_text(str(number))
        os.replace(new, _path())
    except OSError as error:
        log.warning("The pulse was not noted: %s", error)
