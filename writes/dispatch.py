"""Giving work to the queue: the only place of this app that enqueues.

Rows hold the truth and a task is only a hint that one is due. What is enqueued is
pushed ahead first, so that the clock's next tick finds it only if the task was lost.
"""

from datetime import datetime, timedelta
from itertools import batched

from django.db.models import Q

from console.models import Group, Webhook
from console.runtime.enqueue import enqueue_safely
from operations.dispatch import CHUNK, MOST_WATCHES, REPEAT_WATCH_AFTER
from operations.models import Operation
from writes import tasks
from writes.models import Batch, Call, FileJob, Notice

# What no worker took within this time is enqueued again.
REPEAT_SEND_AFTER = timedelta(seconds=10)
REPEAT_JOB_AFTER = timedelta(seconds=15)
REPEAT_RUN_AFTER = timedelta(seconds=10)
REPEAT_NOTICE_AFTER = timedelta(seconds=60)
# No more of each a tick.
MOST_SENDS = 200
MOST_JOBS = 50
MOST_IMPORTS = 5
MOST_NOTICES = 500
# As many as one task sends.
NOTICES_AT_ONCE = 20
# How often the operations of a customer are imported in the background.
IMPORT_EVERY = timedelta(hours=1)


def enqueue_send(operation: Operation) -> None:
    """Have a worker send the request of a waiting operation, or those of a run.

    Several work on a run whose requests may go at the same time.
    """
    if not operation.is_run:
        enqueue_safely(tasks.send_operation, operation.pk)
        return
    write = operation.batch.write
    for _ in range(write.project.max_at_once if write.is_parallel else 1):
        enqueue_safely(tasks.send_calls, operation.pk)


def enqueue_job(job_id: int) -> None:
    """Have a worker check a file or join its rows."""
    enqueue_safely(tasks.work_on_file, job_id)


def enqueue_deletion(batch_id: int) -> None:
    """Have a worker delete the file of a batch from the store. The sweep repeats it."""
    enqueue_safely(tasks.delete_from_store, batch_id)


def enqueue_due_sends(now: datetime) -> int:
    """Enqueue what is waiting and due to be sent; return how many."""
    due = Operation.objects.due(Operation.State.WAITING, now=now).not_frozen()
    enqueued = 0
    for operation in list(due.only("pk", "due_at", "kind")[:MOST_SENDS]):
        mine = Operation.objects.filter(
            pk=operation.pk, due_at=operation.due_at, state=Operation.State.WAITING
        )
        if mine.update(due_at=now + REPEAT_SEND_AFTER):
            enqueue_send(operation)
            enqueued += 1
    return enqueued


def enqueue_due_runs(now: datetime) -> int:
    """Enqueue the runs that go on and have no worker; return how many."""
    due = Batch.objects.filter(
        calls_due_at__lte=now,
        operation__state__in=(Operation.State.WAITING, Operation.State.IN_PROGRESS),
    ).select_related("operation")
    enqueued = 0
    for batch in list(due.order_by("calls_due_at")[:MOST_SENDS]):
        mine = Batch.objects.filter(pk=batch.pk, calls_due_at=batch.calls_due_at)
        if mine.update(calls_due_at=now + REPEAT_RUN_AFTER):
            enqueue_send(batch.operation)
            enqueued += 1
    return enqueued


def enqueue_due_imports(now: datetime) -> int:
    """Enqueue the customers whose operations are to be imported; return how many."""
    due = Group.objects.filter(
        Q(imported_at=None) | Q(imported_at__lte=now - IMPORT_EVERY),
        integration__project__imports_operations=True,
    ).exclude(installation_id="")
    enqueued = 0
    for group in list(due.order_by("imported_at", "pk")[:MOST_IMPORTS]):
        mine = Group.objects.filter(pk=group.pk, imported_at=group.imported_at)
        if mine.update(imported_at=now):
            enqueue_safely(tasks.import_operations_of, group.pk)
            enqueued += 1
    return enqueued


def enqueue_due_call_watches(now: datetime) -> int:
    """Enqueue the accepted requests of runs to be asked about; return how many."""
    due = Call.objects.accepted().filter(due_at__lte=now).order_by("due_at")
    rows = due.values_list("batch__operation__project", "pk")[:MOST_WATCHES]
    by_project: dict[int, list[int]] = {}
    for project, pk in rows:
        by_project.setdefault(project, []).append(pk)
    lease = now + REPEAT_WATCH_AFTER
    enqueued = 0
    for pks in by_project.values():
        for chunk in map(list, batched(pks, CHUNK)):
            mine = Call.objects.accepted().filter(pk__in=chunk, due_at__lte=now)
            if pushed := mine.update(due_at=lease):
                watch = tasks.watch_calls_accepted
                enqueue_safely(watch, chunk, lease.isoformat())
                enqueued += pushed
    return enqueued


def enqueue_due_notices(now: datetime) -> int:
    """Enqueue the notices that are due, by webhook and for e-mail; return how many.

    Of a webhook nothing more is enqueued until its worker has told how that went.
    """
    rows = Notice.objects.due(now).values_list("webhook", "pk")[:MOST_NOTICES]
    by_webhook: dict[int | None, list[int]] = {}
    for webhook, pk in rows:
        by_webhook.setdefault(webhook, []).append(pk)
    lease = now + REPEAT_NOTICE_AFTER
    enqueued = 0
    for target, pks in by_webhook.items():
        if target is not None:
            free = Webhook.objects.filter(Q(try_at=None) | Q(try_at__lte=now))
            if not free.filter(pk=target).update(try_at=lease):
                continue
        mine = pks[:NOTICES_AT_ONCE]
        due = Notice.objects.filter(pk__in=mine, due_at__lte=now)
        if pushed := due.update(due_at=lease):
            work = tasks.mail_notices if target is None else tasks.post_notices
            enqueue_safely(work, mine)
            enqueued += pushed
    return enqueued


def enqueue_due_jobs(now: datetime) -> int:
    """Enqueue the file jobs that are due; return how many.

    One that still counts as running waits again, for any worker: its own is gone.
    """
    due = FileJob.objects.filter(due_at__lte=now, state__in=FileJob.OPEN)
    enqueued = 0
    for pk, due_at in list(
        due.order_by("due_at").values_list("pk", "due_at")[:MOST_JOBS]
    ):
        mine = FileJob.objects.filter(pk=pk, due_at=due_at, state__in=FileJob.OPEN)
        if mine.update(state=FileJob.State.WAITING, due_at=now + REPEAT_JOB_AFTER):
            enqueue_job(pk)
            enqueued += 1
    return enqueued
