"""What the dates of a column prove of how they are written.

A day above 12 tells whether the day or the month comes first, if no other cell says
the opposite. A year of two digits proves nothing: its century would be a guess.
"""

import re

from files.mending.column_recipes import DateFormat
from files.values import moments

_NUMBERS = re.compile(
    r"(?P<first>[0-9]{1,2})[-/.](?P<second>[0-9]{1,2})[-/.](?P<year>[0-9]{4}|[0-9]{2})"
    r"(?![0-9])"
)
_YEAR_THEN_DAY = re.compile(r"[0-9]{4}[-/.](?:1[3-9]|2[0-9]|3[01])[-/.]")
_FULL_YEAR = re.compile("[0-9]{4}")
_MOST_MONTHS, _MOST_DAYS = 12, 31


class DateEvidence:
    """How the dates of a column are written, cell after cell."""

    def __init__(self) -> None:
        self._proves_day_first = self._proves_month_first = False
        self._speaks_for_day_first = self._speaks_for_month_first = False
        self._has_day_second = self._has_short_named = False

    def add(self, text: str) -> None:
        """Take one cell's text into account."""
        numbers = _NUMBERS.match(text)
        if numbers:
            self._add_numbers(
                int(numbers["first"]), int(numbers["second"]), len(numbers["year"]) == 4
            )
        elif _YEAR_THEN_DAY.match(text):
            self._has_day_second = True
        elif text[:1].isalpha() or not _FULL_YEAR.search(text):
            moment = moments.read(text)
            is_named = moment is not None and moment.form == "month-name"
            self._has_short_named |= is_named and not _FULL_YEAR.search(text)

    def _add_numbers(self, first: int, second: int, has_full_year: bool) -> None:
        if _MOST_MONTHS < first <= _MOST_DAYS and second <= _MOST_MONTHS:
            self._speaks_for_day_first = True
            self._proves_day_first |= has_full_year
        if _MOST_MONTHS < second <= _MOST_DAYS and first <= _MOST_MONTHS:
            self._speaks_for_month_first = True
            self._proves_month_first |= has_full_year

    def proven(self) -> set[DateFormat]:
        """Return the formats in which a cell that fits can mean one day only."""
        formats: set[DateFormat] = {"compact"}
        if self._proves_day_first and not self._speaks_for_month_first:
            formats.add("european")
        if self._proves_month_first and not self._speaks_for_day_first:
            formats.add("us")
        if not self._has_day_second:
            formats.add("iso-space")
        if not self._has_short_named:
            formats.add("month-name")
        return formats
