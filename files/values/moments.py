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
    "compact",
    "serial",
]

_ANY = re.compile(
    r"(?:(?P<year>[0-9]{4})(?P<dash>[-/.])(?P<month>[0-9]{1,2})(?P=dash)(?P<day>[0-9]{1,2})"
    r"|(?P<a>[0-9]{1,2})(?P<mark>[-/.])(?P<b>[0-9]{1,2})(?P=mark)(?P<last>[0-9]{4}|[0-9]{2})"
    r"|(?P<compact>(?:1[7-9]|[23][0-9]|40)[0-9]{6}))"
    r"(?:(?P<between>[Tt]| +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?P<second>:[0-9]{2}(?:\.[0-9]+)?)?(?P<half> ?[AaPp][Mm])?)?"
    r"(?P<zone> ?(?:[Zz]|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?"
)
_SERIAL = re.compile(r"([1-9][0-9]{4})(\.[0-9]{1,15})?")
_OFFSET = re.compile(r"Z|[+-][0-9]{2}:?[0-9]{2}")


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A date that a text shows, maybe with a time.

    `day` is None where the calendar has no such day. `other` is the European reading of
    an ambiguous date. `clock` is the time as Salesforce writes it, "" where there is
    none, None where there is no such time; `zone` as it stands in the text.
    `between` and `mark` are what stands before the time and between day and month.
    """

    form: Form
    day: date | None
    other: date | None = None
    clock: str | None = ""
    between: str = ""
    zone: str = ""
    mark: str = ""

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
        return None
    form, day, other = _day(match)
    return Moment(
        form=form,
        day=day,
        other=other,
        clock=_clock(match),
        between=match["between"] or "",
        zone=(match["zone"] or "").strip(),
        mark=match["mark"] or "",
    )


def can_convert(moment: Moment, *, into_date: bool) -> bool:
    """Whether the console converts this form: see `files.mending.conversions`."""
    clock, is_iso = moment.clock or "", moment.form == "iso"
    has_offset = is_iso and moment.between == " " and _OFFSET.fullmatch(moment.zone)
    if moment.zone and not has_offset:
        return False
    if moment.between not in (("", " ", "T") if is_iso else ("", " ")):
        return False
    if len(clock) > len("10:00:00.000") or (into_date and clock.strip("0:.")):
        return False
    match moment.form:
        case "iso":
            return moment.has_time
        case "us" | "either" | "ambiguous":
            return moment.mark == "/"
        case "european":
            return moment.mark in ("/", ".")
        case "compact":
            return not moment.has_time
        case "serial":
            return True
    return False


def _day(match: re.Match[str]) -> tuple[Form, date | None, date | None]:
    if match["compact"]:
        whole = match["compact"]
        return "compact", calendar(f"{whole[:4]}-{whole[4:6]}-{whole[6:]}"), None
    if match["year"]:
        is_padded = len(match["month"] + match["day"]) == 4
        plain = match["dash"] == "-" and is_padded and not match["half"]
        form: Form = "iso" if plain else "year-first"
        return form, _from_parts(match["year"], match["month"], match["day"]), None
    if len(match["last"]) == 2:
        return "short-year", None, None
    american = _from_parts(match["last"], match["a"], match["b"])
    european = _from_parts(match["last"], match["b"], match["a"])
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
