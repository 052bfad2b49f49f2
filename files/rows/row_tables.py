"""The SQLite file that keeps every row's fate: its tables, and how it is written.

It is written once, under another name, and never changed: whoever reads it sees all of
it or the one before. Every page of rows is a seek in one of the indexes.
"""

import os
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from files.rows.fates import KEPT, STATES, GroupTotal, State, Totals

# (row, sent row, key, state, group, other groups, first byte, bytes, record id). States
# are places in STATES. The group is that of the first error; it is NULL where there is
# nothing to say. Other groups are a JSON list, or NULL. The id is NULL where none was
# told.
Stored = tuple[int, int, str, int, int | None, str | None, int, int, str | None]

TABLES = """
CREATE TABLE rows (
    row INTEGER PRIMARY KEY, sent_row INTEGER NOT NULL, key TEXT NOT NULL,
    state INTEGER NOT NULL, grp INTEGER, others TEXT, start INTEGER NOT NULL,
    length INTEGER NOT NULL, record TEXT
);
CREATE TABLE groups (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, error TEXT NOT NULL,
    state INTEGER NOT NULL, count INTEGER NOT NULL
);
"""
# Made at the end, which is faster. A row's number stands at the end of each by itself.
INDEXES = """
CREATE INDEX rows_by_key ON rows (key);
CREATE INDEX rows_by_state ON rows (state);
CREATE INDEX rows_by_state_key ON rows (state, key);
CREATE INDEX rows_by_record ON rows (record) WHERE record IS NOT NULL;
CREATE INDEX rows_by_group ON rows (grp) WHERE grp IS NOT NULL;
CREATE INDEX rows_by_group_key ON rows (grp, key) WHERE grp IS NOT NULL;
CREATE INDEX groups_by_count ON groups (count DESC, id);
"""
# Nobody else sees the file, and one that is not finished is thrown away.
SETTINGS = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA temp_store = FILE;
PRAGMA cache_size = -16384;
"""


def storable(text: str) -> str:
    """Return the text without halves of surrogate pairs: JSON has them, SQLite not."""
    return text if text.isascii() else text.encode(errors="replace").decode()


class RowWriter:
    """Writes the file; a context manager. Without `finish` nothing is left behind."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        self._groups: dict[tuple[str, str, State], int] = {}

    def __enter__(self) -> Self:
        self._database = sqlite3.connect(self._path, isolation_level=None)
        try:
            self._database.executescript(SETTINGS + TABLES)
            self._database.execute("BEGIN")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._path.unlink(missing_ok=True)

    def group(self, kind: str, error: str, state: State) -> int:
        """Return the number of the group with this error and state."""
        return self._groups.setdefault((kind, error, state), len(self._groups) + 1)

    def add(self, rows: Iterable[Stored]) -> None:
        """Write rows. Raises ValueError where two have the same number."""
        marks = ",".join("?" * 9)
        try:
            self._database.executemany(f"INSERT INTO rows VALUES ({marks})", rows)  # nosec B608 # noqa: S608 - marks only
        except sqlite3.IntegrityError as error:
            raise ValueError("Two rows of the parts have the same number.") from error

    def finish(self, *, loose: Sequence[str], alarms: Sequence[str]) -> Totals:
        """Count what was written, and put the file in its place."""
        self._add_groups()
        for statement in filter(str.strip, INDEXES.split(";")):
            self._database.execute(statement)
        totals = self._totals(loose, alarms)
        self._database.execute("COMMIT")
        self._database.close()
        with self._path.open("rb") as file:
            os.fsync(file.fileno())
        self._path.replace(self._target)
        return totals

    def _add_groups(self) -> None:
        counts: dict[int, int] = dict(
            self._database.execute(
                "SELECT grp, COUNT(*) FROM rows WHERE grp IS NOT NULL GROUP BY grp"
            )
        )
        self._database.executemany(
            "INSERT INTO groups VALUES (?, ?, ?, ?, ?)",
            (
                (id_, kind, storable(error), STATES.index(state), counts.get(id_, 0))
                for (kind, error, state), id_ in self._groups.items()
            ),
        )

    def _totals(self, loose: Sequence[str], alarms: Sequence[str]) -> Totals:
        counts: dict[int, int] = dict(
            self._database.execute("SELECT state, COUNT(*) FROM rows GROUP BY state")
        )
        succeeded, failed, unknown, not_sent = (counts.get(n, 0) for n in range(4))
        return Totals(
            rows=sum(counts.values()),
            succeeded=succeeded,
            failed=failed,
            unknown=unknown,
            not_sent=not_sent,
            groups=read_groups(self._database, KEPT),
            group_count=len(self._groups),
            loose=[storable(text) for text in loose[:KEPT]],
            alarms=[storable(text) for text in alarms[:KEPT]],
        )


def read_groups(database: sqlite3.Connection, limit: int) -> list[GroupTotal]:
    """Return the largest groups, the largest first."""
    found = database.execute(
        "SELECT id, error, kind, count, state FROM groups"
        " ORDER BY count DESC, id LIMIT ?",
        [limit],
    )
    return [
        GroupTotal(id_, error, kind, count, STATES[place])
        for id_, error, kind, count, place in found
    ]


def place_of(state: str) -> int:
    """Return a state as it is stored; -1, which no row has, for any other word."""
    return next((n for n, known in enumerate(STATES) if known == state), -1)
