"""The grid: rows of a draft or of a result, with their cells and what is known of them.

A draft's cells are shown as they would go out. What is wrong with a cell, and what the
remote said of it, stands at the cell that it names, else at the row.
"""

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, Self, cast

from files import unseen
from files.checking.check import check_record
from files.checking.purposes import Purpose
from files.checking.records import readable
from files.field import Field
from files.findings import Finding, Level
from files.grid.parent_rows import read_parent_rows
from files.grid.row_index import RowIndex, read_rows
from files.mending.cell_mending import CellMending
from files.mending.recipes import column_names
from files.raw_records import read_header, read_record, read_records
from files.rows.row_store import RowOutcome, RowStore
from operations.outcome.row_failures import RowError, parse_error
from writes.models import FileJob, Write

# So many columns stand on a page, about so many cells, and so much of a long one.
COLUMNS, CELLS, LONGEST = 20, 600, 60
MOST_ROWS, FEWEST_ROWS = 50, 10


@dataclass(frozen=True)
class GridColumn:
    """A column as it is sent. `read_name` is the file's, "" for one that was added."""

    place: int
    name: str
    read_name: str = ""
    is_key: bool = False


@dataclass
class GridCell:
    """A cell: its text, what fits of it, and what is wrong with it.

    `notes` are messages of the check, `told` those of the remote, at the last try.
    """

    column: GridColumn
    text: str
    is_edited: bool = False
    is_open: bool = False
    level: str = ""
    notes: list[str] = field(default_factory=list)
    told: list[RowError] = field(default_factory=list)

    @cached_property
    def shown(self) -> str:
        """What fits of the text on one line, with what nobody would see."""
        text = self.text[: LONGEST + 1]
        marked = unseen.marked(text.replace("\n", "⏎"))
        is_longer = len(self.text) > LONGEST or len(marked) > 2 * LONGEST
        return f"{marked[:LONGEST]}…" if is_longer else marked

    @property
    def is_cut(self) -> bool:
        """Whether there is more to its text than is shown."""
        return self.shown != self.text

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to say of it."""
        return not (self.notes or self.told or self.is_edited or self.is_cut)


@dataclass
class GridRow:
    """A row by its number in the file, with what is said of it as a whole."""

    number: int
    cells: list[GridCell]
    state: str = ""
    is_excluded: bool = False
    is_open: bool = False
    level: str = ""
    notes: list[str] = field(default_factory=list)
    told: list[RowError] = field(default_factory=list)
    record: str = ""

    def cell(self, place: int) -> GridCell | None:
        """Return its cell in a column, None where there is none."""
        return next((cell for cell in self.cells if cell.column.place == place), None)

    def note(self, finding: Finding) -> None:
        """Put what a check found at the cell that it names, or at the row."""
        names = (cell for cell in self.cells if cell.column.name == finding.column)
        place: GridCell | GridRow = next(names, self)
        if finding.message not in place.notes:
            place.notes.append(finding.message)
        if place.level != "blocks":
            place.level = finding.level

    def tell(self, outcome: RowOutcome) -> None:
        """Put what the remote said of it at the cells that it names, or at the row."""
        for text in filter(None, (outcome.error, *outcome.other_errors)):
            error = parse_error(text)
            named = {name.casefold() for name in error.fields}
            cells = [c for c in self.cells if c.column.name.casefold() in named]
            for cell in cells:
                cell.told.append(error)
            if not cells:
                self.told.append(error)


@dataclass(frozen=True)
class GridPage:
    """Some rows in order, and whether there are others before and after them."""

    rows: list[GridRow]
    has_older: bool = False
    has_newer: bool = False


def reading_of(write: Write) -> str:
    """Return how its file is read: read otherwise, rows may have other numbers."""
    return json.dumps(write.reading, sort_keys=True)


def rows_for(columns: int) -> int:
    """Return how many rows stand on a page that shows so many columns."""
    return max(FEWEST_ROWS, min(MOST_ROWS, CELLS // max(columns, 1)))


def window(columns: Sequence[GridColumn], first: int) -> list[GridColumn]:
    """Return the columns that a page shows from `first` on, and the key before them."""
    chosen = list(columns[first : first + COLUMNS])
    keys = [column for column in columns if column.is_key and column not in chosen]
    return [*keys, *chosen]


class DraftRows:
    """The rows of a draft as they would go out; a context manager.

    Raises `FileNotFoundError` where its file is gone, `InvalidRecipe` where its recipe
    does not fit the file.
    """

    def __init__(
        self, write: Write, index: Path, fields: Callable[[Write], Sequence[Field]]
    ) -> None:
        self.write, self.recipe, self._fields_of = write, write.recipe, fields
        # Open from here on: a check that ends meanwhile takes their names away.
        with ExitStack() as files:
            self.index = files.enter_context(RowIndex(index))
            self._as_read = files.enter_context(write.path_of("as_read").open("rb"))
            found = write.path_of("findings").open("rb")
            self._found = files.enter_context(found)
            self._begin()
            self._files = files.pop_all()

    def _begin(self) -> None:
        header = next(read_rows(self._as_read, self.index, [1]), (1, [], b""))
        self._header = header[1]
        self._mending = CellMending(self._header, self.recipe)
        self.header = self._mending.header(header[2])
        self.columns = self._columns()
        skipped, only = self.recipe.skip_first, self.recipe.only_first
        self.first = 2 + skipped
        self.last = min(self.index.rows, self.index.rows if only is None else 1 + only)
        self._left_out = self.recipe.ranges()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    @property
    def _key(self) -> str:
        return self.write.check_report.get("key") or self.write.primary_key

    @property
    def is_current(self) -> bool:
        """Whether rows have the numbers that the recipe means."""
        is_same = self.index.reading == reading_of(self.write)
        return is_same and bool(self.write.recipe_json)

    def _columns(self) -> list[GridColumn]:
        names = column_names(self._header)
        kept = [n for n in names if n not in self.recipe.columns]
        kept += [n for n, column in self.recipe.columns.items() if column.name]
        read = [name for name in names if name in set(kept)]
        sent = [readable(name) for name in cells_in(self.header)]
        key = self._key
        return [
            GridColumn(
                place=place,
                # As the check calls it.
                name=name or f"#{place + 1}",
                read_name=read[place] if place < len(read) else "",
                is_key=name.casefold() == key.casefold() and bool(key),
            )
            for place, name in enumerate(sent)
        ]

    def page(
        self, show: str, columns: Sequence[GridColumn], *, after: int, before: int
    ) -> GridPage:
        """Return the rows next to a place: all, "errors", "warnings" or "edited"."""
        limit = rows_for(len(columns))
        numbers = self._numbers(show, after, before, limit)
        if not numbers:
            return GridPage([], has_older=bool(after), has_newer=bool(before))
        return GridPage(
            self.rows(numbers, columns),
            has_older=bool(self._numbers(show, 0, numbers[0], 1)),
            has_newer=bool(self._numbers(show, numbers[-1], 0, 1)),
        )

    def _numbers(self, show: str, after: int, before: int, limit: int) -> list[int]:
        if show in ("errors", "warnings"):
            level: Level = "blocks" if show == "errors" else "warns"
            return self.index.marked(level, after=after, before=before, limit=limit)
        rows: Sequence[int] = range(self.first, self.last + 1)
        if show == "edited":
            rows = sorted({row for row, _ in self.recipe.cells if row in rows})
        if before:
            return list(_part(rows, 0, before)[-limit:])
        return list(_part(rows, after + 1, self.last + 1)[:limit])

    def rows(
        self, numbers: Sequence[int], columns: Sequence[GridColumn]
    ) -> list[GridRow]:
        """Return these rows of the file, with their cells in `columns`."""
        numbers = [n for n in numbers if self.first <= n <= self.last]
        read = list(read_rows(self._as_read, self.index, numbers))
        sent = {row: self._mending.record(row, cells, raw) for row, cells, raw in read}
        rows = {
            row: self._row(row, len(cells), cells_in(sent[row]), columns)
            for row, cells, _ in read
        }
        for finding in self._findings(rows, sent):
            rows[finding.row or 0].note(finding)
        for number, outcome in told_before(self.write, numbers).items():
            rows[number].tell(outcome)
        return list(rows.values())

    def unedited(self, number: int) -> list[str]:
        """Return the cells of a row as they would go out without any edit."""
        mending = CellMending(self._header, replace(self.recipe, cells={}))
        [(row, cells, raw)] = read_rows(self._as_read, self.index, [number])
        return [readable(cell) for cell in cells_in(mending.record(row, cells, raw))]

    def _row(
        self, number: int, width: int, cells: list[str], columns: Sequence[GridColumn]
    ) -> GridRow:
        place = bisect_right(self._left_out, (number, self.last))
        is_excluded = place > 0 and number <= self._left_out[place - 1][1]
        # A record with another number of cells is sent as it is.
        is_open = not is_excluded and width == len(self._header)
        edited = self.recipe.cells
        return GridRow(
            number=number,
            is_excluded=is_excluded,
            is_open=is_open and self.write.is_draft,
            cells=[
                GridCell(
                    column=column,
                    text=_at(cells, column.place),
                    is_edited=(number, column.read_name) in edited,
                    is_open=is_open and bool(column.read_name),
                )
                for column in columns
            ],
        )

    def _findings(
        self, rows: dict[int, GridRow], sent: dict[int, bytes]
    ) -> Iterator[Finding]:
        """Yield what is wrong with these rows.

        Of a cell that was edited since the last check, what a rule tells from its row.
        """
        changed = set() if self.is_checked else set(self.recipe.cells)
        names = {column.read_name: column.name for column in self.columns}
        anew = {(row, names.get(name)) for row, name in changed if row in rows}
        for finding in self._checked(rows):
            if (finding.row, finding.column) not in anew:
                yield finding
        for row in sorted({row for row, _ in anew}):
            for finding in self.check(row, sent[row]):
                if (row, finding.column) in anew:
                    yield finding

    def _checked(self, rows: dict[int, GridRow]) -> Iterator[Finding]:
        """Yield what the last check found in these rows, as its file has it."""
        for row, start in self.index.findings(rows):
            self._found.seek(start)
            cells, _ = next(read_records(self._found))
            level, rule, _, _, column, value, message = cells
            yield Finding(
                cast(Level, level), rule, message, row, None, column or None, value
            )

    @cached_property
    def is_checked(self) -> bool:
        """Whether the last check was of this edition."""
        job = FileJob.objects.last_of(self.write, FileJob.Kind.CHECK)
        is_done = job is not None and job.state == FileJob.State.DONE
        return job is not None and is_done and job.edition == self.write.edition

    @cached_property
    def _rules(self) -> dict[str, Any]:
        return {
            "key": self._key or None,
            "fields": self._fields_of(self.write),
            "purpose": cast(Purpose, self.write.action),
        }

    def check(self, row: int, record: bytes) -> list[Finding]:
        """Return what the rules tell of a row from its own cells alone."""
        found = check_record(self.header, record, row=row, **self._rules)
        return [finding for finding in found if finding.level != "notes"]


def cells_in(record: bytes) -> list[str]:
    """Return the cells of a record as it is written."""
    return next(read_records(BytesIO(record)), ([], b""))[0]


def _at(cells: Sequence[str], place: int) -> str:
    """Return a cell as it may be shown, "" where the record has none."""
    return readable(cells[place]) if place < len(cells) else ""


def _part(rows: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Return those of ascending rows from `start` up to `end`, which is not among."""
    if isinstance(rows, range):
        return range(max(rows.start, start), min(rows.stop, end))
    return [row for row in rows if start <= row < end]


