"""Excel workbooks: their sheets, and one sheet as CSV."""

import csv
import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from files.changes import Change, counted, goes
from files.findings import Finding, IsThere, Level, always
from files.reading.above import left_above, no_header
from files.reading.archives import DAMAGED, LONGEST_PIECE, SAVE_AS, Unreadable
from files.reading.cells import DIGITS, clock, duration, number
from files.reading.elements import too_long
from files.reading.sheets import (
    KEPT,
    KEPT_ERRORS,
    Extent,
    Sheet,
    column_letters,
    extent,
    range_of,
    sheets,
)
from files.reading.slices import LARGE, sliced, slices_of

__all__ = ["Sheet", "Unreadable", "Written", "sheets", "write_csv"]

Progress = Callable[[int, int], None]
Value = int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta

_ROWS_BETWEEN = 10_000
_TIMES = {"h", "s"}
_CHANGES = {
    "number": "in plain digits, without the format of the cell",
    "percentage": "as 50 for 50%, as Excel shows them",
    "number|shown": "as Excel shows them, with zeros and signs, as 01234",
    "text|shown": "as Excel shows them, with what their format puts beside them",
    "date|shown": "without a time, as Excel shows them",
    "date": "as 2024-12-31",
    "date-time": "as 2024-12-31T10:00:00, without a time zone",
    "date|midnight": "with the time 00:00:00: others in the column have a time",
    "time": "as 10:00:00",
    "duration": "as hours:minutes:seconds",
    "boolean": "as true or false",
    "CR": "as LF",
}


@dataclass
class Written:
    """What became of a sheet.

    The first 1,000 findings of each rule are kept, `totals` counts them all by rule.
    """

    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    totals: Counter[str] = field(default_factory=Counter)

    def add_old_results(self, count: int) -> None:
        """Tell that the saved results of so many formulas may be old ones."""
        message = (
            f"{counted(count, 'formula')} of the sheet may have old results: the "
            "workbook was not calculated when it was saved, and the results saved in "
            "it are sent. Open it in Excel, save it, and upload it again."
        )
        finding = Finding(level="warns", rule="old-results", message=message)
        self.totals[finding.rule] += 1
        self.findings.append(finding)


def write_csv(
    path: Path,
    sheet: str,
    target: Path,
    *,
    begin: int = 1,
    progress: Progress | None = None,
    is_there: IsThere = always,
) -> Written:
    """Write a sheet as CSV: UTF-8, LF, commas; a row of Excel is a row of the file.

    The file begins with the row `begin`.

    Formulas give the value that Excel last saw. Blank rows and columns after the last
    value are left out, those before and between stay. A cell with an error keeps its
    text, "#REF!", and blocks. Raises Unreadable where the sheet is not there, damaged
    or too large.
    """
    chosen = next((found for found in sheets(path) if found.name == sheet), None)
    if chosen is None:
        raise Unreadable(f"The workbook has no sheet “{sheet}”. Choose another one.")
    values = extent(path, chosen, progress=progress)
    with _rows_of(path, chosen, values, slices_of(target)) as rows:
        written = _Writing(sheet, rows, values, begin, is_there).write(target, progress)
    if chosen.is_to_calculate and values.formulas > values.unsaved_total:
        written.add_old_results(values.formulas - values.unsaved_total)
    return written


@contextmanager
def _rows_of(
    path: Path, sheet: Sheet, extent: Extent, slices: Path
) -> Iterator["_Rows"]:
    """Open the cells of a sheet: as it is, or in slices where it is large."""
    cut: AbstractContextManager[tuple[Path, list[str]]]
    if extent.bottom * extent.right > LARGE:
        cut = sliced(
            path, sheet.part, extent.slices, slices, since_1904=sheet.since_1904
        )
    else:
        cut = nullcontext((path, [sheet.name]))
    with cut as (source, names):
        with _unless_unreadable(sheet.name):
            workbook = CalamineWorkbook.from_path(source)
        with workbook:
            yield _Rows(workbook, sheet.name, names)


