"""Two lanes in one file: the rows of new records first, then those of known ones.

A request carries records of one type, and a range of rows. So the rows of a file that
has both are put into another order before they are sent; which of them were updates,
in the order of before, is kept, so that a person is told the rows of their own file.
"""

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from files.quoting import quoted
from files.raw_records import read_records

# In front of the columns of a file whose ids were looked up.
ID_COLUMN = "id"


@dataclass(frozen=True)
class Lanes:
    """Of each row, in the order before, whether it is an update."""

    is_update: NDArray[np.bool_]

    @property
    def updates(self) -> int:
        """How many rows are of known records."""
        return int(np.count_nonzero(self.is_update))

    @property
    def creates(self) -> int:
        """How many rows are new records."""
        return len(self.is_update) - self.updates

    @property
    def is_mixed(self) -> bool:
        """Whether there are rows of both kinds, so that their order changes."""
        return bool(self.creates and self.updates)

    def origin(self) -> Callable[[int], int]:
        """Return what turns a row of the file in lanes into the row that it was."""
        rows = np.argsort(self.is_update, kind="stable")
        return lambda row: int(rows[row - 2]) + 2 if row > 1 else row

    def packed(self) -> bytes:
        """Return them as they are kept: a bit each, compressed."""
        return zlib.compress(np.packbits(self.is_update).tobytes())


def unpacked(kept: bytes, rows: int) -> Lanes:
    """Return the lanes of so many rows as `Lanes.packed` told them."""
    bits = np.frombuffer(zlib.decompress(kept), np.uint8)
    return Lanes(np.unpackbits(bits, count=rows).astype(np.bool_))


def by_id(source: Path, target: Path, column: int) -> Lanes:
    """Put the rows of `source` into lanes: those with a cell in `column` are updates.

    `target` has the same records, byte for byte, but for a line end behind the last.
    """
    found = bytearray()
    with source.open("rb") as file, target.open("wb") as out:
        for row, (cells, raw) in enumerate(read_records(file), start=1):
            is_update = row > 1 and cells[column] != ""
            if row > 1:
                found.append(is_update)
            if not is_update:
                out.write(_ended(raw))
        file.seek(0)
        for row, (cells, raw) in enumerate(read_records(file), start=1):
            if row > 1 and cells[column] != "":
                out.write(_ended(raw))
    return Lanes(np.frombuffer(bytes(found), np.uint8).astype(np.bool_))


def with_ids(source: Path, target: Path, ids: Iterable[str]) -> None:
    """Write `source` with a first column of ids, "" for rows of new records."""
    with source.open("rb") as file, target.open("wb") as out:
        for id_, (_, raw) in zip((ID_COLUMN, *ids), read_records(file), strict=True):
            out.write(f"{quoted(id_)},".encode() + _ended(raw))


def _ended(raw: bytes) -> bytes:
    """Return a record with its line end, which the last of a file may lack."""
    return raw if raw.endswith(b"\n") else raw + b"\n"
