"""The clock: turns what is due into nudges for the workers."""

import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from console.models import Heartbeat
from console.processes import name_process
from operations import breaker, sync
from writes import file_jobs, parts, sending, settling, sweep

log = logging.getLogger(__name__)

# How long the results of finished tasks are kept; our own rows hold the truth.
TASK_RESULT_DAYS = 1
PRUNE_EVERY_TICKS = 3600


class Command(BaseCommand):
    """Run until SIGTERM or SIGINT. Several do no harm: each claim is conditional."""

    help = "Give the workers a nudge for everything that is due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="seconds")
        parser.add_argument("--once", action="store_true", help="one tick, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            tick()
            return
        name_process("clock")
        stopped = threading.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stopped.set())
        ticks = 0
        while not stopped.is_set():
            self._tick_safely(prune=ticks % PRUNE_EVERY_TICKS == 0)
            ticks += 1
            stopped.wait(options["interval"])

    def _tick_safely(self, *, prune: bool) -> None:
        """Tick; a database that is away for a while must not end the clock."""
        close_old_connections()
        try:
            tick()
            if prune:
                _prune()
        except (DatabaseError, InterfaceError):
            log.exception("The database could not be used; trying again")


def tick() -> None:
    """Say that the clock is alive, and turn to everything that is due."""
    now = timezone.now()
    Heartbeat.beat("clock")
    sending.recover_overdue(now)
    parts.release_held(now)
    sending.nudge_due(now)
    sync.nudge_due(now)
    breaker.nudge_due(now)
    settling.join_told(now)
    file_jobs.nudge_due(now)


def _prune() -> None:
    sweep.sweep(timezone.now())
    if "DatabaseBackend" in settings.TASKS["default"]["BACKEND"]:
        call_command(
            "prune_db_task_results", queue_name="*", min_age_days=TASK_RESULT_DAYS
        )
