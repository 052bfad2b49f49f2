"""Django's `migrate`, that lets people work on while it waits for a table."""

import time
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from psycopg.errors import DeadlockDetected, LockNotAvailable

# Less than the second after which PostgreSQL looks for deadlocks: this gives way first.
WAIT_MS = 400
TRIES = 1000


class Command(migrate.Command):
    """On PostgreSQL it waits only briefly for a table, lets go, and tries again.

    Who waits for a table that is to be changed keeps everybody else from it as well.
    Each migration is done as a whole or not at all, so that it can be tried again.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise `CommandError` where somebody holds a table for many minutes."""
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {WAIT_MS}")
        try:
            self._try(*args, **options)
        finally:
            with connection.cursor() as cursor:
                cursor.execute("RESET lock_timeout")

    def _try(self, *args: Any, **options: Any) -> None:
        for _ in range(TRIES):
            try:
                super().handle(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                    raise
                self.stdout.write(" A table is in use: it is tried again.")
                time.sleep(WAIT_MS / 1000)
            else:
                return
        raise CommandError(
            "Not all migrations were done: others held a table for many minutes, as a "
            "back-up does. What was done stays, and nothing is half done. Run migrate "
            "again when they are through."
        )
