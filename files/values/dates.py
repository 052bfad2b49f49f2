"""Dates and times: what Salesforce accepts, and what the other forms are.

Salesforce's forms are those of the Bulk API 2.0 guide, "Valid Date Format in Records":
a date is 2024-12-31, a date and time 2024-12-31T10:00:00Z or with +01:00 for Z.
"""

import re
from datetime import UTC, date, datetime

from files.findings import Level
from files.shown import shown
from files.values.moments import CLOCK, Moment, calendar, can_convert, read

FIRST_YEAR, LAST_YEAR = 1700, 4000

Fault = tuple[Level, str]

_ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{CLOCK}(\.[0-9]+)?{_ZONE}")
_TIME = re.compile(rf"{CLOCK}(?:\.[0-9]{{1,3}})?(Z?)")
_NAMES = {
    "us": "in US order (month/day/year)",
    "european": "in European order (day/month/year)",
    "either": "in US or European order",
    "month-name": "with the month in letters",
    "year-first": "with the year first, but not in Salesforce's format",
    "compact": "without hyphens",
    "serial": "as Excel counts days",
}


def date_fault(text: str) -> Fault | None:
    """Return what is wrong with a text in a date column, or None."""
    if _DATE.fullmatch(text) and _is_in_range(calendar(text)):
        return None
    moment = read(text)
    if moment is None:
        return "blocks", (
            f"{shown(text)} is not a date. Write it as year-month-day, like 2024-12-31."
        )
    fault = _day_fault(text, moment, can_convert(moment, into_date=True))
    if fault or moment.day is None:
        return fault
    if moment.form != "iso":
        wanted, can = moment.day.isoformat(), can_convert(moment, into_date=True)
        return "blocks", _other_form(text, moment, wanted, can)
    if moment.clock is None:
        return "blocks", _no_such_time(text)
    if moment.has_time and moment.between not in ("T", "t"):
        can = can_convert(moment, into_date=True)
        return "blocks", (
            f"{shown(text)} is a date with a time; Salesforce accepts {moment.day}."
            f" {_remedy(can)}"
        )
    extra = "time" if moment.has_time else "zone"
    return "warns", (
        f"{shown(text)} is a date with a {extra} in a date field: the time zone may "
        f"shift the day. Write {moment.day}."
        f"{f' {_remedy(can=True)}' if can_convert(moment, into_date=True) else ''}"
    )


def date_time_fault(text: str) -> Fault | None:
    """Return what is wrong with a text in a date and time column, or None."""
    match = _DATE_TIME.fullmatch(text)
    if match and calendar(text[:10]):
        if not _is_in_range(_utc_day(text)):
            return "blocks", _no_such_year(text)
        return _fraction_fault(text, match[1] or "")
    moment = read(text)
    if moment is None:
        return "blocks", (
            f"{shown(text)} is not a date and time. Write it like 2024-12-31T10:00:00Z."
        )
    fault = _day_fault(text, moment, can_convert(moment, into_date=False))
    if fault or moment.day is None:
        return fault
    if moment.clock is None:
        return "blocks", _no_such_time(text)
    target = f"{moment.day}T{moment.clock or '00:00:00'}{_zone(moment.zone)}"
    if moment.form != "iso":
        wanted = target if moment.zone else f"{target} and a zone (Z or +01:00)"
        can = can_convert(moment, into_date=False)
        return "blocks", _other_form(text, moment, wanted, can)
    if not moment.has_time:
        return "warns", (
            f"{shown(text)} is a date without a time; Salesforce documents only a full"
            f" date and time. Write it like {moment.day}T00:00:00Z. {_remedy(can=True)}"
        )
    return _iso_time_fault(text, moment, target)


def time_fault(text: str) -> Fault | None:
    """Return what is wrong with a text in a time column, or None."""
    match = _TIME.fullmatch(text)
    if match and match[1]:
        return None
    if match:
        return "warns", (
            f"{shown(text)} is a time without a time zone; Salesforce documents only "
            "UTC with a Z. Write it like 10:00:00.000Z."
        )
    return "blocks", (
        f"{shown(text)} is not a time that Salesforce accepts. Write hours, minutes and"
        " seconds in UTC, like 10:00:00.000Z."
    )


