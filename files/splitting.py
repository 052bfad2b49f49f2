"""Splitting a file into parts that can be sent one after the other."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from files.raw_records import read_header, read_record, record_ends

# Bytes of a part that are read at once.
BLOCK = 2**20


class RecordTooBig(Exception):
    """One record does not fit into a part, even alone.

    `row` is its row, `size` its bytes together with the header's.
    """

    def __init__(self, row: int, size: int) -> None:
        super().__init__(
            f"Row {row:,} takes {size:,} bytes together with the header, more than one "
            "part can hold. Shorten it or exclude it."
        )
        self.row = row
        self.size = size


@dataclass(frozen=True)
class Part:
    """One part: its number from 1, its rows, and its records' place in the file.

    `first_row` and `last_row` count as in the whole file, the header being row 1.
    `offset` and `length` are bytes; the header is not among them.
    """

    number: int
    first_row: int
    last_row: int
    offset: int
    length: int


def split(path: Path, *, limit: int) -> list[Part]:
    """Return ordered parts of at most `limit` bytes, each counted with a header.

    The parts are as full as possible and cover every record once. The file must have
    passed the check: records are found by quote parity. Without a row below the header
    there is no part. Raises RecordTooBig.
    """
    header = len(read_header(path))
    return list(_parts(path, header, limit - header))


def part_text(path: Path, part: Part) -> bytes:
    """Return what is sent for the part: the header and the part's records."""
    body = read_record(path, part.offset, part.offset + part.length)
    return read_header(path) + body


def part_blocks(path: Path, part: Part) -> Iterator[bytes]:
    """Yield the same, some at a time: a part may have 150 MiB."""
    yield read_header(path)
    with path.open("rb") as file:
        file.seek(part.offset)
        left = part.length
        while left and (block := file.read(min(left, BLOCK))):
            left -= len(block)
            yield block


def part_digest(path: Path, part: Part) -> str:
    """Return the SHA-256 of what is sent for the part."""
    digest = hashlib.sha256()
    for block in part_blocks(path, part):
        digest.update(block)
    return digest.hexdigest()


def _parts(path: Path, header: int, room: int) -> Iterator[Part]:
    number, first_row, offset = 1, 2, header
    row, end = 1, header  # the last record that fits so far
    for all_ends in record_ends(path):
        ends = all_ends[all_ends > header]
        while ends.size:
            fitting = int(np.searchsorted(ends, offset + room, side="right"))
            if fitting:
                row, end = row + fitting, int(ends[fitting - 1])
                ends = ends[fitting:]
            elif end == offset:
                raise RecordTooBig(row + 1, header + int(ends[0]) - offset)
            else:
                yield Part(number, first_row, row, offset, end - offset)
                number, first_row, offset = number + 1, row + 1, end
    if end > offset:
        yield Part(number, first_row, row, offset, end - offset)
