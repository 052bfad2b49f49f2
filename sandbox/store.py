"""Where the sandbox keeps everything: one SQLite database, in memory or in a file."""

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Row = sqlite3.Row

_TABLES = """
-- One Salesforce organisation per groupRef: customers never see each other's records.
CREATE TABLE IF NOT EXISTS records (
    number INTEGER PRIMARY KEY, org TEXT NOT NULL, object TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS records_by_object ON records (object, number);
-- External IDs, folded to lower case because Salesforce matches them so by default.
CREATE TABLE IF NOT EXISTS keys (
    org TEXT NOT NULL, object TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL,
    id TEXT NOT NULL, PRIMARY KEY (org, object, field, value, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_id ON keys (id);
CREATE TABLE IF NOT EXISTS sequences (prefix TEXT PRIMARY KEY, last INTEGER NOT NULL);
-- done: rows already written, so that a killed job goes on where it stopped.
CREATE TABLE IF NOT EXISTS operations (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, integration TEXT NOT NULL,
    org TEXT NOT NULL, object TEXT NOT NULL, fault TEXT NOT NULL, primary_key TEXT,
    url TEXT, status TEXT NOT NULL, result TEXT, created REAL NOT NULL,
    due REAL NOT NULL, polls INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0
);
-- The CSV of an operation, from when it is there until it is written. Apart from its
-- row: that is changed with every question and step, and SQLite writes a row anew.
CREATE TABLE IF NOT EXISTS csvs (operation TEXT PRIMARY KEY, csv TEXT NOT NULL);
-- The bulk jobs that delete; all others upsert.
CREATE TABLE IF NOT EXISTS deletions (operation TEXT PRIMARY KEY);
-- Files that were, or may be, put at an address of the sandbox's own.
CREATE TABLE IF NOT EXISTS uploads (
    token TEXT PRIMARY KEY, reference TEXT NOT NULL UNIQUE, md5 TEXT NOT NULL,
    made REAL NOT NULL, content BLOB
);
-- The records of an asynchronous batch, until they are written; how often it was tried.
CREATE TABLE IF NOT EXISTS batches (
    operation TEXT PRIMARY KEY, kind TEXT NOT NULL, records TEXT NOT NULL,
    all_or_none INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS outcomes (
    number INTEGER PRIMARY KEY, operation TEXT NOT NULL, record TEXT, key TEXT,
    error TEXT
);
CREATE INDEX IF NOT EXISTS outcomes_by_operation ON outcomes (operation);
CREATE TABLE IF NOT EXISTS logs (
    number INTEGER PRIMARY KEY, operation TEXT NOT NULL, time REAL NOT NULL,
    visible REAL NOT NULL, severity TEXT NOT NULL, message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS logs_by_operation ON logs (operation);
CREATE TABLE IF NOT EXISTS requests (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, time TEXT NOT NULL,
    method TEXT NOT NULL, path TEXT NOT NULL, key_sha256 TEXT NOT NULL,
    body_sha256 TEXT NOT NULL, group_ref TEXT
);
-- The end of a request. No status: it got no answer. No row: it is under way.
CREATE TABLE IF NOT EXISTS ends (
    request TEXT PRIMARY KEY, status INTEGER, worked INTEGER NOT NULL, operation TEXT
);
CREATE TABLE IF NOT EXISTS searches (
    number INTEGER PRIMARY KEY, object TEXT NOT NULL, field TEXT NOT NULL,
    value TEXT NOT NULL
);
-- The faults that requests to come will have, by their numbers.
CREATE TABLE IF NOT EXISTS plans (request INTEGER PRIMARY KEY, fault TEXT NOT NULL);
"""

# A state file of before, whose operations held their CSV themselves.
_MOVE_CSVS = """
INSERT OR IGNORE INTO csvs SELECT id, body FROM operations WHERE body IS NOT NULL;
UPDATE operations SET body = NULL WHERE body IS NOT NULL;
"""

_NAMES = (
    "records",
    "keys",
    "sequences",
    "operations",
    "csvs",
    "deletions",
    "uploads",
    "batches",
    "outcomes",
    "logs",
    "requests",
    "ends",
    "searches",
    "plans",
)


class Store:
    """A SQLite database behind one lock; all writing happens in `transaction()`."""

    def __init__(self, path: Path | str | None = None) -> None:
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        # Python warns about databases left open; nobody has to close a sandbox.
        self._close = weakref.finalize(self, _close, self.lock, self._connection)
        self._connection.row_factory = sqlite3.Row
        # A write-ahead log survives a killed process without a sync per commit.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)
        columns = self._connection.execute("PRAGMA table_info(operations)")
        if "body" in [column["name"] for column in columns]:
            self._connection.executescript(_MOVE_CSVS)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and nobody else in between; nesting joins the outer one."""
        with self.lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """Every row of a query."""
        with self.lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Row | None:
        """The first row of a query."""
        with self.lock:
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def run(self, sql: str, *values: Any) -> None:
        """Execute one statement."""
        with self.lock:
            self._connection.execute(sql, values)

    def run_many(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Execute one statement for many rows."""
        with self.lock:
            self._connection.executemany(sql, rows)

    def take_numbers(self, prefix: str, count: int) -> range:
        """The next `count` numbers of the records with this id prefix, from 1 on."""
        row = self.row("SELECT last FROM sequences WHERE prefix = ?", prefix)
        last = row["last"] if row else 0
        self.run("REPLACE INTO sequences VALUES (?, ?)", prefix, last + count)
        return range(last + 1, last + 1 + count)

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            for name in _NAMES:
                self.run(f"DELETE FROM {name}")  # nosec B608 # noqa: S608 - our own names

    def close(self) -> None:
        """Close the database; the file keeps everything."""
        self._close()


def _close(lock: Any, connection: sqlite3.Connection) -> None:
    """Close once nobody uses the database, and let no other thread at it any more.

    Threads go on while a process ends, and SQLite crashes where one closes what another
    one is using. So the lock is never given back: who wants it waits for the end.
    """
    lock.acquire()
    connection.close()
