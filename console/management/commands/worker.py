"""A worker: runs the tasks of one queue, whatever becomes of the database meanwhile."""

import logging
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection, connections
from django_tasks_db.management.commands import db_worker

from console.health import pulse
from console.health.workers import tasks_are_in_database
from console.models import Heartbeat
from console.processes import name_process, this_process
from console.runtime.shutdown import GRACE, Stop
from console.runtime.wake import Wake

log = logging.getLogger(__name__)

BEAT_SECONDS = 5
# Somebody who pressed Send looks on; what the other queues do takes longer anyway.
LOOK_EVERY = {"sending": 0.1}
LOOK_SELDOM = 0.5
# A database that is away is asked again after 1 s, 2 s … and then every so many.
LONGEST_PAUSE = 10


class Command(BaseCommand):
    """Run until SIGTERM or SIGINT; then finish or hand back what is held; exit 0."""

    help = "Run the tasks of one queue; any number of these may run, on any machines."

    def add_arguments(self, parser: CommandParser) -> None:
        queues = settings.TASKS["default"]["QUEUES"]
        parser.add_argument("--queue", required=True, choices=queues)
        parser.add_argument(
            "--interval",
            type=float,
            help="seconds between two looks, where the database tells of no tasks "
            f"(sending {LOOK_EVERY['sending']}, others {LOOK_SELDOM})",
        )
        parser.add_argument(
            "--grace",
            type=float,
            default=GRACE,
            help="seconds that a task may go on after SIGTERM",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not tasks_are_in_database():
            backend = settings.TASKS["default"]["BACKEND"]
            raise CommandError(
                f"The tasks are given to {backend}, which has a worker of its own: see "
                "“Another task engine” in docs/operating.md."
            )
        queue = options["queue"]
        name_process(f"worker {queue}")
        threading.Thread(target=beat_on, args=[queue], daemon=True).start()
        interval = options["interval"] or LOOK_EVERY.get(queue, LOOK_SELDOM)
        worker = Worker(queue=queue, interval=interval)
        with Stop(grace=options["grace"], then=worker.begin_nothing) as worker.stop:
            worker.run()


def beat_on(queue: str) -> None:
    """Say every few seconds that this process is alive, for as long as it is."""
    while True:
        try:
            Heartbeat.beat(queue, pulse_seen=pulse.noted())
        except (DatabaseError, InterfaceError):
            connection.close()
        time.sleep(BEAT_SECONDS)


class Worker(db_worker.Worker):
    """The database backend's worker, that does not end when the database is away."""

    stop: Stop

    def __init__(self, *, queue: str, interval: float) -> None:
        super().__init__(
            queue_names=[queue],
            interval=interval,
            # It returns when there is no task: we wait in our own way.
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=this_process(),
            excluded_queue_names=[],
        )
        self.wake = Wake(queue, interval)

    def begin_nothing(self) -> None:
        """Take no further task; the one that runs goes on."""
        self.running = False

    def run(self) -> None:
        """Run tasks until told to stop.

        A restart of PostgreSQL, or SQLite locked for too long, costs a pause. The task
        that ran then stays marked as running; its row is swept, and the clock gives out
        anew what it stood for.
        """
        pause = 0
        while self.running:
            began = time.monotonic()
            try:
                super().run()
                if self.running:
                    self.wake.wait(self.stop)
            except (DatabaseError, InterfaceError) as error:
                if time.monotonic() - began > LONGEST_PAUSE:
                    pause = 0
                pause = min(pause + 1, LONGEST_PAUSE)
                text = "The database could not be used; trying again in %s s: %s"
                log.warning(text, pause, str(error).strip())
                connections.close_all()
                self.stop.wait(pause)
