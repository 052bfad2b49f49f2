"""Cutting a file into requests of some records each, and making their bodies again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from files.raw_records import read_header, read_records
from files.records_json.typing import Table

# Of records, and of bytes of a body: the first is Ampersand's limit ("Write 1–100
# records in one request"), the second our own.
MOST_RECORDS = 100
LARGEST_BODY = 2**20


class RecordTooBig(Exception):
    """One record makes a body that is too large, even alone; `row` is its row."""

    def __init__(self, row: int, size: int) -> None:
        super().__init__(f"Row {row:,} takes {size:,} bytes alone.")
        self.row = row
        self.size = size


@dataclass(frozen=True)
class Frame:
    """What stands around the records of every body.

    `type` is what is done with them. `most` records go in one. With `is_single` the one
    record stands alone, else each is an item of a list.
    """

    before: str
    after: str
    most: int = MOST_RECORDS
    is_single: bool = False
    type: str = ""

    def item(self, record: str) -> str:
        """Return a record as it stands in a body."""
        return record if self.is_single else f'{{"record":{record}}}'

    def body(self, items: list[str]) -> bytes:
        """Return the body with these items."""
        return f"{self.before}{','.join(items)}{self.after}".encode()


@dataclass(frozen=True)
class Piece:
    """The rows of one request: its number from 1, and where its records lie.

    Rows count as in the whole file, the header being row 1. `offset` and `length` are
    bytes of the file, `size` and `sha256` those of the exact body.
    """

    number: int
    type: str
    first_row: int
    last_row: int
    offset: int
    length: int
    size: int
    sha256: str


def pieces(
    path: Path,
    table: Table,
    frame: Frame,
    *,
    after: Piece | None = None,
    rows: int | None = None,
) -> Iterator[Piece]:
    """Yield the requests that carry every row of a checked file once, in order.

    Or `rows` of them alone, from the first on or from behind the last of `after`.

    Raises `RecordTooBig`, and `NotTyped` for a cell that is not of its column's kind.
    """
    around = len(frame.body([]))
    items: list[str] = []
    number, first_row, offset = 1, 2, len(read_header(path))
    if after is not None:
        number, first_row = after.number + 1, after.last_row + 1
        offset = after.offset + after.length
    length, size = 0, around
    found = islice(_items(path, table, frame, offset), rows)
    for row, (item, record) in enumerate(found, start=first_row):
        bytes_ = len(item.encode())
        if around + bytes_ > LARGEST_BODY:
            raise RecordTooBig(row, around + bytes_)
        is_full = len(items) == frame.most or size + 1 + bytes_ > LARGEST_BODY
        if items and is_full:
            yield _piece(frame, items, number, first_row, offset, length)
            number, first_row, offset = number + 1, row, offset + length
            items, length, size = [], 0, around
        items.append(item)
        length += len(record)
        size += bytes_ + (len(items) > 1)
    if items:
        yield _piece(frame, items, number, first_row, offset, length)


def body(path: Path, table: Table, frame: Frame, *, offset: int, length: int) -> bytes:
    """Return the exact body that carries the records in these bytes of the file."""
    return frame.body([item for item, _ in _items(path, table, frame, offset, length)])


def _items(
    path: Path, table: Table, frame: Frame, offset: int, length: int | None = None
) -> Iterator[tuple[str, bytes]]:
    done = 0
    with path.open("rb") as file:
        file.seek(offset)
        for cells, record in read_records(file):
            if length is not None and done >= length:
                return
            yield frame.item(table.record(cells)), record
            done += len(record)


def _piece(
    frame: Frame,
    items: list[str],
    number: int,
    first_row: int,
    offset: int,
    length: int,
) -> Piece:
    content = frame.body(items)
    return Piece(
        number=number,
        type=frame.type,
        first_row=first_row,
        last_row=first_row + len(items) - 1,
        offset=offset,
        length=length,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
