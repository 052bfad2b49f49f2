"""Giving work to the queue: the only place of this app that enqueues.

Each row is pushed ahead first, so that the clock's next tick finds it only if the task
was lost. One SELECT when nothing is due.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from django.db import transaction
from django.db.models import Q

from console.runtime.enqueue import enqueue_safely
from operations import tasks
from operations.limits.circuit_breaker import LONGEST_OPEN
from operations.models import Gate, Operation
from operations.models.operation_queries import log_kept

# What no worker took within this time is enqueued again.
REPEAT_WATCH_AFTER = timedelta(seconds=30)
REPEAT_PROBE_AFTER = timedelta(seconds=45)
# No more a tick: what all falls due at once, after an outage, is paced and spreads.
MOST_WATCHES = 500
# Operations that one task asks about. They share connections, and what is stored.
CHUNK = 100


def enqueue_watch(pk: int, due_at: datetime) -> None:
    """Have a worker ask about one operation, once it is committed that it is due."""
    watch = partial(enqueue_safely, tasks.watch_operations, [pk], due_at.isoformat())
    transaction.on_commit(watch)


def enqueue_due_watches(now: datetime) -> int:
    """Enqueue the operations to be asked about; return how many."""
    lease = now + REPEAT_WATCH_AFTER
    enqueued = 0
    for chunk in _chunks(now):
        due = Operation.objects.filter(pk__in=chunk).due(*Operation.WATCHED, now=now)
        if pushed := due.update(due_at=lease):
            enqueue_safely(tasks.watch_operations, chunk, lease.isoformat())
            enqueued += pushed
    return enqueued


def ask_for_logs(now: datetime) -> int:
    """Make due what is asked no more and whose log is not stored; return how many.

    Half-way to when Ampersand deletes it: after that it is tried until then. Once an
    hour is enough for that.
    """
    late = Operation.objects.log_at_risk(now).filter(
        log_since__lte=now - log_kept() / 2,
        due_at=None,
        state__in=Operation.WATCHED,
        values_deleted_at=None,
    )
    return late.update(due_at=now)


def _chunks(now: datetime) -> Iterator[list[int]]:
    """Yield what is due, the longest first, in chunks of one project.

    Those that could not be asked last time are apart: where the remote lets us wait,
    they keep nobody else waiting.
    """
    due = Operation.objects.due(*Operation.WATCHED, now=now)
    rows = due.values_list("project_id", "watch_problem", "pk")[:MOST_WATCHES]
    alike: dict[tuple[int, bool], list[int]] = {}
    for project, problem, pk in rows:
        alike.setdefault((project, bool(problem)), []).append(pk)
    for pks in alike.values():
        yield from map(list, batched(pks, CHUNK))


def enqueue_due_probes(now: datetime) -> int:
    """Enqueue the open breakers that are due to be tried; return how many."""
    set_back = Q(try_at__gt=now + LONGEST_OPEN + REPEAT_PROBE_AFTER)
    due = Gate.objects.with_open_breaker().filter(Q(try_at__lte=now) | set_back)
    enqueued = 0
    for pk, try_at in due.values_list("pk", "try_at"):
        mine = Gate.objects.filter(pk=pk, try_at=try_at)
        if mine.update(try_at=now + REPEAT_PROBE_AFTER):
            enqueue_safely(tasks.probe_project, pk)
            enqueued += 1
    return enqueued
