"""What an operator wants changed in one column of a file, as plain data."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from files.shown import shown
from files.values.moments import FIRST_OF_LAST_CENTURY
from files.values.number_marks import MARKS, Mark

DateFormat = Literal[
    "iso-space",
    "us",
    "european",
    "us-short",
    "european-short",
    "month-name",
    "iso-no-zone",
    "excel-serial",
    "compact",
]
_CENTURY = f"{FIRST_OF_LAST_CENTURY} to 99 are 19{FIRST_OF_LAST_CENTURY} to 1999"
FORMATS: dict[DateFormat, str] = {
    "iso-space": "2024-12-31 10:00 or 2024/12/31, year first",
    "us": "12/31/2024 or 12-31-2024, month first",
    "european": "31.12.2024 or 31/12/2024, day first",
    "us-short": f"12/31/24, month first ({_CENTURY})",
    "european-short": f"31.12.24, day first ({_CENTURY})",
    "month-name": f"31-Dec-24 or December 31, 2024 ({_CENTURY})",
    "iso-no-zone": "2024-12-31T10:00:00, without a time zone",
    "excel-serial": "45657.5, Excel's count of days",
    "compact": "20241231",
}
# What is sent in place of a word for no value, as NULL; "" leaves the word.
Placeholders = Literal["", "blank", "null"]
# How numbers are written that are turned into Salesforce's; "" leaves them.
Numbers = Literal["", "point", "comma"]
NUMBERS: dict[Mark, str] = {
    "point": "1,234.5, a point before decimals",
    "comma": "1.234,5, a comma before decimals",
}
_POSITION = re.compile(r"#\d+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class InvalidRecipe(ValueError):
    """A recipe that cannot be followed; its text tells the operator why."""


def column_names(header: Sequence[str]) -> list[str]:
    """Return the name by which each column is spoken of: everybody uses this one.

    That is the header's text where it tells one column from all others. A column whose
    name is blank, stands twice in the header, looks like a position itself or holds
    bytes that are no UTF-8 is spoken of by its position: "#3" is the third.
    """
    times = Counter(header)
    return [
        name if times[name] == 1 and _is_telling(name) else f"#{number}"
        for number, name in enumerate(header, start=1)
    ]


def _is_telling(name: str) -> bool:
    is_position = _POSITION.fullmatch(name) is not None
    return bool(name.strip()) and not is_position and not _SURROGATE.search(name)


@dataclass(frozen=True)
class DateConversion:
    """Turn the dates of a column from one named format into Salesforce's.

    `zone` is an IANA name, as "Europe/Berlin": the zone of date-times that name none.
    Only "iso-space" may do without, since its cells may carry an offset. Raises
    InvalidRecipe.
    """

    into: Literal["date", "datetime"]
    format: DateFormat
    zone: str = ""

    def __post_init__(self) -> None:
        if self.into not in ("date", "datetime"):
            raise InvalidRecipe(f"{shown(self.into)} is neither “date” nor “datetime”.")
        if self.format not in get_args(DateFormat):
            raise InvalidRecipe(f"{shown(self.format)} is not a known date format.")
        if self.zone:
            _check_zone(self.zone)
        elif self.into == "datetime" and self.format != "iso-space":
            raise InvalidRecipe("Choose the time zone of the dates and times.")

    def describe(self, column: str) -> str:
        """Return the conversion as a sentence."""
        written = f"Dates of {shown(column)} written as {FORMATS[self.format]}"
        if self.into == "date":
            return f"{written} are sent as 2024-12-31."
        meant = f" in the time zone {self.zone}" if self.zone else ""
        return f"{written}{meant} are sent as 2024-12-31T10:00:00+01:00."


@dataclass(frozen=True)
class ColumnRecipe:
    """What happens to one column. `name` is what it is sent as, "" leaves it out.

    In this order: `trim` takes white space off both ends of its cells, and characters
    out that nobody sees, `placeholders` puts nothing or #N/A for words as NULL and for
    errors of a spreadsheet, `repair` takes off the signs that make Excel take a value
    for text and puts misread characters right, `blank_to_null` puts #N/A, which clears
    a field, where a cell is blank, `null_to_blank` the other way round, `dates`,
    `numbers` and `booleans` convert, and `replaced` puts other texts for some, each
    pair being what a cell would go out as and what goes out. Raises InvalidRecipe.
    """

    name: str
    trim: bool = False
    blank_to_null: bool = False
    dates: DateConversion | None = None
    placeholders: Placeholders = ""
    repair: bool = False
    null_to_blank: bool = False
    numbers: Numbers = ""
    booleans: bool = False
    replaced: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        check_text(self.name, "A column name")
        if self.numbers and self.numbers not in MARKS:
            raise InvalidRecipe("Numbers have a point or a comma before decimals.")
        for _, text in self.replaced:
            check_text(text, "A value")
        if self.placeholders not in get_args(Placeholders):
            raise InvalidRecipe("Placeholders are sent blank or as #N/A.")

    @property
    def changes_cells(self) -> bool:
        """Whether it does more than rename or leave out."""
        cleans = self.trim or self.repair or bool(self.placeholders)
        clears = self.blank_to_null or self.null_to_blank
        converts = self.dates is not None or bool(self.numbers) or self.booleans
        return bool(self.name) and (cleans or clears or converts or bool(self.replaced))

    def describe(self, column: str) -> list[str]:
        """Return what happens to this column as sentences."""
        if not self.name:
            return [f"Column {shown(column)} is excluded."]
        lines = []
        if self.name != column:
            lines.append(f"Column {shown(column)} is sent as {shown(self.name)}.")
        if self.trim:
            lines.append(
                "Leading and trailing spaces and invisible characters are removed "
                f"from cells of {shown(column)}."
            )
        if self.placeholders:
            become = (
                "#N/A, which clears the field"
                if self.placeholders == "null"
                else "blank"
            )
            lines.append(
                f"Placeholders and Excel errors in {shown(column)} become {become}."
            )
        if self.repair:
            lines.append(
                f"Excel formulas in {shown(column)} are unwrapped, and garbled "
                "characters are repaired."
            )
        if self.blank_to_null:
            lines.append(
                f"Blank cells of {shown(column)} become #N/A, which clears the field."
            )
        if self.null_to_blank:
            lines.append(
                f"#N/A in {shown(column)} is sent blank: the field stays unchanged."
            )
        if self.dates is not None:
            lines.append(self.dates.describe(column))
        if self.numbers:
            lines.append(
                f"Numbers of {shown(column)} written as {NUMBERS[self.numbers]}, are "
                "sent as 1234.5."
            )
        if self.booleans:
            lines.append(f"Yes and no in {shown(column)} are sent as true and false.")
        for was, text in self.replaced:
            lines.append(f"{shown(was)} in {shown(column)} becomes {shown(text)}.")
        return lines


def _check_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"{shown(zone)} is not a time zone; write it like “Europe/Berlin”."
        raise InvalidRecipe(message) from error


def check_text(text: str, what: str) -> None:
    """Raise InvalidRecipe for a text that could not be sent as a cell."""
    if "\r" in text:
        raise InvalidRecipe(
            f"{what} contains a carriage return; only line feeds can be sent."
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRecipe(f"{what} holds half a character.") from error
