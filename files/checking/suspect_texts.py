"""Which cells of text the rules should look at: see `suspects`.

Nearly all that can be wrong with a text begins with a byte that few texts begin with,
so that is looked up first, and no more than those cells are looked at.
"""

import numpy as np
from numpy.typing import NDArray

from files.checking.column_cells import (
    Cells,
    Mask,
    count_bytes,
    is_digit,
    lower,
    mixed,
    width_for,
    words,
)
from files.values.placeholders import ERRORS, LONGEST, NA, WORDS
from files.values.rounded import EXACT, MOST_DIGITS

_DIGIT, _GUARD, _ROW, _WORD = 1, 2, 3, 4
_KEYS = [*WORDS, *ERRORS, NA.lower().encode()]
_WIDTH = width_for(LONGEST)


def suspect_texts(cells: Cells) -> Mask:
    """Tell the cells that may be shortened, guarded, or stand for no value."""
    suspect = np.zeros(len(cells.lengths), bool)
    # A blank cell begins with what ends it, which begins nothing.
    kinds = _KINDS[cells.first]
    found = np.flatnonzero(kinds)
    kinds = kinds[found]
    suspect[found[kinds == _GUARD]] = True
    for rows, test in (
        (found[kinds == _DIGIT], _may_be_shortened),
        (found[kinds == _ROW], _is_row),
        (found[kinds >= _ROW], _is_placeholder),
    ):
        if len(rows):
            suspect[rows] |= test(cells.only(rows))
    return suspect


def _may_be_shortened(cells: Cells) -> Mask:
    """Tell what may look like 1.2E+17, or 1.2E17."""
    third, fourth = (cells.data[cells.ends - back] for back in (3, 4))
    found: Mask = (third == 43) | (fourth == 43)
    found |= (third | np.uint8(32) == 101) | (fourth | np.uint8(32) == 101)
    return found


def _is_row(cells: Cells) -> Mask:
    """Tell what begins as it ends, as ####."""
    same: Mask = cells.first == cells.last
    return same


def _is_placeholder(cells: Cells) -> Mask:
    found = _ENDS[cells.first, cells.last]
    rows = np.flatnonzero(found)
    if len(rows):
        found[rows] = _is_known(cells.only(rows))
    return found


def _is_known(cells: Cells) -> Mask:
    padded = cells.padded(_WIDTH)
    lower(padded)
    hashes = mixed(words(padded))
    place = np.minimum(np.searchsorted(_HASHES, hashes), len(_HASHES) - 1)
    known: Mask = (_HASHES[place] == hashes) & (cells.lengths <= LONGEST)
    return known


def rounded(cells: Cells) -> tuple[Mask, Mask]:
    """Tell the long numbers that end in zeros, and those that do not.

    See `files.values.rounded`.
    """
    found, exact = np.zeros((2, len(cells.lengths)), bool)
    ends_so = (cells.last - np.uint8(48)) < 10
    rows = np.flatnonzero((cells.lengths > EXACT) & ends_so)
    if len(rows):
        rows = rows[(cells.data[cells.starts[rows] + EXACT - 1] - np.uint8(48)) < 10]
    if not len(rows):
        return found, exact
    long = cells.only(rows)
    padded = long.padded(MOST_DIGITS)
    is_number = count_bytes(is_digit(padded)) == long.lengths
    lost = padded[:, EXACT:]
    has_zeros = ((lost == 48) | (lost == 0)).all(axis=1)
    found[rows] = is_number & has_zeros
    exact[rows] = is_number & ~has_zeros
    return found, exact


def _kinds() -> NDArray[np.uint8]:
    kinds = np.zeros(256, np.uint8)
    for key in _KEYS:
        kinds[[key[0], key.upper()[0]]] = _WORD
    kinds[list(b"0123456789")] = _DIGIT
    kinds[list(b"='")] = _GUARD
    kinds[list(b"?#")] = _ROW
    return kinds


def _ends() -> Mask:
    """Return with what byte a placeholder may begin, and with what it may end then."""
    ends = np.zeros((256, 256), bool)
    for key in _KEYS:
        for spelled in (key, key.upper()):
            ends[[key[0], key.upper()[0]], spelled[-1]] = True
    return ends


def _hashes() -> NDArray[np.uint64]:
    joined = b"".join(key.ljust(_WIDTH, b"\0") for key in _KEYS)
    return np.sort(mixed(np.frombuffer(joined, np.uint64).reshape(-1, _WIDTH // 8)))


_HASHES, _KINDS, _ENDS = _hashes(), _kinds(), _ends()