class _Rows:
    """The rows of a sheet from the first one on, as often as they are asked for."""

    def __init__(self, workbook: CalamineWorkbook, sheet: str, names: list[str]):
        self._workbook = workbook
        self._sheet = sheet
        self._names = names
        self._last: tuple[str, CalamineSheet] | None = None

    def __iter__(self) -> Iterator[list[Value]]:
        row = 0
        for name in self._names:
            with _unless_unreadable(self._sheet):
                cells = self._cells(name)
            if cells.start is None:
                continue
            top, left = cells.start
            if top < row:
                raise Unreadable(DAMAGED)
            for _ in range(row, top):
                yield []
            # The reader of cells leaves blank columns before them out.
            skipped: list[Value] = [""] * left
            with _unless_unreadable(self._sheet):
                for values in cells.to_python():
                    yield [*skipped, *values] if left else values
            row = top + cells.height

    def _cells(self, name: str) -> CalamineSheet:
        """Return a slice; of a sheet with only one it is kept for the next time."""
        if self._last is None or self._last[0] != name:
            self._last = None
            self._last = name, self._workbook.get_sheet_by_name(name)
        return self._last[1]


@contextmanager
def _unless_unreadable(sheet: str) -> Iterator[None]:
    """Raise Unreadable for whatever stops the reader of cells.

    It is written in Rust: what it did not foresee comes as a PanicException, which is
    no Exception and cannot be imported.
    """
    try:
        yield
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"
        if not is_panic and not isinstance(error, (CalamineError, OverflowError)):
            raise
        raise Unreadable(
            f"The sheet “{sheet}” is damaged, or holds a date that is out of all "
            f"bounds, and cannot be read. {SAVE_AS}"
        ) from error


