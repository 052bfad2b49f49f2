"""The rows of the database backend's tasks that nobody takes away."""

from datetime import timedelta

from django.db.models import Q
from django_tasks_db.models import DBTaskResult

from console.models import Heartbeat
from console.runtime import db_clock

# A worker that has not been seen for so long is gone.
GONE_AFTER = timedelta(minutes=10)
# No task runs for as long as this.
LONGEST_TASK = timedelta(days=1)


def forget_abandoned() -> int:
    """Delete the tasks that a killed worker left as running; return how many.

    What they stood for was enqueued anew by the clock.
    """
    now = db_clock.now()
    living = Heartbeat.objects.filter(seen_at__gt=now - GONE_AFTER)
    names = set(living.values_list("process", flat=True))
    running = DBTaskResult.objects.running()
    begun = running.filter(started_at__lt=now - GONE_AFTER)
    left = [
        pk
        for pk, workers in begun.values_list("pk", "worker_ids")
        if not names & set(workers)
    ]
    abandoned = Q(pk__in=left) | Q(started_at__lt=now - LONGEST_TASK)
    return running.filter(abandoned).delete()[0]
