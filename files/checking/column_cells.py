"""The cells of columns of a regular block, looked at all at once."""

from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from files.checking.blocks import SLACK, Bytes, Positions, Table

Mask = NDArray[np.bool_]
Words = NDArray[np.uint64]

WIDEST = SLACK
_EACH_BYTE = np.uint64(0x0101010101010101)


class Cells:
    """Where the cells of columns begin and end in the bytes of a block.

    Those of the second column follow on those of the first.
    """

    def __init__(self, table: Table, *places: int) -> None:
        chosen = places[0] if len(places) == 1 else list(places)
        self.data = table.data
        self.starts: Positions = table.starts[chosen].reshape(-1)
        self.ends: Positions = table.ends[chosen].reshape(-1)
        self.lengths: Positions = self.ends - self.starts
        self.is_ascii = table.is_ascii

    @cached_property
    def first(self) -> Bytes:
        """The first byte of each; any byte where a cell is blank."""
        return self.data[self.starts]

    @cached_property
    def last(self) -> Bytes:
        """The last byte of each; any byte where a cell is blank."""
        return self.data[self.ends - 1]

    def only(self, rows: NDArray[np.intp]) -> Self:
        """Return the cells of these rows."""
        part = type(self).__new__(type(self))
        part.data, part.is_ascii = self.data, self.is_ascii
        part.starts, part.ends = self.starts[rows], self.ends[rows]
        part.lengths = self.lengths[rows]
        return part

    def padded(self, width: int) -> Bytes:
        """Return the first `width` bytes of each cell: see the function."""
        return padded(self.data, self.starts, self.lengths, width)


def padded(
    data: Bytes, starts: Positions, lengths: NDArray[np.integer], width: int
) -> Bytes:
    """Return the first `width` bytes of each cell, zeros after its end.

    `width` is 8, 16, 24 … `WIDEST`; the array is cells × width. `data` has `SLACK`
    bytes behind the last cell.
    """
    every: NDArray[np.void] = np.ndarray(
        (len(data) - width + 1,), np.dtype(f"V{width}"), data.data, strides=(1,)
    )
    taken = every[starts].view(np.uint64)
    taken &= _kept(width)[np.minimum(lengths, width)].view(np.uint64)
    return taken.view(np.uint8).reshape(-1, width)


def width_for(longest: int) -> int:
    """Return the least width of `Cells.padded` that holds so many bytes."""
    return min(max(-(-longest // 8) * 8, 8), WIDEST)


def words(padded: Bytes) -> Words:
    """Return padded cells as words of 8 bytes: rows × width / 8."""
    return padded.view(np.uint64)


def equals(padded: Bytes, text: bytes) -> Mask:
    """Tell which cells are exactly `text`."""
    wanted = np.frombuffer(text.ljust(padded.shape[1], b"\0"), np.uint64)
    return everywhere(words(padded) == wanted)


def everywhere(flags: Mask) -> Mask:
    """Return for each row whether all its few flags are set."""
    result: Mask = flags[:, 0].copy()
    for number in range(1, flags.shape[1]):
        result &= flags[:, number]
    return result


def count_bytes(flags: Mask) -> NDArray[np.int64]:
    """Return for each row of flags, one a byte, how many are set."""
    sums = flags.view(np.uint64) * _EACH_BYTE >> np.uint64(56)
    total = sums[:, 0].astype(np.int64)
    for number in range(1, sums.shape[1]):
        total += sums[:, number].view(np.int64)
    return total


def is_digit(padded: Bytes) -> Mask:
    """Tell the bytes that are digits."""
    return (padded - np.uint8(48)) < 10


def lower(padded: Bytes) -> None:
    """Make the capitals of ASCII small letters, in place."""
    is_upper = (padded - np.uint8(65)) < 26
    padded |= is_upper.view(np.uint8) << np.uint8(5)


def mixed(table: Words) -> Words:
    """Return a 64-bit hash for each row of words, whatever zeros follow them."""
    result = np.zeros(len(table), np.uint64)
    for number in range(table.shape[1]):
        word = table[:, number] * _FACTORS[number]
        word ^= word >> np.uint64(29)
        word *= _FACTORS[-1]
        word ^= word >> np.uint64(32)
        result += word
    return result


# Odd numbers with bits at random (from SplitMix64's), one for each word and one more.
_FACTORS = [
    np.uint64((0x9E3779B97F4A7C15 * (2 * number + 1) | 1) % 2**64)
    for number in range(WIDEST // 8 + 1)
]


def _kept(width: int) -> NDArray[np.void]:
    """Return for 0 … `width` bytes a row of as many 0xFF, then zeros."""
    if width not in _KEPT:
        rows = np.tri(width + 1, width, -1, dtype=np.uint8) * np.uint8(255)
        _KEPT[width] = rows.view(np.dtype(f"V{width}"))[:, 0]
    return _KEPT[width]


_KEPT: dict[int, NDArray[np.void]] = {}
