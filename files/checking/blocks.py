"""A file in blocks of whole records, each proved regular before it is looked at.

A block is regular when it is UTF-8 without NUL and CR, every quote opens a cell, closes
it or is doubled within, and every record has as many cells as the header and is no
blank line. Then each comma and newline outside quotes ends a cell: nothing else of CSV
is left to be known.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]
Bytes = NDArray[np.uint8]

# Readers of cells may look at so many bytes beyond a block's end: they are zero.
SLACK = 64
# A record without an end within so many blocks is left to the exact path.
LONGEST = 4
# Rows of more bytes may break a limit in characters: the exact path looks at them.
LONGEST_ROW = 131_072

_QUOTE, _COMMA, _LF = 34, 44, 10


@dataclass(frozen=True)
class Block:
    """Some bytes of the file that begin and, it seems, end with a record's border.

    `data` holds `size` bytes and zeros after them; where the file's last line has no
    end, one is added. `end` is the offset in the file after the block.
    """

    data: bytearray
    size: int
    start: int
    end: int

    @property
    def ends_a_line(self) -> bool:
        """Whether it ends with a line: not where no border of a record was found."""
        return self.data[self.size - 1] == _LF


@dataclass(frozen=True)
class Table:
    """A regular block cut into cells.

    `starts` and `ends` are positions of bytes in `data`, one row of the array for each
    column; the quotes around a cell are left out. `breaks` tells which rows have how
    many line breaks within cells.
    """

    block: Block
    data: Bytes
    starts: Positions
    ends: Positions
    breaks: tuple[Positions, Positions]
    has_quotes: bool
    is_ascii: bool

    @property
    def rows(self) -> int:
        """How many records there are."""
        return int(self.starts.shape[1])


def blocks(file: BinaryIO, start: int, end: int, size: int) -> Iterator[Block]:
    """Yield the file between two records' borders in blocks of about `size` bytes."""
    rest = b""
    wanted = size
    while start < end:
        data = bytearray(len(rest) + wanted + SLACK)
        data[: len(rest)] = rest
        filled = len(rest) + _read(file, start + len(rest), end, data, len(rest))
        if filled < len(rest) + wanted or start + filled >= end:
            yield from _last(data, filled, start)
            return
        cut = _last_border(data, filled)
        if not cut and filled < LONGEST * size:
            rest, wanted = bytes(data[:filled]), filled
            continue
        cut = cut or filled
        rest, wanted = bytes(data[cut:filled]), size
        data[cut:filled] = bytes(filled - cut)
        yield Block(data, cut, start, start + cut)
        start += cut


def _read(file: BinaryIO, start: int, end: int, data: bytearray, at: int) -> int:
    """Read the file from `start` on into `data` from `at` on, but for the slack."""
    room = min(len(data) - SLACK - at, end - start)
    file.seek(start)
    with memoryview(data) as whole, whole[at : at + room] as part:
        return int(file.readinto(part))  # type: ignore[attr-defined]


def prove(block: Block, width: int) -> Table | None:
    """Return the cells of a block, None where it is not proved to be regular."""
    text, size = block.data, block.size
    if not block.ends_a_line:
        return None
    if text.find(b"\r", 0, size) >= 0 or text.find(b"\0", 0, size) >= 0:
        return None
    is_ascii = text.isascii()
    if not is_ascii and not _is_utf8(memoryview(text)[:size]):
        return None
    data = np.frombuffer(text, np.uint8)
    used = data[:size]
    quotes = np.flatnonzero(used == _QUOTE)
    if len(quotes) and not _are_regular(used, quotes):
        return None
    newlines = used == _LF
    separators = np.flatnonzero(newlines | (used == _COMMA))
    inner = None
    if len(quotes):
        separators, inner = _outside(separators, quotes)
    if len(separators) % width or not _is_rectangle(used[separators], width):
        return None
    return _table(block, data, separators, inner, width, len(quotes) > 0, is_ascii)


