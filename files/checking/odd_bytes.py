"""Which cells of a block hold bytes that hardly any plain text has.

Those of characters that nobody sees, of characters that were lost, and of text that was
misread. A block is looked at as a whole: of one in ASCII, controls are counted; of
others, only the first bytes of characters beyond ASCII are looked up.
"""

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from files.checking.blocks import Positions, Table
from files.checking.column_cells import Mask
from files.unseen import UNSEEN
from files.values.misread import beginnings

_LF, _TAB, _DELETE = 10, 9, 127


def odd_cells(table: Table) -> Mask | None:
    """Tell the cells of each column that hold odd bytes; None where no cell does."""
    found = [_controls(table)]
    if not table.is_ascii:
        found.append(_odd_characters(table))
    places = np.concatenate(found)
    if not len(places):
        return None
    # Cells one after the other, as they stand in the block.
    ends = table.ends.T.reshape(-1)
    odd = np.zeros(len(ends), bool)
    odd[np.searchsorted(ends, places)] = True
    mask: Mask = odd.reshape(table.rows, -1).T
    return mask


def _controls(table: Table) -> Positions:
    block = table.block
    used = table.data[: block.size]
    low = used < 32
    newlines = table.rows + int(table.breaks[1].sum())
    has_delete = block.data.find(b"\x7f", 0, block.size) >= 0
    if np.count_nonzero(low) == newlines and not has_delete:
        return _NOWHERE
    odd = (low & (used != _LF) & (used != _TAB)) | (used == _DELETE)
    return np.flatnonzero(odd)


def _odd_characters(table: Table) -> Positions:
    data = table.data
    leads = np.flatnonzero(data[: table.block.size] >= 0xC2)
    pairs = data[leads].astype(np.uint16) << np.uint16(8) | data[leads + 1]
    rows = _ROW_OF[pairs]
    some = np.flatnonzero(rows)
    leads, rows = leads[some], rows[some]
    odd: Positions = leads[_THIRD[rows, data[leads + 2]]]
    return odd


def _tables() -> tuple[NDArray[np.uint8], Mask]:
    """Return the row of a table for two first bytes, and what the third may be there.

    Row 0 is for pairs that begin nothing odd.
    """
    thirds: dict[int, set[int]] = {}
    for chars in (map(chr, _unseen()), "\ufffd", "锟"):
        for char in chars:
            _note(thirds, char.encode(), range(256))
    for char, then in beginnings().items():
        _note(thirds, char.encode(), {other.encode()[0] for other in then})
    row_of = np.zeros(2**16, np.uint8)
    third = np.zeros((len(thirds) + 1, 256), bool)
    for row, (pair, bytes_) in enumerate(thirds.items(), start=1):
        row_of[pair] = row
        third[row, list(bytes_)] = True
    return row_of, third


def _note(thirds: dict[int, set[int]], char: bytes, then: Iterable[int]) -> None:
    """Note a character; where it is of two bytes, `then` are what may follow it."""
    pair = int.from_bytes(char[:2])
    thirds.setdefault(pair, set()).update(then if len(char) == 2 else char[2:3])


def _unseen() -> list[int]:
    """Return the numbers of the unseen characters beyond ASCII."""
    ranges = re.findall(r"(\\[xuU][0-9a-f]+)(?:-(\\[xuU][0-9a-f]+))?", UNSEEN)
    found: list[int] = []
    for low, high in ranges:
        first = int(low[2:], 16)
        found += range(first, int((high or low)[2:], 16) + 1)
    return [number for number in found if number > 127]


_NOWHERE = np.empty(0, np.int64)
_ROW_OF, _THIRD = _tables()
