"""A file beside a file: where its rows begin, and which of them have findings.

It holds numbers alone, is written once and never changed. Every look at it is a seek,
so that a page costs the same in a large file as in a small one.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from files.findings import LEVELS, Level
from files.grid.borders import record_borders
from files.raw_records import read_records

Progress = Callable[[int, int], None]

# So many rows, or bytes, are read at most to come from a place that is known to a row.
EVERY_ROWS, EVERY_BYTES = 50, 2**16
_TOLD_EVERY = 2**22
# Findings beyond so many of one level are in the file of them alone.
MOST_FINDINGS = 500_000

_TABLES = """
CREATE TABLE facts (rows INTEGER NOT NULL, reading TEXT NOT NULL);
CREATE TABLE places (row INTEGER PRIMARY KEY, start INTEGER NOT NULL);
CREATE TABLE findings (
    row INTEGER NOT NULL, level INTEGER NOT NULL, start INTEGER NOT NULL
);
CREATE TABLE marked (
    level INTEGER NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (level, row)
) WITHOUT ROWID;
CREATE TABLE counts (level INTEGER PRIMARY KEY, rows INTEGER NOT NULL);
"""
_AFTERWARDS = """
CREATE INDEX findings_by_row ON findings (row, start);
INSERT INTO marked SELECT DISTINCT level, row FROM findings;
INSERT INTO counts SELECT level, COUNT(*) FROM marked GROUP BY level;
"""
# Nobody else sees the file, and one that is not finished is thrown away.
_SETTINGS = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
"""


def write_index(
    target: Path,
    as_read: Path,
    findings: Path,
    *,
    reading: str = "",
    progress: Progress | None = None,
) -> None:
    """Write to `target` what there is to know of a file and its findings.

    `findings` is what a check wrote (`files.findings_file`), with rows of `as_read`.
    `reading` is kept beside it: how the file was read. Raises what `progress` raises.
    """
    database = sqlite3.connect(target, isolation_level=None)
    try:
        database.executescript(_SETTINGS + _TABLES)
        database.execute("BEGIN")
        rows = _add_places(database, as_read, progress)
        database.execute("INSERT INTO facts VALUES (?, ?)", [rows, reading])
        _add_findings(database, findings, progress)
        for statement in filter(str.strip, _AFTERWARDS.split(";")):
            database.execute(statement)
        database.execute("COMMIT")
    except BaseException:
        database.close()
        target.unlink(missing_ok=True)
        raise
    database.close()


def _add_places(
    database: sqlite3.Connection, as_read: Path, progress: Progress | None
) -> int:
    """Add where some of the rows begin; return the number of the last row."""
    row, start, told, bucket = 1, 0, 0, -1
    with as_read.open("rb") as file:
        for ends in record_borders(file):
            starts = np.concatenate(([start], ends[:-1]))
            rows = np.arange(row, row + ends.size)
            buckets = starts // EVERY_BYTES
            is_new = np.diff(buckets, prepend=bucket) > 0
            chosen = (rows % EVERY_ROWS == 0) | is_new
            found = zip(rows[chosen].tolist(), starts[chosen].tolist(), strict=True)
            database.executemany("INSERT INTO places VALUES (?, ?)", found)
            row, start, bucket = row + ends.size, int(ends[-1]), int(buckets[-1])
            if progress is not None and start - told >= _TOLD_EVERY:
                told = start
                progress(start, row)
    return row - 1


def _add_findings(
    database: sqlite3.Connection, findings: Path, progress: Progress | None
) -> None:
    database.executemany(
        "INSERT INTO findings VALUES (?, ?, ?)", _places_of(findings, progress)
    )


def _places_of(
    findings: Path, progress: Progress | None
) -> Iterator[tuple[int, int, int]]:
    """Yield row, level and offset of the findings that name a row below the header."""
    start = 0
    room = {"blocks": MOST_FINDINGS, "warns": MOST_FINDINGS}
    with findings.open("rb") as file:
        for number, (cells, raw) in enumerate(read_records(file)):
            level, _, row = cells[:3]
            # A note gives an example, and no row at fault.
            if room.get(level) and row and int(row) > 1:
                room[level] -= 1
                yield int(row), LEVELS.index(level), start
            start += len(raw)
            if progress is not None and number % 10_000 == 0:
                progress(start, number)


class RowIndex:
    """What `write_index` wrote; a context manager, read-only.

    `rows` is the number of the last row that can be read, the header being row 1.
    """

    def __init__(self, path: Path) -> None:
        # Nobody changes the file once it is there, so nothing needs to be locked.
        address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._database = sqlite3.connect(address, uri=True)
        try:
            facts = self._database.execute("SELECT rows, reading FROM facts")
            self.rows, self.reading = facts.fetchone()
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def place(self, row: int) -> tuple[int, int]:
        """Return the last row up to `row` of which it is known where it begins."""
        found: tuple[int, int] = self._database.execute(
            "SELECT row, start FROM places WHERE row <= ? ORDER BY row DESC LIMIT 1",
            [row],
        ).fetchone()
        return found

    def count(self, level: Level) -> int:
        """Return how many rows have a finding of this level."""
        found = self._database.execute(
            "SELECT rows FROM counts WHERE level = ?", [LEVELS.index(level)]
        ).fetchone()
        return found[0] if found else 0

    def marked(
        self, level: Level, *, after: int = 0, before: int = 0, limit: int
    ) -> list[int]:
        """Return the next rows with a finding of this level, in order."""
        way, order, bound = ("<", "DESC", before) if before else (">", "ASC", after)
        found = self._database.execute(
            f"SELECT row FROM marked WHERE level = ? AND row {way} ?"  # nosec B608 # noqa: S608 - our words
            f" ORDER BY row {order} LIMIT ?",
            [LEVELS.index(level), bound, limit],
        ).fetchall()
        rows = [row for (row,) in found]
        return rows[::-1] if before else rows

    def findings(self, rows: Iterable[int]) -> Iterator[tuple[int, int]]:
        """Yield row and offset in the file of the findings of all that is in `rows`."""
        for row in rows:
            yield from self._database.execute(
                "SELECT row, start FROM findings WHERE row = ? ORDER BY start", [row]
            )


def read_rows(
    as_read: BinaryIO, index: RowIndex, rows: Sequence[int]
) -> Iterator[tuple[int, list[str], bytes]]:
    """Yield number, cells and bytes of these rows, which are ascending.

    Rows that are not in the file, or cannot be read, are left out.
    """
    records: Iterator[tuple[list[str], bytes]] = iter(())
    following = 0
    for row in rows:
        if not 1 <= row <= index.rows:
            continue
        place, start = index.place(row)
        if not following or place > following:
            as_read.seek(start)
            records, following = read_records(as_read), place
        while following < row:
            next(records)
            following += 1
        yield row, *next(records)
        following += 1
