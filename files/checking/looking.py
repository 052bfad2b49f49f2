"""Looking at a whole block at once: what there is to count, keep and judge."""

from dataclasses import dataclass, field
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
from files.findings import PREVIEW_ROWS
from files.values.rules import holds_text

# With more suspects than this among its cells a block is left to the exact path, which
# is then no slower.
MOST_SUSPECTS = 0.2


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
    first_rows: list[list[str]]
    counts: list[Count] = field(default_factory=list)
    suspects: list[Suspects] = field(default_factory=list)
    keys: KeyCells | None = None
    exact: list[Column] = field(default_factory=list)


def look(
    block: Block, columns: list[Column], keys: CellKeys
) -> Seen | Literal["irregular", "suspect"]:
    """Look at a block, or tell why it is for the exact path. Threads may call it."""
    table = prove(block, len(columns))
    if table is None:
        return "irregular"
    seen = Seen(rows=table.rows, breaks=table.breaks, first_rows=_first_rows(table))
    odd = odd_cells(table)
    room = int(MOST_SUSPECTS * table.starts.size) + 1
    for column in columns:
        cells = Cells(table, column.place)
        if column.is_key:
            seen.keys = keys.look(table, column.place)
            suspect = _suspect_keys(column, cells)
        else:
            suspect = _suspect_cells(column, cells, seen.counts)
        if odd is not None:
            suspect |= odd[column.place]
        suspect |= _rounded(column, cells, seen.exact)
        rows = np.flatnonzero(suspect)
        room -= len(rows)
        if room < 0:
            return "suspect"
        if len(rows):
            texts = _texts(table, column.place, rows)
            seen.suspects.append(Suspects(column, rows.tolist(), texts))
    return seen


def _suspect_keys(column: Column, cells: Cells) -> Mask:
    suspect: Mask = (cells.lengths == 0) | is_spaced(cells) | _is_null(cells)
    suspect |= column.no_records.may_be_none(cells)
    suspect |= is_suspect(column.field or TEXT, cells)
    return suspect


def _rounded(column: Column, cells: Cells, exact: list[Column]) -> Mask | bool:
    """Return the long numbers that may be rounded; note a column that has others."""
    if column.has_exact or not holds_text(column.field):
        return False
    found, has_exact = rounded(cells)
    if has_exact:
        exact.append(column)
    return found


def _suspect_cells(column: Column, cells: Cells, counts: list[Count]) -> Mask:
    """Return the suspects, and count what needs no judging: blanks and nulls."""
    suspect = is_spaced(cells)
    suspect |= is_suspect(column.field or TEXT, cells)
    kinds: tuple[tuple[Kind, Mask], ...] = (
        ("blank", cells.lengths == 0),
        ("null", _is_null(cells)),
    )
    for kind, mask in kinds:
        total = int(np.count_nonzero(mask))
        if total and column.is_required:
            suspect |= mask
        elif total:
            suspect &= ~mask
            counts.append(Count(column, kind, total, int(mask.argmax())))
    return suspect


def _is_null(cells: Cells) -> Mask:
    """Tell the cells that are #N/A."""
    found: Mask = (cells.lengths == 4) & (cells.first == 35)
    if found.any():
        data, starts = cells.data, cells.starts
        for place, byte in enumerate(b"N/A", start=1):
            found &= data[starts + place] == byte
    return found


def _texts(table: Table, place: int, rows: NDArray[np.intp]) -> list[str]:
    data = table.block.data
    starts, ends = table.starts[place, rows].tolist(), table.ends[place, rows].tolist()
    texts = [data[a:b].decode() for a, b in zip(starts, ends, strict=True)]
    if table.has_quotes:
        return [text.replace('""', '"') for text in texts]
    return texts


def _first_rows(table: Table) -> list[list[str]]:
    count = min(table.rows, PREVIEW_ROWS)
    rows = np.arange(count)
    columns = [_texts(table, place, rows) for place in range(len(table.starts))]
    return [list(cells) for cells in zip(*columns, strict=True)]