def _table(
    block: Block,
    data: Bytes,
    separators: Positions,
    inner: Positions | None,
    width: int,
    has_quotes: bool,
    is_ascii: bool,
) -> Table | None:
    row_ends = separators[width - 1 :: width]
    row_starts = np.concatenate(([0], row_ends[:-1] + 1))
    lengths = row_ends - row_starts
    if lengths.max() > LONGEST_ROW or (width == 1 and not lengths.all()):
        return None
    ends = separators.reshape(-1, width).T.copy()
    starts = np.empty_like(ends)
    starts[0] = row_starts
    starts[1:] = ends[:-1] + 1
    breaks = _breaks(data, inner, row_starts)
    if has_quotes:
        quoted = data[starts] == _QUOTE
        starts += quoted
        ends -= quoted
    return Table(block, data, starts, ends, breaks, has_quotes, is_ascii)


def _breaks(
    data: Bytes, inner: Positions | None, row_starts: Positions
) -> tuple[Positions, Positions]:
    """Return the rows that have line breaks within cells, and how many."""
    if inner is None or not len(inner):
        return _NONE, _NONE
    newlines = inner[data[inner] == _LF]
    rows = np.searchsorted(row_starts, newlines, side="right") - 1
    found, counts = np.unique(rows, return_counts=True)
    return found, counts


def _outside(separators: Positions, quotes: Positions) -> tuple[Positions, Positions]:
    """Tell the separators outside quotes from those within."""
    opens = np.searchsorted(separators, quotes[0::2])
    closes = np.searchsorted(separators, quotes[1::2])
    holding = closes > opens
    depth = np.zeros(len(separators) + 1, np.int8)
    depth[opens[holding]] += 1
    depth[closes[holding]] -= 1
    inside = np.cumsum(depth[:-1], dtype=np.int8).view(bool)
    return separators[~inside], separators[inside]


def _are_regular(data: Bytes, quotes: Positions) -> bool:
    """Whether each quote opens a cell, closes one or is one of a doubled pair."""
    if len(quotes) % 2:
        return False
    opens, closes = quotes[0::2], quotes[1::2]
    before = data[opens - 1]
    if opens[0] == 0:
        before[0] = _LF
    after = data[closes + 1]
    return bool(_may_border(before).all() and _may_border(after).all())


def _may_border(near: Bytes) -> NDArray[np.bool_]:
    # A quote beside a quote: one closes and the next opens, which is a doubled one.
    return np.isin(near, _BORDERS)


def _is_rectangle(kinds: Bytes, width: int) -> bool:
    """Whether the separators are rows of commas with a newline at the end of each."""
    rows = len(kinds) // width
    newlines = kinds == _LF
    return bool(
        rows
        and newlines[width - 1 :: width].all()
        and np.count_nonzero(newlines) == rows
    )


def _is_utf8(data: memoryview) -> bool:
    try:
        codecs.utf_8_decode(data, "strict", True)
    except UnicodeDecodeError:
        return False
    return True


def _last(data: bytearray, size: int, start: int) -> Iterator[Block]:
    """Yield what is left, if anything is, with an end to its last line."""
    if not size:
        return
    end = start + size
    if data[size - 1] != _LF:
        data[size] = _LF
        size += 1
    yield Block(data, size, start, end)


def _last_border(data: bytearray, size: int) -> int:
    """Return the end of the last record by the parity of quotes, 0 where there is none.

    That is sound as far as quotes are; where they are not, `prove` finds that out.
    """
    marks = np.frombuffer(data, np.uint8, size) == _QUOTE
    before = int(np.count_nonzero(marks))
    end = size
    while True:
        newline = data.rfind(b"\n", 0, end)
        if newline < 0:
            return 0
        before -= int(np.count_nonzero(marks[newline:end]))
        if before % 2 == 0:
            return newline + 1
        # This newline is within quotes: go back to where they open.
        end = data.rfind(b'"', 0, newline) + 1


_BORDERS = np.array([_COMMA, _LF, _QUOTE], np.uint8)
_NONE = np.empty(0, np.int64)