class _Writing:
    """One sheet on its way to a CSV file."""

    def __init__(
        self,
        name: str,
        rows: Iterable[list[Value]],
        extent: Extent,
        begin: int,
        is_there: IsThere,
    ) -> None:
        self._sheet_name = name
        self._all_rows = rows
        self._extent = extent
        self._formats = extent.formats
        self._begin = begin
        self._is_there = is_there
        self._header: list[str] = []
        self._timed: set[int] = set()
        self._height = self._width = 0
        self._told: Counter[str] = Counter()
        self._written = Written()

    def write(self, target: Path, progress: Progress | None) -> Written:
        self._measure()
        if self._begin > max(self._height, 1):
            raise Unreadable(no_header(self._begin))
        with target.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for row, values in enumerate(self._rows(), start=1):
                if row < self._begin:
                    continue
                cells = self._cells(row, values)
                if max(map(len, cells), default=0) > LONGEST_PIECE:
                    # Its XML was in pieces, each of them short.
                    raise too_long()
                writer.writerow(cells)
                if progress is not None and row % _ROWS_BETWEEN == 0:
                    progress(file.tell(), row)
        not_kept = self._extent.errors_total - len(self._extent.errors)
        if not_kept:
            self._tell_not_kept("cell-error", "with an error", not_kept)
        not_kept = self._extent.unsaved_total - len(self._extent.unsaved)
        if not_kept:
            self._tell_not_kept("no-value", "without a saved value", not_kept)
        self._tell_layout()
        self._written.changes = self._changes()
        return self._written

    def _measure(self) -> None:
        """Find the last row and column with a value, and the columns with a time."""
        self._height = self._extent.errors_bottom
        self._width = self._extent.errors_right
        for row, values in enumerate(self._all_rows, start=1):
            if row < self._begin:
                continue
            used = len(values)
            while used and values[used - 1] == "":
                used -= 1
            if not used:
                continue
            self._height = max(self._height, row)
            self._width = max(self._width, used)
            for column, value in enumerate(values, start=1):
                if type(value) is dt.datetime and self._has_time(row, column):
                    self._timed.add(column)

    def _has_time(self, row: int, column: int) -> bool:
        """Whether the time of a cell is shown, as far as its format is known."""
        form = self._formats.of(row, column)
        return form is None or not form.letters or bool(_TIMES & set(form.letters))

    def _rows(self) -> Iterator[list[Value]]:
        row = 0
        for row, values in enumerate(self._all_rows, start=1):
            if row > self._height:
                return
            cells = values[: self._width]
            yield cells + [""] * (self._width - len(cells))
        for _ in range(row, self._height):
            yield [""] * self._width

    def _cells(self, row: int, values: list[Value]) -> list[str]:
        is_plain = not self._formats.has_texts
        cells = [
            value
            if type(value) is str and "\r" not in value and value and is_plain
            else self._text(row, column, value)
            for column, value in enumerate(values, start=1)
        ]
        if row == self._begin:
            self._header = cells
        return cells

    def _text(self, row: int, column: int, value: Value) -> str:
        if value == "":
            if (row, column) in self._extent.unsaved:
                self._tell_unsaved(row, column)
            error = self._extent.errors.get((row, column), "")
            return self._error(row, column, error) if error else ""
        if isinstance(value, bool):
            self._told["boolean"] += 1
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return self._number(row, column, value)
        if isinstance(value, str):
            self._told["CR"] += value.count("\r")
            form = self._formats.of(row, column)
            if form is not None and form.text(value) != value:
                self._told["text|shown"] += 1
                value = form.text(value)
            return value.replace("\r\n", "\n").replace("\r", "\n")
        return self._date(row, column, value)

    def _date(
        self, row: int, column: int, value: dt.date | dt.time | dt.timedelta
    ) -> str:
        if isinstance(value, dt.timedelta):
            self._told["duration"] += 1
            return duration(value)
        if error := self._extent.errors.get((row, column)):
            return self._error(row, column, error)
        if isinstance(value, dt.time):
            self._told["time"] += 1
            text = clock(value)
            form = self._formats.of(row, column)
            if form is not None and not self._has_time(row, column):
                # Of a zero Excel shows the day 1900-01-00.
                self._tell_otherwise(row, column, text, form.code, None)
            return text
        text = self._day(row, column, value)
        self._tell_part(row, column, text)
        return text

    def _day(self, row: int, column: int, value: dt.date) -> str:
        if isinstance(value, dt.datetime) and not self._has_time(row, column):
            value = value.date()
            self._told["date|shown"] += 1
        if isinstance(value, dt.datetime):
            self._told["date-time"] += 1
            return f"{value.date().isoformat()}T{clock(value.time())}"
        if column in self._timed:
            self._told["date|midnight"] += 1
            return f"{value.isoformat()}T00:00:00"
        self._told["date"] += 1
        return value.isoformat()

    def _number(self, row: int, column: int, value: float) -> str:
        if not math.isfinite(value):
            return self._error(row, column, str(value))
        text = self._shown(row, column, value)
        if abs(value) >= 10**DIGITS:
            self._tell(
                "warns",
                "long-number",
                f"Cell {column_letters(column)}{row} holds the number {text[:40]}: "
                "Excel keeps 15 digits and has put zeros for the others. If it is an "
                "id, format the column as text and enter it again.",
                row,
                column,
                text,
            )
        return text

    def _shown(self, row: int, column: int, value: float) -> str:
        """Return what goes out for a number, and tell what is shown otherwise."""
        form = self._formats.of(row, column)
        if form is None:
            self._told["number"] += 1
            return number(value)
        text, shown = form.write(value)
        if shown != "":
            self._tell_otherwise(row, column, text, form.code, shown)
        if not form.rewrites or text == number(value):
            self._told["number"] += 1
        elif form.is_percent(value):
            self._told["percentage"] += 1
        else:
            self._told["number|shown"] += 1
        return text

    def _tell_part(self, row: int, column: int, text: str) -> None:
        """Tell a date of which Excel shows no more than a part."""
        form = self._formats.of(row, column)
        if form is None or not form.letters or {"d", "y"} <= set(form.letters):
            return
        self._tell_otherwise(row, column, text, form.code, None)

    def _tell_otherwise(
        self, row: int, column: int, text: str, code: str, shown: str | None
    ) -> None:
        cell = f"{column_letters(column)}{row}"
        how = f"by the format “{code[:60]}”" if shown is None else f"as “{shown[:60]}”"
        self._tell(
            "warns",
            "shown-otherwise",
            f"Cell {cell} is shown {how} in Excel, but {text[:60]} is its value and is "
            "sent. If you want the other one, enter it in Excel.",
            row,
            column,
            text,
        )

    def _tell_unsaved(self, row: int, column: int) -> None:
        self._tell(
            "blocks",
            "no-value",
            f"Cell {column_letters(column)}{row} has a formula whose result is not "
            "saved in the file. Open the workbook in Excel, save it, and upload it "
            "again.",
            row,
            column,
            "",
        )

    def _tell_layout(self) -> None:
        """Tell what is merged or hidden."""
        for reference in self._extent.merged:
            self._tell_merged(reference)
        if self._written.totals["merged-cells"]:
            not_kept = self._extent.merged_total - len(self._extent.merged)
            self._written.totals["merged-cells"] += not_kept
        rows = [r for r in self._extent.hidden_rows if self._begin < r <= self._height]
        for row in rows:
            self._tell(
                "warns",
                "hidden-rows",
                f"Row {row:,} of the sheet is hidden in Excel, by hand or by a filter; "
                "it is sent like the others.",
                row,
                None,
                None,
            )
        for column in self._extent.hidden_columns:
            if column > self._width:
                break
            self._tell(
                "notes",
                "hidden-columns",
                f"Column {column_letters(column)} of the sheet is hidden in Excel; "
                "it is sent like the others.",
                self._begin,
                column,
                None,
            )

    def _tell_merged(self, reference: str) -> None:
        place = range_of(reference)
        if place is None:
            return
        top, left, bottom, _ = place
        if bottom < self._begin or top > self._height or left > self._width:
            return
        self._tell(
            "warns",
            "merged-cells",
            f"Cells {reference} are merged in Excel: only the first has a value, the "
            "others are sent blank. Unmerge them and fill in each cell.",
            max(top, self._begin),
            left,
            None,
        )

    def _error(self, row: int, column: int, error: str) -> str:
        self._tell(
            "blocks",
            "cell-error",
            f"Cell {column_letters(column)}{row} contains the error “{error}”. Fix the "
            "formula in Excel, or clear the cell.",
            row,
            column,
            error,
        )
        return error

    def _tell(
        self,
        level: Level,
        rule: str,
        message: str,
        row: int,
        column: int | None,
        value: str | None,
    ) -> None:
        """Add a finding, unless it was mended; `row` is the sheet's."""
        finding = Finding(
            level=level,
            rule=rule,
            message=message,
            row=row - self._begin + 1,
            column=None if column is None else self._name(column),
            value=value,
        )
        if not self._is_there(finding):
            return
        self._written.totals[rule] += 1
        if self._written.totals[rule] <= KEPT:
            self._written.findings.append(finding)

    def _tell_not_kept(self, rule: str, which: str, count: int) -> None:
        message = (
            f"{counted(count, 'more cell')} of the sheet {which}, beyond the first "
            f"{KEPT_ERRORS:,}, would be sent blank. Fix the formulas in Excel and "
            "upload the workbook again."
        )
        finding = Finding(level="blocks", rule=rule, message=message)
        self._written.totals[rule] += count
        self._written.findings.append(finding)

    def _name(self, column: int) -> str:
        """Return the column's name in the header, "#3" where that names none."""
        name = self._header[column - 1] if self._header else ""
        is_clear = name.strip() and self._header.count(name) == 1
        return name if is_clear else f"#{column}"

    def _changes(self) -> list[Change]:
        height = max(self._height - self._begin + 1, 0)
        rows = f"{counted(height, 'row')} of the sheet “{self._sheet_name}”"
        changes = [Change(f"{rows} {goes(height)} as CSV.", height)]
        if self._begin > 1:
            changes.append(left_above(self._begin))
        for noun, how in _CHANGES.items():
            count = self._told[noun]
            what = f"{counted(count, noun.partition('|')[0])} {goes(count)} {how}."
            if count:
                changes.append(Change(what, count))
        return changes
