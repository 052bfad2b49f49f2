"""The clock, our scheduler: enqueues for the workers what is due.

It looks every second whether there is anything to do, and ticks when there is; and
every `LONGEST_QUIET` seconds whatever the look says.
"""

import logging
import math
import time
from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from console.health import audit_head, pulse
from console.health.abandoned_tasks import forget_abandoned
from console.health.workers import tasks_are_in_database
from console.models import Heartbeat
from console.processes import name_process
from console.runtime import db_clock, statistics
from console.runtime.shutdown import Stop
from console.sign_in import kept_form
from operations import dispatch as dispatch_operations
from operations.worker import count_days
from writes import dispatch as dispatch_writes
from writes.actions import (
    approve,
    catch_up,
    look,
    release_parts,
    retention,
    settle,
    tell,
)
from writes.actions.hold_restored import hold_restored
from writes.worker import run_calls, send

log = logging.getLogger(__name__)

# How long the results of finished tasks are kept; our own rows hold the truth.
TASK_RESULT_DAYS = 1
PRUNE_EVERY = 3600
NOTE_HEAD_EVERY = 600
# Well below what workers and monitors wait for: `Heartbeat.PATIENCE`, `Pulse.GAP`.
BEAT_EVERY = 10
LONGEST_QUIET = 30
# Days are counted again so often, or so many times as seldom as it took.
COUNT_EVERY = 5
COUNT_PAUSE = 20
# What is older than an index is looked for so often, and worked off in so many times
# the seconds that a piece of it took.
LOOK_BACK_EVERY = 60
CATCH_UP_PAUSE = 4
# After a tick that failed the next one waits 1 s, 2 s … and then so many.
LONGEST_PAUSE = 10


class Command(BaseCommand):
    """Run until SIGTERM or SIGINT. Several do no harm: each claim is conditional."""

    help = "Enqueue for the workers everything that is due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="seconds")
        parser.add_argument("--once", action="store_true", help="one tick, then exit")

    def handle(self, *args: Any, **options: Any) -> None:
        name_process("clock")
        if options["once"]:
            _tick()
            audit_head.note_newest()
            catch_up.catch_up(seconds=math.inf)
            count_days.count_marked(seconds=math.inf)
            return
        # When each is done next, as `monotonic`.
        self.next_at: dict[str, float] = {}
        failed = 0
        with Stop() as stop:
            while not stop.requested:
                failed = 0 if self._turn(must_tick=failed > 0) else failed + 1
                stop.wait(min(failed, LONGEST_PAUSE) or options["interval"])

    def _turn(self, *, must_tick: bool) -> bool:
        """Look, and tick if something is due; tell whether it went well."""
        if not (must_tick or self._is_time("tick") or _is_anything_due()):
            return self._every(BEAT_EVERY, "beat", _beat)
        self.next_at.pop("tick", None)
        return (
            self._every(LONGEST_QUIET, "tick", _tick)
            and self._every(NOTE_HEAD_EVERY, "note head", audit_head.note_newest)
            and self._every(PRUNE_EVERY, "prune", _prune)
            and self._when_told("count days", _count_days)
            and self._when_told("catch up", _catch_up)
        )

    def _is_time(self, what: str) -> bool:
        return time.monotonic() >= self.next_at.get(what, 0)

    def _every(self, seconds: float, what: str, do: Callable[[], object]) -> bool:
        """Do something if it is time for it, again after so many seconds."""
        if not self._is_time(what):
            return True
        self.next_at[what] = time.monotonic() + seconds
        return _went_well(do)

    def _when_told(self, what: str, do: Callable[[], float]) -> bool:
        """Do something that tells itself when it is to be done once more."""
        if self._is_time(what):
            self.next_at[what] = do()
        return True


def _is_anything_due() -> bool:
    """Tell whether to tick; where the database cannot be asked, the tick says why."""
    try:
        close_old_connections()
        return look.is_anything_due()
    except (DatabaseError, InterfaceError):
        return True


def _went_well(do: Callable[[], object]) -> bool:
    """Do something, and tell whether that went well.

    Neither a database that is away for a while nor a broker may end the clock: what
    this turn did not do, the next one does.
    """
    try:
        close_old_connections()
        do()
    except (DatabaseError, InterfaceError) as error:
        text = "The database could not be used; trying again: %s"
        log.warning(text, str(error).strip())
        connections.close_all()
    except Exception:
        log.exception("A turn of the clock failed; trying again")
    else:
        return True
    return False


def _beat() -> None:
    hold_restored(db_clock.now())
    Heartbeat.beat(pulse_seen=pulse.noted())


def _tick() -> None:
    hold_restored(db_clock.now())
    tick()


def _count_days() -> float:
    """Count days again; return when it is time for that once more, as `monotonic`."""
    began = time.monotonic()
    try:
        count_days.count_marked()
    except Exception:
        log.exception("Days could not be counted again; trying later")
    now = time.monotonic()
    return now + max(COUNT_EVERY, COUNT_PAUSE * (now - began))


def _catch_up() -> float:
    """Index some of what is older; return when it is time for more, as `monotonic`."""
    began = time.monotonic()
    is_more = False
    try:
        is_more = catch_up.catch_up()
    except Exception:
        log.exception("What is older could not be indexed; trying later")
    now = time.monotonic()
    return now + (CATCH_UP_PAUSE * (now - began) if is_more else LOOK_BACK_EVERY)


def tick() -> None:
    """Say that the clock is alive, and turn to everything that is due."""
    Heartbeat.beat(pulse_seen=pulse.noted())
    # Of the database, since the leases that it is compared with come from any machine.
    now = db_clock.now()
    send.recover_overdue(now)
    run_calls.recover_overdue(now)
    release_parts.release_held(now)
    release_parts.hold_back(now)
    dispatch_writes.enqueue_due_sends(now)
    dispatch_writes.enqueue_due_runs(now)
    dispatch_operations.enqueue_due_watches(now)
    dispatch_writes.enqueue_due_call_watches(now)
    dispatch_operations.enqueue_due_probes(now)
    dispatch_writes.enqueue_due_imports(now)
    settle.join_told(now)
    dispatch_writes.enqueue_due_jobs(now)
    approve.end_overdue(now)
    tell.tell_news(now)
    dispatch_writes.enqueue_due_notices(now)


def _prune() -> None:
    dispatch_operations.ask_for_logs(db_clock.now())
    retention.sweep(db_clock.now())
    kept_form.forget_old(db_clock.now())
    if tasks_are_in_database():
        call_command(
            "prune_db_task_results",
            queue_name="*",
            min_age_days=TASK_RESULT_DAYS,
            verbosity=0,
        )
        forget_abandoned()
    Heartbeat.objects.forgotten().delete()
    statistics.renew()
