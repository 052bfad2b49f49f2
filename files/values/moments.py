"""Dates in any form that people's programs write, recognised for what they are."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

# Excel counts days from here (its 1900 leap year that never was is skipped over).
EXCEL_EPOCH = date(1899, 12, 30)
# A time as Salesforce writes it, without fraction and zone.
CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"

Form = Literal[
    "iso",
    "year-first",
    "us",
    "european",
    "ambiguous",
    "either",
    "short-year",
    "month-name",
    "compact",
    "serial",
]

# Browsers and newer systems put a narrow space before AM, and some a comma before it.
_SPACE = "[ \u00a0\u202f]"
_ZONE = r"(?:[Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)"
_TAIL = (
    rf"(?:(?P<between>[Tt]|,?{_SPACE}+)(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})"
    rf"(?P<second>:[0-9]{{2}}(?:\.[0-9]+)?)?(?P<half>{_SPACE}?[AaPp]\.?[Mm]\.?)?)?"
    rf"(?P<zone> ?{_ZONE})?"
)
_ANY = re.compile(
    r"(?:(?P<year>[0-9]{4})(?P<dash>[-/.])(?P<month>[0-9]{1,2})(?P=dash)(?P<day>[0-9]{1,2})"
    r"|(?P<a>[0-9]{1,2})(?P<mark>[-/.])(?P<b>[0-9]{1,2})(?P=mark)(?P<last>[0-9]{4}|[0-9]{2})"
    r"|(?P<compact>(?:1[7-9]|[23][0-9]|40)[0-9]{6}))" + _TAIL
)
_NAMED = re.compile(
    r"(?:(?P<weekday>[A-Za-z]{3,9})\.?,? +)?"
    r"(?:(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|\.)?[- /]? ?"
    r"(?P<name>[^\W\d_]{3,9})\.?[- /,]? ?(?P<year>[0-9]{4}|[0-9]{2})"
    r"|(?P<name_first>[^\W\d_]{3,9})\.?[- /](?P<day_then>[0-9]{1,2})"
    r"(?:st|nd|rd|th)?[- /,] ?(?P<year_last>[0-9]{4}|[0-9]{2})"
    r"|(?P<year_first>[0-9]{4})[- /]?(?P<name_then>[^\W\d_]{3,9})[- /]?"
    r"(?P<day_last>[0-9]{1,2}))" + _TAIL,
    re.IGNORECASE,
)
# In English, German and French, in full or as they are shortened.
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jänner janvier janv",
            "feb february februar février fevrier févr fevr",
            "mar march märz maerz mär mrz mars",
            "apr april avril avr",
            "may mai",
            "jun june juni juin",
            "jul july juli juillet juil",
            "aug august août aout",
            "sep sept september septembre",
            "oct october okt oktober octobre",
            "nov november novembre",
            "dec december dez dezember décembre decembre déc",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_SERIAL = re.compile(r"([1-9][0-9]{4})(\.[0-9]{1,15})?")
_LONGEST_NAMED = 80
# Of years in two digits, this and all after it are of the last century, as in Excel.
FIRST_OF_LAST_CENTURY = 30


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A date that a text shows, maybe with a time.

    `day` is None where the calendar has no such day. `other` is the European reading of
    an ambiguous date, or of one with a year in two digits, whose `day` is the American
    one. `clock` is the time as Salesforce writes it, "" where there is
    none, None where there is no such time; `zone` as it stands in the text.
    `between` is what stands before the time.
    """

    form: Form
    day: date | None
    other: date | None = None
    clock: str | None = ""
    between: str = ""
    zone: str = ""

    @property
    def has_time(self) -> bool:
        """Whether there is a time, real or not."""
        return self.clock != ""


def read(text: str) -> Moment | None:
    """Return the date, or the date and time, that a text is, in any known form."""
    serial = _SERIAL.fullmatch(text)
    if serial:
        return _from_serial(serial)
    match = _ANY.fullmatch(text)
    if match is None:
        return _read_named(text)
    form, day, other = _day(match)
    return Moment(
        form=form,
        day=day,
        other=other,
        clock=_clock(match),
        between=match["between"] or "",
        zone=(match["zone"] or "").strip(),
    )


def can_convert(moment: Moment, *, into_date: bool) -> bool:
    """Whether the console converts it: anything that loses no time of day.

    See `files.mending.conversions`, which reads cells by this module too.
    """
    return not (into_date and (moment.clock or "").strip("0:."))


def _read_named(text: str) -> Moment | None:
    """Return the date that a text with the month in letters is."""
    match = _NAMED.fullmatch(text) if len(text) <= _LONGEST_NAMED else None
    if match is None:
        return None
    name = match["name"] or match["name_first"] or match["name_then"]
    month = _MONTHS.get(name.lower())
    weekday = (match["weekday"] or "").lower()
    if month is None or (weekday and not _is_weekday(weekday)):
        return None
    year = _full_year(match["year"] or match["year_last"] or match["year_first"])
    day = match["day"] or match["day_then"] or match["day_last"]
    found = _from_parts(year, str(month), day)
    if found and weekday and not _WEEKDAYS[found.weekday()].startswith(weekday):
        found = None
    return Moment(
        form="month-name",
        day=found,
        clock=_clock(match),
        between=match["between"] or "",
        zone=(match["zone"] or "").strip(),
    )


def _is_weekday(text: str) -> bool:
    return any(name.startswith(text) for name in _WEEKDAYS)


def _full_year(text: str) -> str:
    """Return a year in four digits, 29 of two being 2029 and 30 being 1930."""
    if len(text) == 4:
        return text
    return f"20{text}" if int(text) < FIRST_OF_LAST_CENTURY else f"19{text}"


def _day(match: re.Match[str]) -> tuple[Form, date | None, date | None]:
    if match["compact"]:
        whole = match["compact"]
        return "compact", calendar(f"{whole[:4]}-{whole[4:6]}-{whole[6:]}"), None
    if match["year"]:
        is_padded = len(match["month"] + match["day"]) == 4
        plain = match["dash"] == "-" and is_padded and not match["half"]
        form: Form = "iso" if plain else "year-first"
        return form, _from_parts(match["year"], match["month"], match["day"]), None
    year = _full_year(match["last"])
    american = _from_parts(year, match["a"], match["b"])
    european = _from_parts(year, match["b"], match["a"])
    if len(match["last"]) == 2:
        return "short-year", american, european
    if match["mark"] == ".":
        return ("european", european, None) if european else ("us", american, None)
    if american and european and american != european:
        return "ambiguous", american, european
    if american and european:
        return "either", american, None
    return ("us", american, None) if american else ("european", european, None)


def _clock(match: re.Match[str]) -> str | None:
    if match["hour"] is None:
        return ""
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if "p" in match["half"].lower() else 0)
    clock = f"{hour:02}:{match['minute']}{match['second'] or ':00'}"
    return clock if re.fullmatch(rf"{CLOCK}(?:\.[0-9]+)?", clock) else None


def _from_serial(match: re.Match[str]) -> Moment:
    day = EXCEL_EPOCH + timedelta(days=int(match[1]))
    if not match[2]:
        return Moment(form="serial", day=day)
    # Excel itself shows no more than the second that is nearest.
    seconds = min(round(float(match[2]) * 86_400), 86_399)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return Moment(form="serial", day=day, clock=clock)


def _from_parts(year: str, month: str, day: str) -> date | None:
    return calendar(f"{year}-{month:0>2}-{day:0>2}")


def calendar(text: str) -> date | None:
    """Return the day that a text like 2024-12-31 is, None where there is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
