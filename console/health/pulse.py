"""Whether this database is the newest of its kind, or a back-up that was restored.

The clock counts up a row at each tick, and notes the number beside the files. A
database that was last in use long ago, whose number is lower than the noted one, or
that is another one than the row names, may not know what was sent since. Until the
clock has held what waits in it, nothing leaves.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from console.health import identity
from console.models import Pulse
from console.private_files import write_anew
from console.runtime import db_clock

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Doubt:
    """Why this database may not know what was sent; `text` is a whole sentence.

    It went back for certain (`is_certain`), or it may have. What waits may have left
    before (`may_have_left`) unless the doubt is about the files alone.
    """

    text: str
    is_certain: bool = False
    may_have_left: bool = True


class _Seen:
    """The highest number that this process saw: no restored file takes it back."""

    number = 0


def doubt(now: datetime) -> Doubt | None:
    """Return why nothing may leave now, the surest reason first; None if it may.

    A database that was never counted is new, unless something is noted beside it.
    """
    # The note first: a clock may count up in between, and a note is never ahead.
    written = noted()
    least = max(written, _Seen.number)
    pulse = Pulse.objects.first()
    if pulse is None:
        return Doubt(_older("has no count yet"), is_certain=True) if least else None
    if pulse.number < least:
        if written < least:
            # The files went back, too: tell the clock, which may have begun since.
            _note(least)
        return Doubt(_older("counts less"), is_certain=True)
    _Seen.number = pulse.number
    return _of_identity(pulse) or _of_time(pulse, now) or _of_files(pulse, written)


def _older(what: str) -> str:
    return (
        f"The database {what} than is noted in DATA_DIR, so it is a back-up that lacks "
        "what was sent since."
    )


def _of_identity(pulse: Pulse) -> Doubt | None:
    others = identity.differences(pulse.identity, identity.identity())
    if not others:
        return None
    when = in_words(pulse.at)
    if others == {identity.TIMELINE}:
        return Doubt(
            f"Another server of PostgreSQL took over after {when}, or one went back to "
            "an earlier time, so what was sent last may be missing here."
        )
    return Doubt(
        f"The database is a copy of the one that was in use until {when}, so it may "
        "lack what was sent since.",
        is_certain=True,
    )


def _of_time(pulse: Pulse, now: datetime) -> Doubt | None:
    # The clock may have ticked since `now`, but not so long after the present time.
    if pulse.at - now > Pulse.GAP and pulse.at - db_clock.now() > Pulse.GAP:
        return Doubt(
            f"The database was last in use on {in_words(pulse.at)}, which is still to "
            "come: the clock was set back, so how old the database is cannot be told, "
            "and it may be a back-up that lacks what was sent since."
        )
    if now - pulse.at <= Pulse.GAP:
        return None
    return Doubt(
        f"The database was last in use on {in_words(pulse.at)}, so it may be a back-up "
        "that lacks what was sent since."
    )


def _of_files(pulse: Pulse, written: int) -> Doubt | None:
    if written + Pulse.SLACK >= pulse.noted:
        return None
    return Doubt(
        "DATA_DIR is older than the database, or is not the directory of the other "
        "processes, so files may be missing.",
        may_have_left=False,
    )


def in_words(moment: datetime) -> str:
    """Return a moment to the second, in the console's time zone."""
    return f"{timezone.localtime(moment):%-d %b %Y at %H:%M:%S}"


def is_trusted(now: datetime) -> bool:
    """Whether something may leave: the clock has seen this very database just now."""
    return doubt(now) is None


def beat(now: datetime, *, over: Doubt | None = None) -> None:
    """Count up, and note the number where no restored database can take it back.

    Call it outside a transaction: what is noted must be committed. The database counts,
    so that of several clocks none sets it back. `over` is the doubt for which what
    waits was held just now.
    """
    written = noted()
    number = Greatest(F("number"), Value(max(written, _Seen.number))) + 1
    values = {"at": now, "noted": written, "identity": identity.identity()}
    if over:
        values |= {"doubted_at": now, "doubt": over.text}
    if not Pulse.objects.update(number=number, **values):
        first = {"number": written + 1, **values}
        Pulse.objects.get_or_create(pk=1, defaults=first)
    _Seen.number = Pulse.objects.get().number
    _note(_Seen.number)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "pulse"


def noted() -> int:
    """Return the number that stands in this machine's DATA_DIR, 0 where none does."""
    try:
        return int(_path().read_text())
    except (OSError, ValueError):
        # Never noted, or by a process that was cut off: then the time alone tells.
        return 0


def _note(number: int) -> None:
    try:
        write_anew(_path(), str(number))
    except OSError as error:
        log.warning("The pulse was not noted: %s", error)
