"""Keys kept as hashes and places in the file: what the fast path uses."""

import mmap
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from files.checking.blocks import SLACK, Bytes, Positions, Table
from files.checking.column_cells import (
    WIDEST,
    Cells,
    Mask,
    Words,
    count_bytes,
    everywhere,
    is_digit,
    lower,
    mixed,
    padded,
    width_for,
    words,
)
from files.checking.keys import Fold, fold_id
from files.values.record_ids import LENGTHS

SHORT_ID, LONG_ID = LENGTHS


@dataclass(frozen=True)
class KeyCells:
    """Some keys: their rows and hashes, and where they stand with their quotes."""

    rows: Positions
    hashes: Words
    starts: Positions
    lengths: NDArray[np.int32]

    def below(self, row: int, left_out: Iterable[int]) -> "KeyCells":
        """Return them as of a block that begins at `row`, but for some of its rows."""
        mask = np.ones(len(self.rows), bool)
        mask[list(left_out)] = False
        kept = self.kept(mask)
        return KeyCells(kept.rows + row, kept.hashes, kept.starts, kept.lengths)

    def kept(self, mask: Mask) -> "KeyCells":
        """Return those of the mask."""
        return KeyCells(
            self.rows[mask], self.hashes[mask], self.starts[mask], self.lengths[mask]
        )


