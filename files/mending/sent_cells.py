"""The cells of a file as read that a recipe sends, column by column, many at a time."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from files.checking.blocks import Table
from files.mending.places import cells_of, regular
from files.mending.recipes import Recipe
from files.mending.ways import NEVER, turns
from files.raw_records import read_records, regular_blocks

# Records that are read one by one are handed on so many at a time.
_ROWS = 2_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SentCells:
    """Some rows one below the other.

    `columns` has the texts of each place that was asked for, `rows` the rows that they
    stand in: all with as many cells as the header. `blank` are the rows that hold
    nothing but spaces.
    """

    rows: Sequence[int]
    columns: list[list[str]]
    blank: list[int]


def sent_cells(
    as_read: Path,
    recipe: Recipe,
    width: int,
    places: Sequence[int],
    *,
    progress: Progress | None = None,
) -> Iterator[SentCells]:
    """Yield what a recipe sends of the columns at these places, as read, in order.

    `width` is how many cells the header has. Ends where `csv` cannot read on.
    """
    ways = _Sending(recipe)
    with as_read.open("rb") as file:
        try:
            _, header = next(read_records(file))
        except (StopIteration, csv.Error):
            return
        row, done = 2, len(header)
        file.seek(done)
        for block in regular_blocks(file):
            table = regular(block.data, width)
            found = (
                [_of_table(row, table, places)]
                if table is not None
                else _of_records(row, BytesIO(block.data), width, places)
            )
            for cells in found:
                yield from ways.only_sent(cells)
            row += int(block.ends.size)
            done += len(block.data)
            if progress is not None:
                progress(done, row - 1)
        file.seek(done)
        try:
            for cells in _of_records(row, file, width, places):
                yield from ways.only_sent(cells)
        except csv.Error:
            return


class _Sending:
    """Which rows are sent, asked in rising order."""

    def __init__(self, recipe: Recipe) -> None:
        self._turns = [*turns(recipe), NEVER]

    def only_sent(self, cells: "_Rows") -> Iterator[SentCells]:
        for (first, way), (after, _) in zip(self._turns, self._turns[1:], strict=False):
            if way == "send" and first < cells.end and after > cells.row:
                yield cells.cut(max(first, cells.row), min(after, cells.end))


@dataclass(frozen=True)
class _Rows:
    """Rows as they were read; `numbers` are those of the rows that have texts."""

    row: int
    end: int
    numbers: Sequence[int]
    columns: list[list[str]]
    blank: list[int]

    def cut(self, first: int, end: int) -> SentCells:
        if first == self.row and end == self.end:
            return SentCells(self.numbers, self.columns, self.blank)
        kept = [i for i, row in enumerate(self.numbers) if first <= row < end]
        rows = [self.numbers[i] for i in kept]
        columns = [[texts[i] for i in kept] for texts in self.columns]
        return SentCells(rows, columns, [r for r in self.blank if first <= r < end])


def _of_table(row: int, table: Table, places: Sequence[int]) -> _Rows:
    columns = [cells_of(table, place).texts for place in places]
    numbers = range(row, row + table.rows)
    return _Rows(row, row + table.rows, numbers, columns, _blank_of(row, table))


def _blank_of(row: int, table: Table) -> list[int]:
    """Return the rows without any text; few are looked at cell by cell."""
    begins = table.data[table.starts[0]]
    is_blank = (table.starts[0] == table.ends[0]) | (begins <= 32) | (begins >= 128)
    lengths = table.ends - table.starts
    found = []
    for index in np.flatnonzero(is_blank).tolist():
        filled = np.flatnonzero(lengths[:, index])
        texts = (
            bytes(table.data[table.starts[place, index] : table.ends[place, index]])
            for place in filled
        )
        if all(not text.decode().strip() for text in texts):
            found.append(row + index)
    return found


def _of_records(
    row: int, file: BinaryIO, width: int, places: Sequence[int]
) -> Iterator[_Rows]:
    first = row
    numbers: list[int] = []
    blank: list[int] = []
    columns: list[list[str]] = [[] for _ in places]
    for cells, _ in read_records(file):
        if not any(cell.strip() for cell in cells):
            blank.append(row)
        if len(cells) == width:
            numbers.append(row)
            for texts, place in zip(columns, places, strict=True):
                texts.append(cells[place])
        row += 1
        if row - first >= _ROWS:
            yield _Rows(first, row, numbers, columns, blank)
            first, numbers, blank = row, [], []
            columns = [[] for _ in places]
    if row > first:
        yield _Rows(first, row, numbers, columns, blank)
