"""What keeps the console from storing something, in words: a full disk, a lock …"""

import errno
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections


@dataclass(frozen=True)
class Trouble:
    """A cause that is none of the console's own mistakes.

    `name` is what the health page calls it. `text` says what is the matter, `remedy`
    what to do about it; both are whole sentences.
    """

    name: str
    text: str
    remedy: str


FULL = Trouble(
    "full",
    "The disk of this console is full.",
    "Ask whoever runs this console to free disk space, then try again.",
)
LOW = Trouble(
    "low",
    "The disk of this console has too little space left for uploads. Confirmed writes "
    "are still sent.",
    "Ask whoever runs this console to free disk space, then upload it again.",
)
LOCKED = Trouble(
    "locked",
    "The database was locked for too long by something else.",
    "Try again in a moment. If that does not help, ask whoever runs this console to "
    "find out what else has the database open.",
)
READ_ONLY = Trouble(
    "read-only",
    "The disk or the database of this console is read-only.",
    "Ask whoever runs this console to make it writable, then try again.",
)
DENIED = Trouble(
    "not writable",
    "This console has no permission to write its files.",
    "Ask whoever runs this console to give its user write access to DATA_DIR, then try "
    "again.",
)
MISSING = Trouble(
    "missing",
    "The directory where this console keeps its files is missing.",
    "Ask whoever runs this console to restore or mount DATA_DIR, then try again.",
)
BROKEN = Trouble(
    "failing",
    "The disk of this console reports errors.",
    "Ask whoever runs this console to check the disk and the backups.",
)
AWAY = Trouble(
    "unreachable",
    "The database of this console cannot be reached.",
    "Try again in a moment. If that does not help, ask whoever runs this console to "
    "check the database and DATABASE_URL.",
)
MEMORY = Trouble(
    "memory",
    "This console ran out of memory.",
    "Try again in a moment. If that does not help, ask whoever runs this console to "
    "give it more memory.",
)
PENDING = Trouble(
    "migrations pending",
    "The database does not match this version of the console.",
    "Ask whoever runs this console to run “manage.py migrate” and restart all "
    "processes.",
)


class TooLittleRoom(OSError):
    """An upload would take the room that is kept for what is being sent."""


class Prevented(Exception):
    """What was confirmed is good and cannot leave now; the text says why, for people.

    Somebody has to put that right: a setting, a store, an address that is away.
    """


_BY_ERRNO = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: DENIED,
    errno.EPERM: DENIED,
    errno.EIO: BROKEN,
    errno.ESTALE: MISSING,
    errno.ENOMEM: MEMORY,
}
_BY_SQLITE_CODE = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: BROKEN,
}
_BY_SQLSTATE = {
    "53100": FULL,
    "53200": MEMORY,
    "25006": READ_ONLY,
    "40P01": LOCKED,
    "55P03": LOCKED,
    "57014": LOCKED,
}
# A row that there may be once is there, or one that it belongs to is gone.
_CONFLICTS = (
    *(sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY),
    *(sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, "23505", "23503"),
)
# A table or a column is not there: SQLite's only word for it is "error".
_NOT_THERE = ("42P01", "42703")


def trouble_of(error: BaseException | None) -> Trouble | None:
    """Return what the error comes from, None where it is a mistake of the console."""
    return next((_trouble_of(each) for each in _chain(error) if _tells(each)), None)


def is_conflict(error: BaseException | None) -> bool:
    """Tell whether the database refused something because of what others had stored.

    Forms look for that first: it was stored, or deleted, after they looked.
    """
    codes = ("sqlite_errorcode", "sqlstate")
    return any(
        getattr(each, code, None) in _CONFLICTS
        for each in _chain(error)
        for code in codes
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the causes of an error, the first one first: those of Django say less."""
    if error is None:
        return
    yield from _chain(error.__cause__)
    yield error


def _tells(error: BaseException) -> bool:
    """Tell whether an error is one of memory, of a disk or a database."""
    kinds = (MemoryError, OSError, sqlite3.Error, DatabaseError, InterfaceError)
    return isinstance(error, kinds) or hasattr(error, "sqlstate")


def _trouble_of(error: BaseException) -> Trouble | None:
    if isinstance(error, MemoryError):
        # SQLite's own want of it comes as this, too.
        return MEMORY
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_ERROR:
            return PENDING if migrations_are_pending() else None
        # That it cannot open or write a file has many causes: the disk tells which.
        return _BY_SQLITE_CODE.get(code) or disk_trouble() or _of_any_database(error)
    if isinstance(error, FileNotFoundError):
        return None if Path(settings.DATA_DIR).is_dir() else MISSING
    if isinstance(error, TooLittleRoom):
        return LOW
    if isinstance(error, OSError):
        return _BY_ERRNO.get(error.errno or 0)
    state = getattr(error, "sqlstate", None)
    if state in _NOT_THERE:
        return PENDING if migrations_are_pending() else None
    return _BY_SQLSTATE.get(state or "") or _of_any_database(error)


def _of_any_database(error: BaseException) -> Trouble | None:
    """Return that the database is away, where it could not be used at all."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return AWAY if names & {"OperationalError", "InterfaceError"} else None


def in_words(error: OSError) -> str:
    """Say what is wrong with a file or a disk, and never in the words of the system.

    What the console raised itself has words already.
    """
    if trouble := trouble_of(error):
        return f"{trouble.text} {trouble.remedy}"
    if error.errno is None:
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "A file of this console is missing."
    return "A file of this console could not be read. Its log has the cause."


def disk_trouble() -> Trouble | None:
    """Write a little where files and an SQLite database are; return what is amiss."""
    return next(filter(None, map(_probe, _folders())), None)


def _folders() -> list[Path]:
    folders = [Path(settings.DATA_DIR)]
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    name = str(database["NAME"])
    if database["ENGINE"].endswith("sqlite3") and ":memory:" not in name:
        folders.append(Path(name).parent)
    return list(dict.fromkeys(folders))


def _probe(folder: Path) -> Trouble | None:
    """Make a file and fill a block of it: it takes room, an inode, and the right."""
    path = folder / f".probe-{uuid.uuid4().hex}"
    try:
        try:
            path.write_bytes(bytes(4096))
        finally:
            path.unlink(missing_ok=True)
    except (FileNotFoundError, NotADirectoryError):
        return MISSING
    except OSError as error:
        return _BY_ERRNO.get(error.errno or 0, BROKEN)
    return None


def migrations_are_pending() -> bool:
    """Tell whether the database lacks a migration of this version.

    Once it lacks none this is not asked again: a process has one version. A database
    that cannot be asked is not said to lack any.
    """
    try:
        return not _is_migrated()
    except _Pending:
        return True
    except (DatabaseError, InterfaceError):
        return False


class _Pending(Exception):
    """Not kept by the cache, so that it is asked again."""


@cache
def _is_migrated() -> bool:
    if pending_migrations():
        raise _Pending
    return True


def pending_migrations() -> list[str]:
    """Return the migrations of this version that the database lacks, in their order."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