class CellKeys:
    """Keys by their hash; those that share one are read again and compared.

    That takes about 28 bytes a row. Keys of irregular blocks are kept as texts.
    """

    def __init__(self, fold: Fold, file: BinaryIO) -> None:
        self.fold = fold
        self._file = file
        self._found: list[KeyCells] = []
        self._texts: dict[int, str] = {}

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Remember the keys of some rows, in row order."""
        nowhere = np.full(len(rows), -1, np.int64)
        lengths = np.zeros(len(rows), np.int32)
        numbers = np.array(rows, np.int64)
        self._found.append(KeyCells(numbers, self._hashes_of(texts), nowhere, lengths))
        self._texts.update(zip(rows, texts, strict=True))

    def add_cells(self, found: KeyCells) -> None:
        """Remember keys that `look` found, with the rows of the whole file."""
        self._found.append(found)

    def look(self, table: Table, place: int) -> KeyCells:
        """Return what is to be remembered of a block's keys; rows begin with 0.

        Changes nothing: threads may call it.
        """
        cells = Cells(table, place)
        starts, lengths = cells.starts, cells.lengths
        if table.has_quotes:
            # Text is never followed by a quote, so this one is the cell's own.
            quoted = cells.data[cells.ends] == 34
            starts, lengths = starts - quoted, lengths + 2 * quoted
        return KeyCells(
            np.arange(table.rows),
            self._cell_hashes(cells),
            starts + table.block.start,
            lengths.astype(np.int32),
        )

    def shared(self) -> Mapping[str, Sequence[int]]:
        """Return the rows of each key that may be like another one when folded."""
        hashes = np.concatenate([_NO_HASHES, *(found.hashes for found in self._found)])
        twins = _repeated(hashes)
        if not len(twins):
            return {}
        shared: defaultdict[str, array[int]] = defaultdict(_no_rows)
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for found in self._found:
                place = np.searchsorted(twins, found.hashes)
                is_twin = twins[np.minimum(place, len(twins) - 1)] == found.hashes
                for text, rows in self._by_text(found.kept(is_twin), data):
                    shared[text].extend(rows)
        return shared

    def _by_text(
        self, found: KeyCells, data: mmap.mmap
    ) -> Iterable[tuple[str, array[int]]]:
        """Yield keys as texts, each with its rows, ascending; one may come again."""
        if not len(found.rows):
            return
        if found.starts[0] < 0:
            rows = found.rows.tolist()
            yield from ((self._texts[row], array("q", [row])) for row in rows)
            return
        by_text: dict[str, array[int]] = {}
        for cell, of_cell in _by_cell(found, data):
            text = plain_text(cell)
            # A cell may stand there in quotes and without.
            before = by_text.get(text)
            by_text[text] = array("q", sorted(before + of_cell)) if before else of_cell
        yield from by_text.items()

    def _cell_hashes(self, cells: Cells) -> Words:
        longest = int(cells.lengths.max())
        if longest > WIDEST:
            return self._slow_hashes(cells)
        keys = cells.padded(width_for(longest))
        if self.fold is fold_id:
            return mixed(words(_short_ids(keys, cells)))
        if not cells.is_ascii and (keys > 127).any():
            return self._slow_hashes(cells)
        lower(keys)
        return mixed(words(keys))

    def _slow_hashes(self, cells: Cells) -> Words:
        data = cells.data.data
        places = zip(cells.starts.tolist(), cells.ends.tolist(), strict=True)
        return self._hashes_of(
            [str(data[a:b], "utf-8").replace('""', '"') for a, b in places]
        )

    def _hashes_of(self, texts: Sequence[str]) -> Words:
        return _hashes([self.fold(text).replace('"', '""') for text in texts])


def _by_cell(found: KeyCells, data: mmap.mmap) -> Iterator[tuple[bytes, array[int]]]:
    """Yield each cell as it stands in the file, with its rows, ascending.

    Most are like the first cell with their hash: these are compared all at once.
    """
    _, first, which = np.unique(found.hashes, return_index=True, return_inverse=True)
    is_like_first = _equals(found, first[which], data)
    order = np.flatnonzero(is_like_first)
    order = order[np.argsort(which[order], kind="stable")]
    rows = array("q", found.rows[order].tobytes())
    borders = np.searchsorted(which[order], np.arange(len(first) + 1)).tolist()
    starts = found.starts[first]
    ends = starts + found.lengths[first]
    places = zip(starts.tolist(), ends.tolist(), pairwise(borders), strict=True)
    for start, end, (begin, until) in places:
        if begin < until:
            yield data[start:end], rows[begin:until]
    yield from _one_by_one(found.kept(~is_like_first), data)


def _equals(found: KeyCells, others: Positions, data: mmap.mmap) -> Mask:
    """Tell which cells are short, and the same bytes as the cell at another place."""
    begin, end = int(found.starts[0]), int(found.starts[-1] + found.lengths[-1])
    part = np.frombuffer(data[begin:end] + bytes(SLACK), np.uint8)
    width = width_for(int(found.lengths.max()))
    cells = words(padded(part, found.starts - begin, found.lengths, width))
    same = everywhere(cells == cells[others])
    same &= found.lengths == found.lengths[others]
    same &= found.lengths <= WIDEST
    return same


def _one_by_one(found: KeyCells, data: mmap.mmap) -> Iterator[tuple[bytes, array[int]]]:
    by_cell: defaultdict[bytes, array[int]] = defaultdict(_no_rows)
    starts, ends = found.starts.tolist(), (found.starts + found.lengths).tolist()
    for row, start, end in zip(found.rows.tolist(), starts, ends, strict=True):
        by_cell[data[start:end]].append(row)
    yield from by_cell.items()


def _no_rows() -> array[int]:
    return array("q")


def _short_ids(ids: Bytes, cells: Cells) -> Bytes:
    """Return ids without the last three of 18 letters and digits: see `fold_id`."""
    if ids.shape[1] < LONG_ID:
        return ids
    letters = ((ids | np.uint8(32)) - np.uint8(97)) < 26
    is_long = cells.lengths == LONG_ID
    is_long &= count_bytes(letters | is_digit(ids)) == LONG_ID
    ids[is_long, SHORT_ID:LONG_ID] = 0
    return ids


def plain_text(cell: bytes) -> str:
    """Return the text of a cell of a regular block."""
    text = cell.decode()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _repeated(hashes: Words) -> Words:
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def _hashes(texts: list[str]) -> Words:
    """Return the hashes of texts as they stand in cells, the same as `mixed` gives."""
    cells = [text.encode(errors="surrogatepass") for text in texts]
    short = b"".join(cell[:WIDEST].ljust(WIDEST, b"\0") for cell in cells)
    hashes = mixed(np.frombuffer(short, np.uint64).reshape(-1, WIDEST // 8))
    for index, cell in enumerate(cells):
        if len(cell) > WIDEST:
            hashes[index] = hash(cell) % 2**64
    return hashes


_NO_HASHES = np.empty(0, np.uint64)
