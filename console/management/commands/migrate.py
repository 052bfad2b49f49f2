"""Django's `migrate`, that lets people work on."""

import time
from typing import Any, Self

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.postgresql.schema import DatabaseSchemaEditor

# Less than the second after which PostgreSQL looks for deadlocks, and ends a request.
WAIT_MS = 400
PAUSE_SECONDS = 0.4
TRIES = 1000


class _InUse(Exception):
    """Somebody else was at a table."""


class _OwnsAllTables(DatabaseSchemaEditor):
    """It has every table before it changes one, or none.

    With some of them it would wait for a request that waits for it.
    """

    def __enter__(self) -> Self:
        super().__enter__()
        if not self.atomic_migration:
            return self
        try:
            self._lock()
        except OperationalError as error:
            self.atomic.__exit__(type(error), error, error.__traceback__)
            raise _InUse from error
        return self

    def _lock(self) -> None:
        with self.connection.cursor() as cursor:
            tables = self.connection.introspection.table_names(cursor)
            if not tables:
                return
            names = ", ".join(map(self.quote_name, tables))
            cursor.execute(f"SET LOCAL statement_timeout = {WAIT_MS}")
            cursor.execute(f"LOCK TABLE {names}")
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


class Command(migrate.Command):
    """On PostgreSQL it waits only briefly for the tables, lets go, and tries again.

    Who waits for a table keeps everybody else from it as well. Each migration is done
    as a whole or not at all, so that it can be tried again.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        """Raise `CommandError` where somebody holds a table for many minutes."""
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        usual, connection.SchemaEditorClass = (
            connection.SchemaEditorClass,
            _OwnsAllTables,
        )
        try:
            self._try(*args, **options)
        finally:
            connection.SchemaEditorClass = usual

    def _try(self, *args: Any, **options: Any) -> None:
        for _ in range(TRIES):
            try:
                super().handle(*args, **options)
            except _InUse:
                self.stdout.write(" A table is in use: trying again.")
                time.sleep(PAUSE_SECONDS)
            else:
                return
        raise CommandError(
            "Not all migrations were done: others held a table for many minutes, as a "
            "back-up does. What was done stays, and nothing is half done. Run migrate "
            "again when they are through."
        )
