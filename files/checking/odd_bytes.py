"""Which cells of a block hold bytes that hardly any plain text has.

Those of characters that nobody sees, of characters that were lost, and of text that was
misread. A block is looked at as a whole: of one in ASCII, controls are counted; of
others, only the first bytes of characters beyond ASCII are looked up.
"""

import re

import numpy as np
from numpy.typing import NDArray

from files.checking.blocks import Bytes, Positions, Table
from files.checking.column_cells import Mask
from files.unseen import UNSEEN
from files.values.misread import CONTINUE, STARTS_OF_MORE, STARTS_OF_TWO

_LF, _TAB, _DELETE = 10, 9, 127
# How odd a character is: surely, or if one or two follow that continue it.
_SURELY, _IF_ONE, _IF_TWO = 1, 2, 3


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
    rows = _ROW_OF[_pair(data, leads)]
    some = np.flatnonzero(rows)
    leads = leads[some]
    kinds = _KIND_OF[rows[some], data[leads + 2]]
    odd: Positions = leads[kinds == _SURELY]
    maybe, kinds = leads[kinds > _SURELY], kinds[kinds > _SURELY]
    # What is misread goes on with a character that stands for another byte …
    second = _after(data, maybe)
    goes_on = _CONTINUES[_pair(data, second)]
    # … and with a third one, unless two bytes are all.
    third = _after(data, second)
    goes_on &= (kinds == _IF_ONE) | _CONTINUES[_pair(data, third)]
    return np.concatenate((odd, maybe[goes_on]))


def _after(data: Bytes, at: Positions) -> Positions:
    """Return where characters end that are not ASCII, and of at most three bytes."""
    return at + 2 + (data[at] >= 0xE0)


def _pair(data: Bytes, at: Positions) -> NDArray[np.uint16]:
    return data[at].astype(np.uint16) << np.uint16(8) | data[at + 1]


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint8], Mask]:
    """Return what to look up: how the first two bytes of a character go on, and how odd
    it is then; and whether two bytes begin a character that continues a misread one.

    Row 0 is for pairs that begin nothing odd.
    """
    kinds: dict[int, dict[int, int]] = {}
    for chars, kind in (
        (STARTS_OF_MORE, _IF_TWO),
        (STARTS_OF_TWO, _IF_ONE),
        ([*_unseen(), "\ufffd", "锟"], _SURELY),
    ):
        for char in chars:
            _note(kinds, char.encode(), kind)
    row_of = np.zeros(2**16, np.uint8)
    kind_of = np.zeros((len(kinds) + 1, 256), np.uint8)
    for row, (pair, thirds) in enumerate(kinds.items(), start=1):
        row_of[pair] = row
        for third, kind in thirds.items():
            kind_of[row, third] = kind
    continues = np.zeros(2**16, bool)
    for char in CONTINUE:
        continues[int.from_bytes(char.encode()[:2])] = True
    return row_of, kind_of, continues


def _note(kinds: dict[int, dict[int, int]], char: bytes, kind: int) -> None:
    """Note a character by its first three bytes."""
    thirds = kinds.setdefault(int.from_bytes(char[:2]), {})
    thirds.update(dict.fromkeys(char[2:3] if len(char) > 2 else range(256), kind))


def _unseen() -> list[str]:
    """Return the unseen characters beyond ASCII."""
    found: list[str] = []
    for low, high in re.findall(r"(\\[xuU][0-9a-f]+)(?:-(\\[xuU][0-9a-f]+))?", UNSEEN):
        first, last = int(low[2:], 16), int((high or low)[2:], 16)
        found += map(chr, range(first, last + 1))
    return [char for char in found if not char.isascii()]


_NOWHERE = np.empty(0, np.int64)
_ROW_OF, _KIND_OF, _CONTINUES = _tables()