def _iso_time_fault(text: str, moment: Moment, target: str) -> Fault | None:
    if moment.between not in ("T", "t"):
        return "blocks", (
            f"{shown(text)} has a space between date and time; Salesforce accepts a T,"
            f" like {target if moment.zone else target + 'Z'}."
            f" {_remedy(can_convert(moment, into_date=False))}"
        )
    if not moment.zone and _DATE_TIME.fullmatch(text + "Z"):
        can = can_convert(moment, into_date=False)
        return "warns", (
            f"{shown(text)} has no time zone, so its moment is not defined."
            f" {_remedy(can, ' and choose the time zone')}"
        )
    if text != text.upper() and _DATE_TIME.fullmatch(text.upper()):
        return "warns", (
            f"{shown(text)} has a lower-case t or z; Salesforce documents only "
            f"capitals. Write {target}. {_remedy(can=True)}"
        )
    if not _DATE_TIME.fullmatch(target if moment.zone else target + "Z"):
        return "blocks", f"{shown(text)} has a time zone beyond 14 hours. Correct it."
    return "blocks", (
        f"{shown(text)} is not a full date and time. Salesforce accepts hours, minutes,"
        f" seconds and a zone, like {target if moment.zone else target + 'Z'}."
        f" {_remedy(can=True)}"
    )


def _fraction_fault(text: str, fraction: str) -> Fault | None:
    if len(fraction) <= len(".000"):
        return None
    return "warns", (
        f"{shown(text)} has more than three digits after the seconds; Salesforce"
        f" documents milliseconds only. {_remedy(can=True)}"
    )


def _day_fault(text: str, moment: Moment, can: bool) -> Fault | None:
    """Return why no form of this date could be taken, or None."""
    if moment.form == "short-year":
        if moment.day is None and moment.other is None:
            return "blocks", _no_such_day(text)
        return "blocks", (
            f"{shown(text)} has a two-digit year, so the century is a guess."
            f" {_remedy(can, ' and choose the order and the century')}"
        )
    if moment.day is None:
        return "blocks", _no_such_day(text)
    if not _is_in_range(moment.day):
        return "blocks", _no_such_year(text)
    return None


def _other_form(text: str, moment: Moment, wanted: str, can: bool) -> str:
    what = "a date and time" if moment.has_time else "a date"
    if moment.form == "ambiguous" and moment.day and moment.other:
        return (
            f"{shown(text)} is {moment.day} in US order (month/day/year) and"
            f" {moment.other} in European order (day/month/year)."
            f" {_remedy(can, ' and choose the order')}"
        )
    return (
        f"{shown(text)} is {what} {_NAMES[moment.form]}; Salesforce accepts {wanted}."
        f" {_remedy(can)}"
    )


def _remedy(can: bool, more: str = "") -> str:
    return f"Convert it under Columns{more}." if can else "Correct it in the file."


def _no_such_day(text: str) -> str:
    return f"{shown(text)} is not a day in the calendar. Correct it."


def _no_such_year(text: str) -> str:
    return (
        f"{shown(text)} is outside the years {FIRST_YEAR} to {LAST_YEAR} that "
        "Salesforce accepts. Correct the year."
    )


def _no_such_time(text: str) -> str:
    return f"{shown(text)} has an impossible time. Correct it."


def _zone(zone: str) -> str:
    if zone.upper() in ("Z", "UTC", "GMT"):
        return "Z"
    if ":" in zone or not zone:
        return zone
    return f"{zone[:3]}:{zone[3:] or '00'}"


def _utc_day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).date()
    except (ValueError, OverflowError):
        return None


def _is_in_range(day: date | None) -> bool:
    return day is not None and FIRST_YEAR <= day.year <= LAST_YEAR
