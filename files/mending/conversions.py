"""Dates in the formats that people's programs write, turned into Salesforce's.

Salesforce takes 2024-12-31 and 2024-12-31T10:00:00[.000] with Z or +01:00 behind
(Bulk API 2.0 guide, "Valid Date Format in Records"). Nothing is guessed: a cell fits
the named format exactly, or it stays as it is and the reason is told.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from files.mending.column_recipes import DateConversion, DateFormat

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
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,3}))?)?"
)
_OFFSET = r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)"
_ISO = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
_MAYBE_TIME = rf"(?: {_TIME}(?: ?(?P<half>[AaPp][Mm]))?)?"
_PATTERNS: dict[DateFormat, str] = {
    "iso-space": rf"{_ISO} {_TIME}(?: ?{_OFFSET})?",
    "iso-no-zone": rf"{_ISO}T{_TIME}",
    "us": rf"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{{4}}){_MAYBE_TIME}",
    "european": r"(?P<day>\d\d?)(?P<mark>[./])(?P<month>\d\d?)(?P=mark)"
    rf"(?P<year>\d{{4}}){_MAYBE_TIME}",
    "compact": r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
    "excel-serial": r"(?P<days>[1-9]\d{0,6})(?:\.(?P<part>\d{1,15}))?",
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
    pattern = re.compile(_PATTERNS[conversion.format], re.ASCII)
    wants_date = conversion.into == "date"
    zone = ZoneInfo(conversion.zone) if conversion.zone else None

    @lru_cache(_REMEMBERED)
    def convert(text: str) -> tuple[str, Outcome]:
        if _is_right(text, wants_date):
            return text, "right"
        match = pattern.fullmatch(text)
        if match is None:
            return text, "misfit"
        try:
            moment = _moment(match)
            if wants_date:
                return _as_date(text, moment)
            return _as_moment(text, moment, zone)
        except (ValueError, OverflowError):  # no such day, hour or year
            return text, "misfit"

    return convert


def _is_right(text: str, wants_date: bool) -> bool:
    pattern = _RIGHT_DATE if wants_date else _RIGHT_MOMENT
    if not pattern.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _moment(match: re.Match[str]) -> datetime:
    """Return what the cell says, with a zone only where the cell holds an offset."""
    parts = match.groupdict()
    if "days" in parts:
        return _from_serial(int(parts["days"]), parts["part"] or "0")
    day = datetime(int(parts["year"]), int(parts["month"]), int(parts["day"]))  # noqa: DTZ001
    if parts.get("hour") is None:
        return day
    return day.replace(
        hour=_hour(int(parts["hour"]), parts.get("half")),
        minute=int(parts["minute"]),
        second=int(parts["second"] or 0),
        microsecond=int((parts["fraction"] or "0").ljust(6, "0")),
        tzinfo=_offset(parts.get("offset")),
    )


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no such hour")
    return hour % 12 + (12 if half.lower() == "pm" else 0)


def _offset(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if hours > 14 or minutes > 59:
        raise ValueError("no such offset")
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if text[0] == "-" else distance)


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
    offset = moment.utcoffset() or timedelta()
    if offset.seconds % 60:  # local mean time of long ago: Salesforce wants minutes
        moment = moment.astimezone(UTC)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z"), "converted"
