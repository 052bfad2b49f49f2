"""Dumping a database and restoring it elsewhere: PostgreSQL by its own programs."""

import os
import shutil
import sqlite3
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from console.backup.manifest import Refused


def dump(path: Path) -> dict[str, int]:
    """Write the whole database to `path` as it is at one moment; return its rows.

    Nobody is kept from working meanwhile. Raises `Refused`.
    """
    return _dump_postgres(path) if _is_postgres() else _dump_sqlite(path)


def restored(path: Path, folder: Path, url: str) -> AbstractContextManager[str]:
    """Restore a dump into a database for proof; a context that gives its address.

    On PostgreSQL that is a new database on the same server, unless `url` names another,
    which must be empty; on SQLite a file in `folder`. Raises `Refused`.
    """
    if _is_postgres():
        return _scratch_postgres(path, url)
    return _scratch_sqlite(path, folder)


def rows() -> dict[str, int]:
    """Return how many rows each table has."""
    with connection.cursor() as cursor:
        return _rows(cursor, connection.introspection.table_names(cursor))


def _rows(cursor: Any, tables: list[str]) -> dict[str, int]:
    counted = {}
    for table in sorted(tables):
        name = connection.ops.quote_name(table)
        cursor.execute(f"SELECT COUNT(*) FROM {name}")  # nosec B608 # noqa: S608 - names of tables
        counted[table] = int(cursor.fetchone()[0])
    return counted


def _is_postgres() -> bool:
    return connection.vendor == "postgresql"


def _dump_sqlite(path: Path) -> dict[str, int]:
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as copy:
        connection.connection.backup(copy)
        # One file, which any version of SQLite takes as it is.
        copy.execute("PRAGMA journal_mode=DELETE")
        with closing(copy.cursor()) as cursor:
            found = cursor.execute(
                "SELECT name FROM sqlite_master "
                "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
            return _rows(cursor, [name for (name,) in found])


@contextmanager
def _scratch_sqlite(path: Path, folder: Path) -> Iterator[str]:
    scratch = folder / "scratch.sqlite3"
    shutil.copyfile(path, scratch)
    with closing(sqlite3.connect(scratch)) as copy:
        found = copy.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise Refused(f"The database is damaged: {found}")
    yield f"sqlite:///{scratch}"


def _dump_postgres(path: Path) -> dict[str, int]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        names = connection.introspection.table_names(cursor)
        counted = _rows(cursor, names)
        arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={path}"]
        _postgres("pg_dump", _name(), arguments)
    return counted


@contextmanager
def _scratch_postgres(path: Path, url: str) -> Iterator[str]:
    name = f"console_backup_{uuid.uuid4().hex[:12]}"
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", str(path)]
    if url:
        _run("pg_restore", [f"--dbname={url}", *arguments], {})
        yield url
        return
    _make(f"CREATE DATABASE {name}")
    try:
        _postgres("pg_restore", name, arguments)
        yield _address(name)
    finally:
        _make(f"DROP DATABASE {name}")


def _make(statement: str) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except Exception as error:
        raise Refused(
            f"No database for the proof: {str(error).strip()}. Give its user the right "
            "CREATEDB, or name an empty database with --scratch."
        ) from None


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _parameters() -> dict[str, Any]:
    """Return how the server is reached, as libpq calls it; the password is not told."""
    connection.ensure_connection()
    parameters: dict[str, Any] = connection.connection.info.get_parameters()
    return parameters


def _address(name: str) -> str:
    """Return the address of another database of the same server, as DATABASE_URL."""
    told = _parameters() | {"dbname": name}
    user, password = quote(told.pop("user", ""), safe=""), _password()
    secret = f":{quote(password, safe='')}" if password else ""
    return f"postgres://{user}{secret}@/{told.pop('dbname')}?{urlencode(told)}"


def _password() -> str:
    return str(connection.settings_dict["PASSWORD"] or "")


def _postgres(program: str, database: str, arguments: list[str]) -> None:
    """Run a program on a database of the server that the console uses."""
    where = make_conninfo(**_parameters() | {"dbname": database})
    secret = {"PGPASSWORD": _password()} if _password() else {}
    _run(program, [f"--dbname={where}", *arguments], secret)


def _run(program: str, arguments: list[str], secret: Mapping[str, str]) -> None:
    try:
        done = subprocess.run(  # nosec B603 # noqa: S603 - PostgreSQL's own program
            [program, *arguments],
            env={**os.environ, **secret},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise Refused(
            f"{program} is not installed here. Install PostgreSQL's client programs, "
            "of the server's version or a later one."
        ) from None
    if done.returncode:
        raise Refused(f"{program} failed: {done.stderr.strip()}")
