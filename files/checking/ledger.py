"""The ledger of a check: where it stands, what it counts, what it tells."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple

from files.checking.columns import Column
from files.checking.keys import Keys
from files.findings import PREVIEW_ROWS, ROW, Report
from files.values.problems import Problem

Progress = Callable[[int, int], None]

# Findings of one row are told in this order, then cell by cell.
ABOUT_ROW = -1


class Mark(NamedTuple):
    """A problem and where it stands; `place` is the column's, or `ABOUT_ROW`."""

    row: int
    place: int
    line: int
    problem: Problem
    value: str | None = None


class Start(NamedTuple):
    """Where the rows of a table begin: offset in bytes, row and line."""

    offset: int
    row: int
    line: int


class Lines:
    """The line that each row begins on: remembers only the rows of several lines."""

    def __init__(self, row: int, line: int) -> None:
        self._shift = line - row
        self._rows = array("q")
        self._breaks = array("q")

    def add(self, rows: Sequence[int], breaks: Sequence[int]) -> None:
        """Remember rows and how many line breaks each holds within, in row order."""
        before = self._breaks[-1] if self._breaks else 0
        for row, count in zip(rows, breaks, strict=True):
            before += count
            self._rows.append(row)
            self._breaks.append(before)

    def of(self, row: int) -> int:
        """Return the first line of a row."""
        index = bisect_left(self._rows, row)
        return row + self._shift + (self._breaks[index - 1] if index else 0)


class Ledger:
    """Where checking a table stands, on either path, and what it came to so far.

    `offset`, `row` and `line` are where the next record begins. `is_readable` turns
    false where nobody can tell where records begin; nothing below is checked then.
    """

    def __init__(
        self,
        columns: list[Column],
        report: Report,
        keys: Keys,
        start: Start,
        progress: Progress | None = None,
    ) -> None:
        self.columns = columns
        self.width = len(columns)
        self.key = next((column for column in columns if column.is_key), None)
        self.report = report
        self.keys = keys
        self.offset, self.row, self.line = start
        self.lines = Lines(self.row, self.line)
        self.is_readable = True
        # Set once every row was looked at, and only keys are left to be told.
        self.has_ended = False
        self._progress = progress

    def tell(self, marks: list[Mark]) -> None:
        """Add what was found in some rows to the report, row by row."""
        marks.sort(key=attrgetter("row", "place"))
        for row, place, line, problem, value in marks:
            if problem.rule in self.report.told:
                continue
            name = None if place == ABOUT_ROW else self.columns[place].name
            self.report.add(
                problem.level,
                problem.rule,
                problem.message,
                row=row,
                line=line,
                column=name,
                value=value,
            )
        is_under_way = self.is_readable and not self.has_ended
        if is_under_way and marks and self.report.is_hopeless:
            self._stop(marks[-1].row)

    def _stop(self, row: int) -> None:
        """Look no further than `row`: nothing more is to be learned from the file."""
        self.is_readable = False
        message = (
            f"The file has so many errors that it was checked only up to row {ROW}. "
            "Check that it is the right file, with the right separator and key. If it "
            "is, fix whole columns first: the file is then checked again."
        )
        self.report.add("blocks", "stopped", message, row=row)

    def passed(self, count: int) -> None:
        """Count rows that were looked at."""
        self.report.rows += count

    def show(self, rows: Sequence[Sequence[str]]) -> None:
        """Keep the first rows for the preview."""
        lacking = PREVIEW_ROWS - len(self.report.preview)
        if lacking > 0:
            for row in rows[:lacking]:
                self.report.show(row)

    def at(self, offset: int) -> None:
        """Tell how far the work has come."""
        if self._progress:
            self._progress(offset, self.report.rows)
