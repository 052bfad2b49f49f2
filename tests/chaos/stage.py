"""The stage: Django, a database, a sandbox, and people with something to write."""

import gc
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos import clock, remote
from tests.chaos.databases import Database, Postgres, Sqlite
from tests.chaos.processes import done


@dataclass
class Stage:
    """A database and a sandbox on which the same can be played again and again."""

    database: Database
    remote: remote.Remote
    directory: Path

    def set(self, play: str) -> None:
        """Put everything back to the beginning of a play."""
        clock.reset()
        self.database.restore(play)
        self.remote.reset()


@contextmanager
def stage(database: str) -> Iterator[Stage]:
    """Set everything up for "sqlite" or "postgres"; take it down afterwards."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        directory = Path(name)
        made: Database = Sqlite(directory)
        if database == "postgres":
            made = Postgres(directory)
        try:
            _set_up_django(directory, made)
            running = remote.start()
            try:
                built = Stage(made, running, directory)
                _prepare(built)
                yield built
            finally:
                running.stop()
        finally:
            made.stop()


def _set_up_django(directory: Path, database: Database) -> None:
    import django

    os.environ["CHAOS_DIR"] = str(directory)
    os.environ["TEST_DATABASE_URL"] = database.url
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.chaos.settings"
    clock.install()
    django.setup()


def _prepare(built: Stage) -> None:
    from django.core.management import call_command

    from console.runtime import db_retry

    done(lambda: call_command("migrate", verbosity=0))
    done(lambda: _people(built.remote.url))
    built.database.keep("empty")
    clock.set_clients()
    db_retry.PAUSE = 0.2
    _warm_up(built)


def _warm_up(built: Stage) -> None:
    """Write once in this process, so that those forked from it find all loaded."""
    from django.db import connections

    from console import clients
    from tests.chaos import plays, workers

    plays.CREATE.prepare()
    workers.work()
    connections.close_all()
    clients.client_for.cache_clear()
    built.set("empty")
    # Else each process that is forked copies it all when it collects its garbage.
    gc.collect()
    gc.freeze()


def _people(url: str) -> None:
    from console.access.roles import Role
    from tests.conftest import make_project, make_user

    make_user("olga", Role.OPERATOR)
    make_project(write_url=f"{url}/v1", api_url=f"{url}/v1")
