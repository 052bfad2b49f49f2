"""Is the background work being done? Asked by the health page and by Home."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console.models import Heartbeat

# The clock beats every second or so, and a worker takes a task within another.
PATIENCE = timedelta(seconds=30)


@dataclass(frozen=True)
class Background:
    """What is known of clock, workers and queue.

    `clock_seen` and `oldest` are ages, None where there is no beat or no task.
    """

    clock_seen: timedelta | None
    waiting: int
    oldest: timedelta | None

    @property
    def state(self) -> str:
        """ "ok", "missing" without a clock, "stalled" when tasks are not taken."""
        if self.clock_seen is None or self.clock_seen > PATIENCE:
            return "missing"
        if self.oldest is not None and self.oldest > PATIENCE:
            return "stalled"
        return "ok"


def background() -> Background:
    """Look at the clock's heartbeat and at the tasks that no worker has taken."""
    now = timezone.now()
    seen = Heartbeat.objects.filter(name="clock").values_list("seen_at", flat=True)
    beat = seen.first()
    # No order: the default one would be part of the grouping.
    ready = DBTaskResult.objects.ready().order_by()
    tasks = ready.aggregate(waiting=Count("pk"), oldest=Min("enqueued_at"))
    return Background(
        clock_seen=now - beat if beat else None,
        waiting=tasks["waiting"],
        oldest=now - tasks["oldest"] if tasks["oldest"] else None,
    )
