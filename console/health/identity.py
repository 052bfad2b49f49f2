"""Which database this is: what a copy of it, or a restored one, has otherwise.

PostgreSQL tells its server, its timeline, the database and the table by numbers that a
dump does not carry: who restores one makes the table anew, also in the same database. A
file of SQLite has the moment at which it was made, which no copy takes along.
"""

import ctypes
import logging
import os
from contextlib import nullcontext
from functools import cache
from pathlib import Path

from django.db import NotSupportedError, ProgrammingError, connection, transaction

log = logging.getLogger(__name__)

type Identity = dict[str, str]

# What changes when a standby takes over, too; the others only with the database.
TIMELINE = "timeline"

_OIDS = """SELECT
    (SELECT oid FROM pg_database WHERE datname = CURRENT_DATABASE())::text,
    'console_pulse'::regclass::oid::text"""
_SERVER = """SELECT
    (SELECT system_identifier FROM pg_control_system())::text,
    SUBSTR(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"""


def identity() -> Identity:
    """Return what tells this database from its copies; empty for one in memory."""
    if connection.vendor == "sqlite":
        return _of_file(str(connection.settings_dict["NAME"]))
    if connection.vendor != "postgresql":
        return {}
    names = ("database", "table")
    return dict(zip(names, _row(_OIDS), strict=True)) | _server()


def differences(before: Identity | None, now: Identity) -> set[str]:
    """Return the names of what is otherwise, of what is known of both."""
    before = before or {}
    return {name for name in before.keys() & now.keys() if before[name] != now[name]}


def _row(sql: str) -> tuple[str, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row: tuple[str, ...] = cursor.fetchone()
    return row


def _server() -> Identity:
    """Return which server it is; empty where its owner lets nobody ask."""
    in_here = transaction.atomic if connection.in_atomic_block else nullcontext
    try:
        with in_here():
            server, timeline = _row(_SERVER)
    except (ProgrammingError, NotSupportedError) as error:
        _say_once(str(error).strip())
        return {}
    return {"server": server, TIMELINE: timeline}


@cache
def _say_once(error: str) -> None:
    log.warning("PostgreSQL does not tell which server it is: %s", error)


def _of_file(name: str) -> Identity:
    path = Path(name)
    if not path.is_file():
        return {}
    return {"file": str(_made_at(path) or path.stat().st_ino)}


class _Moment(ctypes.Structure):
    _fields_ = (
        ("seconds", ctypes.c_int64),
        ("nanoseconds", ctypes.c_uint32),
        ("_spare", ctypes.c_int32),
    )


class _Statx(ctypes.Structure):
    """`struct statx` of Linux, as far as it is read here."""

    _fields_ = (
        ("mask", ctypes.c_uint32),
        ("_before", ctypes.c_uint8 * 76),
        ("made_at", _Moment),
        ("_after", ctypes.c_uint8 * 160),
    )


_AT_FDCWD = -100
_STATX_BTIME = 0x800


def _made_at(path: Path) -> int:
    """Return when a file was made, in ns: 0 where that is not known.

    Python has no call for it on Linux. The number of a file alone may be given to the
    next one.
    """
    told = _Statx()
    try:
        statx = ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError):
        return 0
    name = os.fsencode(path)
    if statx(_AT_FDCWD, name, 0, _STATX_BTIME, ctypes.byref(told)):
        return 0
    if not told.mask & _STATX_BTIME:
        return 0
    made_at: int = told.made_at.seconds * 10**9 + told.made_at.nanoseconds
    return made_at
