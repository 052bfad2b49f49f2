"""How a worker that has nothing to do learns that there is a task.

PostgreSQL tells it: who enqueues a task notifies its queue, and the worker listens.
On SQLite it looks, by one statement that a connection has prepared. A notification is
a hint, as a task is: who misses one looks all the same every `LOOK_SECONDS`. Where none
arrives at all, as behind a pooler that gives a connection to others between two
statements, the worker notices so and looks as often as on SQLite.
"""

import logging
from typing import Any

from django.db import connection
from django_tasks_db.backend import DatabaseBackend
from django_tasks_db.models import DBTaskResult

from console.runtime.shutdown import Stop

log = logging.getLogger(__name__)

# What a listening worker was not told of it finds after this time.
LOOK_SECONDS = 5.0
# A notification comes within milliseconds of its task.
SOON = 1.0

# READY stands in it: with a bound value SQLite does not take the index.
_LOOK = (
    f"SELECT 1 FROM {DBTaskResult._meta.db_table} "  # nosec B608 # noqa: S608 - names of ours
    "WHERE status = 'READY' AND queue_name = {} LIMIT 1"
)


def notify(sender: type, task_result: Any, **_: Any) -> None:
    """Wake the workers of the queue of a task that was just enqueued.

    Within the transaction that stores it, so that nobody is woken too early.
    """
    if connection.vendor == "postgresql" and issubclass(sender, DatabaseBackend):
        with connection.cursor() as cursor:
            channel = _channel(task_result.task.queue_name)
            cursor.execute("SELECT pg_notify(%s, '')", [channel])


def is_waiting(queue: str) -> bool:
    """Tell whether a task of `queue` may be ready."""
    connection.ensure_connection()
    # Past Django's cursor: this is what an idle console does most of the time.
    place = "?" if connection.vendor == "sqlite" else "%s"
    with connection.wrap_database_errors:
        found = connection.connection.execute(_LOOK.format(place), [queue])
        return found.fetchone() is not None


def _channel(queue: str) -> str:
    return f"console_tasks_{queue}"


class Wake:
    """What one worker waits for. Raises what Django raises where the database is away.

    `interval` is how often it looks where nothing is told, in seconds.
    """

    def __init__(self, queue: str, interval: float) -> None:
        self.queue, self.interval = queue, interval
        self.is_told = connection.vendor == "postgresql"
        self._listening: Any = None

    def wait(self, stop: Stop) -> None:
        """Return when there may be a task, or this process was told to stop."""
        if self.is_told:
            self._listen(stop)
            return
        stop.wait(self.interval)
        while not stop.requested and not is_waiting(self.queue):
            stop.wait(self.interval)

    def _listen(self, stop: Stop) -> None:
        connection.ensure_connection()
        if self._listening is not connection.connection:
            self._begin()
            # What came before was told to nobody: the worker looks once more.
            return
        if self._was_notified():
            return
        stop.wait(LOOK_SECONDS, also=self._listening.fileno())
        if stop.requested or self._was_notified() or not is_waiting(self.queue):
            return
        stop.wait(SOON, also=self._listening.fileno())
        if not self._was_notified() and is_waiting(self.queue):
            self.is_told = False
            log.warning(
                "The database tells of no tasks, perhaps since a pooler is between. "
                "Looking for them every %s s instead.",
                self.interval,
            )

    def _begin(self) -> None:
        with connection.cursor() as cursor:
            channel = connection.ops.quote_name(_channel(self.queue))
            cursor.execute(f"LISTEN {channel}")
        self._listening = connection.connection

    def _was_notified(self) -> bool:
        """Tell whether a notification came, and forget all that did."""
        with connection.wrap_database_errors:
            return bool(list(self._listening.notifies(timeout=0)))
