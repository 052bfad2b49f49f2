"""Is the background work being done? Asked by the health page and by Home."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Max, Min
from django.tasks import task_backends
from django_tasks_db.backend import DatabaseBackend
from django_tasks_db.models import DBTaskResult

from console.models import Heartbeat
from console.runtime import db_clock

# A worker takes a task within a second.
PATIENCE = timedelta(seconds=30)

# By queue, what its worker is called and what it means that none runs; and the clock.
PROCESSES = {
    "clock": (
        "The clock",
        "Operations are not updated, and nothing continues by itself.",
    ),
    "sending": (
        "The worker for sending",
        "Confirmed writes wait for it; after an hour they are cancelled.",
    ),
    "watching": (
        "The worker for watching",
        "Operations keep their last known state.",
    ),
    "files": (
        "The worker for files",
        "Large files are not checked, and rows do not get their results.",
    ),
}


@dataclass(frozen=True)
class Background:
    """What is known of clock, workers and queue.

    `clock_seen` and `oldest` are ages, None where there is no beat or no task.
    `unattended` are the queues without a worker. It and `waiting` are None where
    another task engine is set: its own tools tell.
    """

    clock_seen: timedelta | None
    unattended: tuple[str, ...] | None
    waiting: int | None
    oldest: timedelta | None

    @property
    def state(self) -> str:
        """ "ok", "missing" without a clock or a worker, "stalled" when tasks wait."""
        if self._has_no_clock or self.unattended:
            return "missing"
        if self.oldest is not None and self.oldest > PATIENCE:
            return "stalled"
        return "ok"

    @property
    def missing(self) -> list[tuple[str, str]]:
        """What does not run, and what that means, in words."""
        return [
            (name, means)
            for process, (name, means) in PROCESSES.items()
            if process in (self.unattended or ())
            or (process == "clock" and self._has_no_clock)
        ]

    @property
    def _has_no_clock(self) -> bool:
        return self.clock_seen is None or self.clock_seen > Heartbeat.PATIENCE


def tasks_are_in_database() -> bool:
    """Tell whether the database backend is set, of which we can see the tasks."""
    return isinstance(task_backends["default"], DatabaseBackend)


def background() -> Background:
    """Look at the heartbeats and at the tasks that no worker has taken."""
    now = db_clock.now()
    clocks = Heartbeat.objects.seen().filter(queue="")
    seen = clocks.aggregate(last=Max("seen_at"))["last"]
    # It may have been seen just now, while this is asked.
    clock_seen = max(now - seen, timedelta(0)) if seen else None
    if not tasks_are_in_database():
        return Background(clock_seen, unattended=None, waiting=None, oldest=None)
    attended = set(Heartbeat.objects.alive().values_list("queue", flat=True))
    queues = settings.TASKS["default"]["QUEUES"]
    # No order: the default one would be part of the grouping.
    ready = DBTaskResult.objects.ready().order_by()
    tasks = ready.aggregate(waiting=Count("pk"), oldest=Min("enqueued_at"))
    return Background(
        clock_seen=clock_seen,
        unattended=tuple(queue for queue in queues if queue not in attended),
        waiting=tasks["waiting"],
        oldest=now - tasks["oldest"] if tasks["oldest"] else None,
    )
