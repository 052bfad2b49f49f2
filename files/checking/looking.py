"""Looking at a whole block at once: what there is to count, keep and judge."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from files.checking.blocks import Block, Positions, Table, prove
from files.checking.cell_keys import CellKeys, KeyCells
from files.checking.column_cells import Cells, Mask
from files.checking.columns import TEXT, Column, Kind
from files.checking.odd_bytes import odd_cells
from files.checking.suspect_texts import rounded
from files.checking.suspects import is_spaced, is_suspect
from files.field import Field
from files.findings import PREVIEW_ROWS
from files.values.rules import holds_text

# With more suspects than this among its cells a block is left to the exact path, which
# is then no slower.
MOST_SUSPECTS = 0.2
# Columns that are alike are looked at together, up to so many cells: with few rows each
# look costs more than what it looks at.
TOGETHER = 2**15


@dataclass(frozen=True)
class Suspects:
    """The cells of a column that its rules must judge; rows count from 0."""

    column: Column
    rows: list[int]
    texts: list[str]


@dataclass(frozen=True)
class Count:
    """How many cells of a kind a column has in the block, and the row of the first."""

    column: Column
    kind: Kind
    total: int
    first: int


@dataclass(kw_only=True)
class Seen:
    """What a regular block holds; rows are counted from its first, which is 0.

    `exact` are the columns with a long number that nothing has rounded.
    """

    rows: int
    breaks: tuple[Positions, Positions]
    first_rows: list[list[str]] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    suspects: list[Suspects] = field(default_factory=list)
    keys: KeyCells | None = None
    exact: list[Column] = field(default_factory=list)


class Looking:
    """Looks at blocks, each for itself and changing nothing: threads may do it."""

    def __init__(self, columns: list[Column], keys: CellKeys) -> None:
        self._width = len(columns)
        self._alike = _alike(columns)
        self._keys = keys

    def look(
        self, block: Block, *, shows: bool
    ) -> Seen | Literal["irregular", "suspect"]:
        """Look at a block, or tell why it is for the exact path.

        `shows` says whether its first rows may be wanted.
        """
        table = prove(block, self._width)
        if table is None:
            return "irregular"
        seen = Seen(rows=table.rows, breaks=table.breaks)
        if shows:
            seen.first_rows = _first_rows(table)
        odd = odd_cells(table)
        room = int(MOST_SUSPECTS * table.starts.size) + 1
        for columns in self._together(table.rows):
            suspect = self._suspects(table, columns, seen)
            if odd is not None:
                suspect |= odd[[column.place for column in columns]]
            room -= int(np.count_nonzero(suspect))
            if room < 0:
                return "suspect"
            for index in np.flatnonzero(suspect.any(axis=1)).tolist():
                rows = np.flatnonzero(suspect[index])
                seen.suspects.append(_suspects(table, columns[index], rows))
        return seen

    def _together(self, rows: int) -> Iterator[list[Column]]:
        """Yield the columns to be looked at together where they have so many rows."""
        most = max(TOGETHER // rows, 1)
        for columns in self._alike:
            for start in range(0, len(columns), most):
                yield columns[start : start + most]

    def _suspects(self, table: Table, columns: list[Column], seen: Seen) -> Mask:
        """Return the suspects of columns that are alike, a row for each column."""
        cells = Cells(table, *(column.place for column in columns))
        first = columns[0]
        if first.is_key:
            seen.keys = self._keys.look(table, first.place)
            suspect = _suspect_keys(first, cells)
        else:
            suspect = _suspect_cells(columns, cells, seen.counts)
        suspect |= _rounded(columns, cells, seen.exact)
        return suspect.reshape(len(columns), -1)


def _alike(columns: list[Column]) -> list[list[Column]]:
    """Return the columns in groups that have nothing of their own but their names.

    The key stands alone.
    """
    found: defaultdict[tuple[bool, Field], list[Column]] = defaultdict(list)
    for column in columns:
        kind = replace(column.field or TEXT, name="", label="")
        found[column.is_key, kind].append(column)
    return list(found.values())


def _suspect_keys(column: Column, cells: Cells) -> Mask:
    suspect: Mask = (cells.lengths == 0) | is_spaced(cells) | _is_null(cells)
    suspect |= column.no_records.may_be_none(cells)
    suspect |= is_suspect(column.field or TEXT, cells)
    return suspect


def _rounded(columns: list[Column], cells: Cells, exact: list[Column]) -> Mask | bool:
    """Return the long numbers that may be rounded; note the columns with others."""
    known = [column.has_exact for column in columns]
    if all(known) or not holds_text(columns[0].field):
        return False
    found, is_exact = rounded(cells)
    if is_exact.any():
        has_exact = is_exact.reshape(len(columns), -1).any(axis=1)
        exact += [columns[index] for index in np.flatnonzero(has_exact)]
    found.reshape(len(columns), -1)[known] = False
    return found


def _suspect_cells(columns: list[Column], cells: Cells, counts: list[Count]) -> Mask:
    """Return the suspects, and count what needs no judging: blanks and nulls."""
    suspect = is_spaced(cells)
    suspect |= is_suspect(columns[0].field or TEXT, cells)
    kinds: tuple[tuple[Kind, Mask], ...] = (
        ("blank", cells.lengths == 0),
        ("null", _is_null(cells)),
    )
    for kind, mask in kinds:
        if not mask.any():
            continue
        if columns[0].is_required:
            suspect |= mask
            continue
        suspect &= ~mask
        counts += _counts(columns, kind, mask.reshape(len(columns), -1))
    return suspect


def _counts(columns: list[Column], kind: Kind, mask: Mask) -> Iterator[Count]:
    totals = np.count_nonzero(mask, axis=1).tolist()
    firsts = mask.argmax(axis=1).tolist()
    for column, total, first in zip(columns, totals, firsts, strict=True):
        if total:
            yield Count(column, kind, total, first)


def _is_null(cells: Cells) -> Mask:
    """Tell the cells that are #N/A."""
    found: Mask = (cells.lengths == 4) & (cells.first == 35)
    if found.any():
        data, starts = cells.data, cells.starts
        for place, byte in enumerate(b"N/A", start=1):
            found &= data[starts + place] == byte
    return found


def _suspects(table: Table, column: Column, rows: NDArray[np.intp]) -> Suspects:
    starts, ends = table.starts[column.place, rows], table.ends[column.place, rows]
    return Suspects(column, rows.tolist(), _texts(table, starts, ends))


def _first_rows(table: Table) -> list[list[str]]:
    return [
        _texts(table, table.starts[:, row], table.ends[:, row])
        for row in range(min(table.rows, PREVIEW_ROWS))
    ]


def _texts(table: Table, starts: Positions, ends: Positions) -> list[str]:
    data = table.block.data
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    texts = [data[start:end].decode() for start, end in places]
    if table.has_quotes:
        return [text.replace('""', '"') for text in texts]
    return texts
