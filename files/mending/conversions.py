"""Dates in the formats that people's programs write, turned into Salesforce's.

Salesforce takes 2024-12-31 and 2024-12-31T10:00:00[.000] with Z or +01:00 behind
(Bulk API 2.0 guide, "Valid Date Format in Records"). Nothing is guessed: a cell fits
the named format exactly, or it stays as it is and the reason is told.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from files.mending.column_recipes import FORMATS, DateConversion, DateFormat
from files.shown import shown
from files.values import moments
from files.values.moments import Form, Moment

Outcome = Literal[
    "converted",
    "right",  # in Salesforce's form already
    "misfit",  # does not fit the format
    "time",  # a date was wanted, and a time of day would be lost
    "no-zone",
    "skipped-hour",  # the clocks went forward over it
    "repeated-hour",  # the clocks went back over it
]
Converter = Callable[[str], tuple[str, Outcome]]

_REMEMBERED = 16_384
_ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SERIAL = re.compile(r"(?P<days>[1-9][0-9]{0,6})(?:\.(?P<part>[0-9]{1,15}))?")
# What `moments.read` may find in a cell of each format.
_FORMS: dict[DateFormat, tuple[Form, ...]] = {
    "iso-space": ("iso", "year-first"),
    "us": ("us", "either", "ambiguous"),
    "european": ("european", "either", "ambiguous"),
    "us-short": ("short-year",),
    "european-short": ("short-year",),
    "month-name": ("month-name",),
    "iso-no-zone": ("iso", "year-first"),
    "compact": ("compact",),
}
_RIGHT_DATE = re.compile(_ISO, re.ASCII)
_RIGHT_MOMENT = re.compile(
    rf"{_ISO}T\d\d:\d\d:\d\d(?:\.\d{{1,3}})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)
_DAY_IN_MS = 24 * 60 * 60 * 1000


def converter(conversion: DateConversion) -> Converter:
    """Return the function that converts a cell.

    It is given a cell that is not blank and returns the text to send and what became of
    it; unless that is "converted", the text is the cell as it was. A date without a
    time becomes midnight where a date-time is wanted. Excel's days are counted as it
    does since 1900, with its leap day of 1900 that never was; a file from an old Excel
    for Mac, which counts from 1904, cannot be told apart.
    """
    read = _reader(conversion.format)
    wants_date = conversion.into == "date"
    zone = ZoneInfo(conversion.zone) if conversion.zone else None

    @lru_cache(_REMEMBERED)
    def convert(text: str) -> tuple[str, Outcome]:
        if _is_right(text, wants_date):
            return text, "right"
        try:
            moment = read(text)
            if moment is None:
                return text, "misfit"
            if wants_date:
                return _as_date(text, moment)
            return _as_moment(text, moment, zone)
        except (ValueError, OverflowError):  # no such day, hour or year
            return text, "misfit"

    return convert


def why_it_stays(conversion: DateConversion, text: str, outcome: Outcome) -> str:
    """Return why a cell was not converted, and what to do about it."""
    match outcome:
        case "skipped-hour":
            return (
                f"{shown(text)} does not exist in {conversion.zone}: the clocks went "
                "forward. Correct the time."
            )
        case "repeated-hour":
            both = " or ".join(_both_moments(conversion, text))
            return (
                f"{shown(text)} exists twice in {conversion.zone}, since the clocks "
                f"went back. Write the right one: {both}."
            )
        case "time":
            return (
                f"{shown(text)} has a time of day, which a date would lose. Remove it "
                "from the cell, or map the column to a date and time field."
            )
        case "no-zone":
            return (
                f"{shown(text)} has no time zone, and none was chosen. Choose one "
                "under Columns."
            )
    return (
        f"{shown(text)} does not match the format chosen for its column: "
        f"{FORMATS[conversion.format]}. Correct the cell, or choose another format "
        "under Columns."
    )


def _both_moments(conversion: DateConversion, text: str) -> list[str]:
    """Return the two moments that a time was, as clocks went back over it."""
    moment = _reader(conversion.format)(text)
    if moment is None:
        return []
    zone = ZoneInfo(conversion.zone)
    return [_written(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1)]


def _is_right(text: str, wants_date: bool) -> bool:
    pattern = _RIGHT_DATE if wants_date else _RIGHT_MOMENT
    if not pattern.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _reader(form: DateFormat) -> Callable[[str], datetime | None]:
    """Return what reads a cell of a format: None where it has another one."""
    if form == "excel-serial":
        return _serial
    forms = _FORMS[form]
    day_first = form in ("european", "european-short")

    def read(text: str) -> datetime | None:
        moment = moments.read(text)
        if moment is None or moment.form not in forms or moment.clock is None:
            return None
        has_two = moment.form in ("ambiguous", "short-year")
        day = moment.other if day_first and has_two else moment.day
        return None if day is None else _at(day, moment)

    return read


def _at(day: date, moment: Moment) -> datetime:
    """Return the moment, with a zone only where the cell holds one."""
    clock, _, fraction = (moment.clock or "00:00:00").partition(".")
    # Salesforce keeps milliseconds; other systems write up to nine digits.
    milliseconds = int(fraction[:3].ljust(3, "0"))
    at = time.fromisoformat(clock).replace(microsecond=milliseconds * 1000)
    return datetime.combine(day, at, _offset(moment.zone))


def _offset(text: str) -> timezone | None:
    if not text:
        return None
    if text.upper() in ("Z", "UTC", "GMT"):
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 14 or minutes > 59:
        raise ValueError("no such offset")
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if text[0] == "-" else distance)


def _serial(text: str) -> datetime | None:
    match = _SERIAL.fullmatch(text)
    return _from_serial(int(match["days"]), match["part"] or "0") if match else None


def _from_serial(days: int, part: str) -> datetime:
    if days == 60:
        raise ValueError("29 February 1900 never was")
    epoch = datetime(1899, 12, 31) if days < 60 else datetime(1899, 12, 30)  # noqa: DTZ001
    # Excel keeps 15 digits of a day's fraction: exact to the millisecond, not below.
    milliseconds = round(Decimal(f"0.{part}") * _DAY_IN_MS)
    return epoch + timedelta(days=days, milliseconds=milliseconds)


def _as_date(text: str, moment: datetime) -> tuple[str, Outcome]:
    if moment.time() != datetime.min.time():
        return text, "time"
    return date.isoformat(moment.date()), "converted"


def _as_moment(
    text: str, moment: datetime, zone: ZoneInfo | None
) -> tuple[str, Outcome]:
    if moment.tzinfo is None:
        if zone is None:
            return text, "no-zone"
        moment = moment.replace(tzinfo=zone)
        back = moment.astimezone(UTC).astimezone(zone)
        if back.replace(tzinfo=None) != moment.replace(tzinfo=None):
            return text, "skipped-hour"
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            return text, "repeated-hour"
    return _written(moment), "converted"


def _written(moment: datetime) -> str:
    """Return a moment as Salesforce takes it."""
    offset = moment.utcoffset() or timedelta()
    if offset.seconds % 60:  # local mean time of long ago: Salesforce wants minutes
        moment = moment.astimezone(UTC)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