def told_before(write: Write, rows: Sequence[int]) -> dict[int, RowOutcome]:
    """Return what the remote said of rows of a retry when they were sent before.

    Nothing of what is no retry, nor where the outcome of its parent is gone.
    """
    source = write.parent if write.relation == Write.Relation.TRIAL else write
    if source is None or source.parent is None or not source.parent_rows:
        return {}
    try:
        numbers = read_parent_rows(source.path_of("parent_rows"), rows)
        with RowStore(source.parent.path_of("rows_store")) as store:
            found = {row: store.outcome(number) for row, number in numbers.items()}
    except (FileNotFoundError, sqlite3.DatabaseError):
        return {}
    return {row: outcome for row, outcome in found.items() if outcome is not None}


class ResultRows:
    """The rows of a write that was sent, with what became of them.

    Raises `FileNotFoundError` where its files are gone.
    """

    def __init__(self, write: Write, store: RowStore) -> None:
        self._store = store
        self._as_sent = write.path_of("as_sent")
        key = write.primary_key.casefold()
        names = enumerate(cells_in(read_header(self._as_sent)))
        self.columns = [
            GridColumn(place, name, is_key=bool(key) and name.casefold() == key)
            for place, name in names
        ]

    def page(
        self, state: str, columns: Sequence[GridColumn], *, after: int, before: int
    ) -> GridPage:
        """Return the rows next to a place: all, or those of one outcome."""
        limit = rows_for(len(columns))
        page = self._store.page(state=state, after=after, before=before, limit=limit)
        rows = [self.row_of(outcome, columns) for outcome in page.rows]
        return GridPage(rows, page.has_older, page.has_newer)

    def row(self, number: int, columns: Sequence[GridColumn]) -> GridRow | None:
        """Return one row, None where there is no such row."""
        outcome = self._store.outcome(number)
        return None if outcome is None else self.row_of(outcome, columns)

    def row_of(self, outcome: RowOutcome, columns: Sequence[GridColumn]) -> GridRow:
        """Return a row of the store with its cells in `columns`, as they were sent."""
        end = outcome.start + outcome.length
        cells = cells_in(read_record(self._as_sent, outcome.start, end))
        row = GridRow(
            number=outcome.row,
            state=outcome.state,
            record=outcome.record,
            cells=[GridCell(column, _at(cells, column.place)) for column in columns],
        )
        row.tell(outcome)
        return row
