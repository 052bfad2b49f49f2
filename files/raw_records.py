"""The raw records of a file, without changing a byte of them.

Two ways to find where a record ends. By quote parity: a line feed after an even number
of quotes ends one. That is quick, and right for every file that passed the check. By
the `csv` module in strict mode: that is right for every file that it can read, and it
says where it cannot.
"""

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from files.lines import hide_lone_crs, show_lone_crs

# Blocks of this size stay in the processor's cache while they are looked at.
BLOCK = 512 * 1024
COPIED_AT_ONCE = 4 * 2**20
# Salesforce takes 400,000 characters a record. What is longer than this is taken for a
# quote that was never closed, and not held in memory.
LONGEST_RECORD = 8 * 2**20

_NEWLINE, _QUOTE = ord("\n"), ord('"')
_BESIDE_QUOTES = np.zeros(256, np.bool_)
_BESIDE_QUOTES[[ord(","), _NEWLINE, _QUOTE]] = True

csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True)
class Block:
    """Whole records: their bytes, and where in them each record ends."""

    data: bytes
    ends: NDArray[np.intp]


def record_ends(path: Path, *, block: int = BLOCK) -> Iterator[NDArray[np.int64]]:
    """Yield the offsets one past each record's last byte, some at a time, in order.

    The file must have passed the check: records are found by quote parity. The header
    is the first record. A last record without a line feed ends with the file.
    """
    offset = last = 0
    inside = False
    with path.open("rb", buffering=0) as file:
        while data := file.read(block):
            found, inside = _ends(data, inside)
            if found.size:
                ends = found.astype(np.int64) + offset
                last = int(ends[-1])
                yield ends
            offset += len(data)
    if last < offset:
        yield np.array([offset], np.int64)


def starts(path: Path) -> NDArray[np.uint64]:
    """Return the offset of every record, the header first: 8 bytes a record.

    The file must have passed the check. `starts(path)[row - 1]` is where a row begins.
    """
    ends = list(record_ends(path))
    if not ends:
        return np.empty(0, np.uint64)
    return np.concatenate([np.zeros(1, np.int64), *ends])[:-1].astype(np.uint64)


def read_record(path: Path, start: int, end: int) -> bytes:
    """Return the bytes from offset `start` up to `end`."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def read_header(path: Path) -> bytes:
    """Return the bytes of the first record, with its line feed."""
    for ends in record_ends(path, block=64 * 1024):
        return read_record(path, 0, int(ends[0]))
    return b""


def cut(path: Path, target: Path, rows: Iterable[int]) -> None:
    """Write the header and these rows to `target`, byte for byte.

    `rows` are row numbers, 2 or more, in rising order. The file must have passed the
    check. Raises ValueError for rows that are not in the file or not in order.
    """
    begins = starts(path).astype(np.int64)
    chosen = np.fromiter(rows, np.int64)
    if chosen.size and (chosen.min() < 2 or chosen.max() > begins.size):
        raise ValueError(f"The file has rows 2 to {begins.size}.")
    if (np.diff(chosen) < 1).any():
        raise ValueError("Rows must be in rising order, each once.")
    if not begins.size:
        target.write_bytes(b"")
        return
    bounds = np.append(begins, path.stat().st_size)
    records = np.append(0, chosen - 1)
    # Neighbours are copied in one go.
    breaks = np.flatnonzero(np.diff(records) != 1) + 1
    firsts = bounds[records[np.append(0, breaks)]].tolist()
    ends = bounds[records[np.append(breaks, records.size) - 1] + 1].tolist()
    with path.open("rb") as source, target.open("wb") as output:
        for start, end in zip(firsts, ends, strict=True):
            for at in range(start, end, COPIED_AT_ONCE):
                size = min(COPIED_AT_ONCE, end - at)
                output.write(os.pread(source.fileno(), size, at))


def regular_blocks(file: BinaryIO, *, block: int = BLOCK) -> Iterator[Block]:
    """Yield whole records from the file's position on, while they are surely regular.

    Regular means: no carriage return, and every quote stands where RFC 4180 wants it,
    so that quote parity and `csv` agree on every record. Ends at the end of the file or
    before the first block that is not so; the blocks until then tell where that is.
    """
    rest = b""
    while True:
        read = file.read(block)
        data = rest + read
        if not data:
            return
        ends, inside = _ends(data, inside=False)
        if not read and not inside:
            ends = np.append(ends, len(data))
        if not ends.size:
            if not read or len(data) > LONGEST_RECORD:
                return
            rest = data
            continue
        end = int(ends[-1])
        data, rest = data[:end], data[end:]
        if not _is_regular(data):
            return
        yield Block(data, ends)


def read_records(file: BinaryIO) -> Iterator[tuple[list[str], bytes]]:
    """Yield the cells and the bytes of each record from the file's position on.

    A blank line is a record without cells. A lone CR is text, as the check takes it
    (`files.checking.records`): else no row below one could be mended. Bytes that are
    not UTF-8 are decoded with "surrogateescape" and survive encoding. Raises csv.Error
    at a record that `csv` cannot read in strict mode or that is longer than
    `LONGEST_RECORD`; what was yielded until then tells where that record begins.
    """
    raw: list[bytes] = []

    def lines() -> Iterator[str]:
        size = 0
        while line := file.readline(LONGEST_RECORD + 1):
            size = len(line) + (size if raw else 0)
            if size > LONGEST_RECORD:
                raise csv.Error("record too long")
            raw.append(line)
            text = line.decode("utf-8", "surrogateescape")
            yield hide_lone_crs(text) if b"\r" in line else text

    for cells in csv.reader(lines(), strict=True):
        record = raw[0] if len(raw) == 1 else b"".join(raw)
        raw.clear()
        if b"\r" in record:
            cells = show_lone_crs(cells)
        yield cells, record


def _ends(data: bytes, inside: bool) -> tuple[NDArray[np.intp], bool]:
    """Return where records end in the bytes, and whether a quote is open after them."""
    array = np.frombuffer(data, np.uint8)
    newlines = np.flatnonzero(array == _NEWLINE)
    quotes = np.flatnonzero(array == _QUOTE)
    if not quotes.size:
        return newlines[:0] if inside else newlines + 1, inside
    before = np.searchsorted(quotes, newlines)
    is_end = (before & 1) == inside
    return newlines[is_end] + 1, bool((quotes.size + inside) & 1)


def _is_regular(records: bytes) -> bool:
    if b"\r" in records:
        return False
    if b'"' not in records:
        return True
    array = np.frombuffer(records, np.uint8)
    quotes = np.flatnonzero(array == _QUOTE)
    opening, closing = quotes[::2], quotes[1::2]
    before = array[opening[opening > 0] - 1]
    after = array[closing[closing < array.size - 1] + 1]
    return bool(_BESIDE_QUOTES[before].all() and _BESIDE_QUOTES[after].all())
