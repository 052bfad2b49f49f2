"""Reading the file that `files.rows.outcomes.join` wrote: pages, groups, lists of rows.

Every page is found by seeks, so that it costs the same in a large file as in a small.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from files.rows.fates import STATES, GroupTotal, State
from files.rows.record_digests import spellings
from files.rows.row_seeks import END, Place, Seek
from files.rows.row_tables import place_of, read_groups, storable

LIMIT = 100
# Lists are read in pieces of this many rows.
PIECE = 1_000


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """A row and what became of it.

    `row` is its number in the original file, `sent_row` in the file as sent (header =
    1), where it takes `length` bytes from `start` on. `error` is the first that was
    told, or the reason why nothing is known. `group` is the number of its group, None
    where there is no error; `kind` is "create", "update" or "". `record` is the id of
    the record, "" where it was not told.
    """

    row: int
    sent_row: int
    key: str
    state: State
    error: str
    other_errors: tuple[str, ...]
    start: int
    length: int
    group: int | None = None
    kind: str = ""
    record: str = ""


@dataclass(frozen=True)
class Page:
    """Some rows in order, and whether there are others before and after them."""

    rows: list[RowOutcome]
    has_older: bool
    has_newer: bool


class RowStore:
    """The fates of all rows; a context manager, read-only, for any number of threads.

    Each thread has a connection of its own; all are closed at the end.
    """

    def __init__(self, path: Path) -> None:
        # Nobody changes the file once it is there, so nothing needs to be locked.
        self._address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        self._own = threading.local()
        self._all: list[sqlite3.Connection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads."""
        while self._all:
            self._all.pop().close()

    def check(self) -> None:
        """Raise `sqlite3.DatabaseError` if it is broken, or of another version."""
        self.groups(limit=1)
        Seek(self._database, {}).rows(("", 0), 1)

    def groups(self, *, limit: int) -> list[GroupTotal]:
        """Return the largest groups, the largest first."""
        return read_groups(self._database, limit)

    def page(
        self,
        *,
        state: str = "",
        group: int | None = None,
        key: str = "",
        after: int = 0,
        before: int = 0,
        limit: int = LIMIT,
    ) -> Page:
        """Return up to `limit` rows of a state, of a group, with a key.

        In the order of the rows; with a key, those that have it or begin with it, by
        key. It is taken as typed; where nothing begins so, in capitals, then in small
        letters. `after` and `before` are rows of another page, next to which this one
        stands. A state or group that does not exist has no rows.
        """
        filters = self._filters(state, group)
        if filters is None:
            return Page([], has_older=False, has_newer=False)
        key = self._spelling(filters, key)
        seek = Seek(self._database, filters, key)
        place = self._place(after or before, key) if after or before else None
        if place is None:
            found = seek.rows((key, 0), limit)
        elif after:
            found = seek.rows(place, limit)
        else:
            found = seek.rows(place, limit, backwards=True)[::-1]
        rows = self._outcomes(found)
        if not rows:
            return Page([], has_older=bool(after), has_newer=bool(before))
        first, last = ((row.key if key else "", row.row) for row in (rows[0], rows[-1]))
        return Page(
            rows,
            has_older=bool(seek.rows(first, 1, backwards=True)),
            has_newer=bool(seek.rows(last, 1)),
        )

    def carrying(self, text: str, *, limit: int) -> list[RowOutcome]:
        """Return the first rows of which `text` is the key or the record id.

        Spaces around it do not matter; nor whether an id of Salesforce has its suffix.
        """
        found = Seek(self._database).carrying(spellings(storable(text)), limit)
        return self._outcomes(found)

    def values(self) -> Iterator[str]:
        """Yield the key and the record id of every row, where it has them."""
        for key, record in self._database.execute("SELECT key, record FROM rows"):
            if key:
                yield key
            if record and record != key:
                yield record

    def outcome(self, row: int) -> RowOutcome | None:
        """Return what became of one row, None where there is no such row."""
        found = self._outcomes(Seek(self._database, {}).rows(("", row - 1), 1))
        return found[0] if found and found[0].row == row else None

    def outcomes(self, state: str = "") -> Iterator[RowOutcome]:
        """Yield all rows of a state, or all, in order."""
        seek = Seek(self._database, {"state": place_of(state)} if state else {})
        row = 0
        while piece := self._outcomes(seek.rows(("", row), PIECE)):
            yield from piece
            row = piece[-1].row

    def keys(self, state: State) -> Iterator[tuple[str, str]]:
        """Yield key and first error of the rows of a state that have a key, by key."""
        yield from self._database.execute(
            "SELECT rows.key, COALESCE(groups.error, '') FROM rows"
            " LEFT JOIN groups ON groups.id = rows.grp"
            " WHERE rows.state = ? AND rows.key > '' ORDER BY rows.key",
            [place_of(state)],
        )

    def has(self, state: State, key: str) -> bool:
        """Tell whether a row of a state has this very key."""
        found = self._database.execute(
            "SELECT 1 FROM rows WHERE state = ? AND key = ? LIMIT 1",
            [place_of(state), key],
        )
        return found.fetchone() is not None

    @property
    def _database(self) -> sqlite3.Connection:
        database: sqlite3.Connection | None = getattr(self._own, "database", None)
        if database is None:
            # Closed by whichever thread closes the store.
            database = sqlite3.connect(
                self._address, uri=True, check_same_thread=False, isolation_level=None
            )
            self._own.database = database
            self._all.append(database)
        return database

    def _filters(self, state: str, group: int | None) -> dict[str, int] | None:
        """Return the column that filters, or None where no row can pass.

        All rows of a group have one state, so that one column is always enough.
        """
        if group is None:
            return {"state": place_of(state)} if state else {}
        if not 0 < group <= END:
            return None
        found = self._database.execute(
            "SELECT state FROM groups WHERE id = ?", [group]
        ).fetchone()
        if not found or (state and found[0] != place_of(state)):
            return None
        return {"grp": group}

    def _spelling(self, filters: dict[str, int], key: str) -> str:
        """Return the key as some row begins with it, or as it was typed."""
        key = storable(key)
        if not key:
            return key
        for spelling in dict.fromkeys((key, key.upper(), key.lower())):
            if Seek(self._database, filters, spelling).rows((spelling, 0), 1):
                return spelling
        return key

    def _place(self, row: int, key: str) -> Place | None:
        """Return the place of a row in the order of the page; None if it has none."""
        row = max(0, min(row, END))
        if not key:
            return "", row
        found = self._database.execute(
            "SELECT key FROM rows WHERE row = ?", [row]
        ).fetchone()
        return (found[0], row) if found and found[0].startswith(key) else None

    def _outcomes(self, found: list[Any]) -> list[RowOutcome]:
        """Return rows as they were read, with all errors in words."""
        texts: dict[int, str] = {}
        for others in {row[5] for row in found if row[5]}:
            texts |= self._database.execute(
                "SELECT id, error FROM groups"
                " WHERE id IN (SELECT value FROM json_each(?))",
                [others],
            )
        return [_outcome(row, texts) for row in found]


def _outcome(found: Any, texts: dict[int, str]) -> RowOutcome:
    row, sent_row, key, state, group, others, start, length, error, kind, record = found
    return RowOutcome(
        row=row,
        sent_row=sent_row,
        key=key,
        state=STATES[state],
        error=error or "",
        other_errors=tuple(texts[id_] for id_ in json.loads(others or "[]")),
        start=start,
        length=length,
        group=group,
        kind=kind or "",
        record=record or "",
    )
