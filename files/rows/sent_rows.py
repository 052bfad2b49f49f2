"""The rows of a file as sent: where each begins, how long it is, and its key.

The `csv` module decides what a record is. Lines without a quote are split at once,
which gives the same cells and is several times faster.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# (key, first byte in the file, length in bytes)
SentRow = tuple[str, int, int]

# The standard limit of 128 KiB would stop at a cell that Salesforce may refuse alone.
csv.field_size_limit(2**31 - 1)


def read_header(path: Path) -> tuple[list[str], int]:
    """Return the column names and how many bytes the header takes."""
    with path.open("rb") as file:
        return _Records(file).read(file.readline())


def cells_of(raw: bytes) -> list[str]:
    """Return the cells of one record."""
    if b'"' in raw or b"\r" in raw:
        file = io.BytesIO(raw)
        return _Records(file).read(file.readline())[0]
    text = str(raw, "utf-8", "replace").removesuffix("\n")
    return text.split(",") if text else []


def sent_rows(
    path: Path, *, offset: int, length: int, column: int | None
) -> Iterator[SentRow]:
    """Yield the rows of a slice of the file that begins and ends between records.

    The key is the cell in `column`, counted from 0: "" where a row has none.
    """
    start, end = offset, offset + length
    place = 0 if column is None else column
    with path.open("rb") as file:
        file.seek(offset)
        records = _Records(file)
        for line in file:
            if start >= end:
                return
            if b'"' in line or b"\r" in line:
                cells, size = records.read(line)
                key = cells[place] if place < len(cells) else ""
            else:
                size = len(line)
                plain = line.split(b",", place + 1)
                cell = plain[place] if place < len(plain) else b""
                key = str(cell, "utf-8", "replace").removesuffix("\n")
            yield "" if column is None else key, start, size
            start += size


class _Records:
    """Reads single records of a file, each from its first line on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._first = b""
        self._size = 0
        self._reader = csv.reader(self._lines())

    def read(self, first: bytes) -> tuple[list[str], int]:
        """Return the cells of the record that begins with a line, and its bytes."""
        self._first, self._size = first, 0
        try:
            return next(self._reader, []), self._size
        except csv.Error:
            return [], self._size

    def _lines(self) -> Iterator[str]:
        while line := self._first or self._file.readline():
            self._first = b""
            self._size += len(line)
            yield str(line, "utf-8", "replace")
