"""After the end of its operations: join the rows of a write, and close what is open.

The clock looks at the batches that are not settled. One is settled when its operation
will tell nothing new and its rows are joined to all that it told.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from operations.models import Operation, OperationTransition
from writes import dispatch
from writes.actions import begin_job
from writes.models import Batch, Call, FileJob, SharedAddress, Write
from writes.models.batch import goes_on
from writes.worker.join_rows import MOVING, told_digest

MOST_AT_ONCE = 200
LATE = timedelta(hours=1)

State = Operation.State


def join_told(now: datetime) -> int:
    """Have the rows of every write joined whose operations told something new.

    Parts that are held tell nothing, and some are held for ever: many of them must not
    keep the clock from others.
    """
    calm = (
        Batch.objects.filter(is_settled=False)
        .exclude(operation__state__in=(*MOVING, State.HELD))
        .select_related("operation", "write__integration__project")
        .order_by("pk")
    )
    by_write: dict[int, list[Batch]] = {}
    for batch in calm[:MOST_AT_ONCE]:
        by_write.setdefault(batch.write_id, []).append(batch)
    return sum(_settle(batches) for batches in by_write.values())


def _settle(batches: list[Batch]) -> bool:
    """Join the rows of one write if that is due; tell whether it was begun."""
    write = batches[0].write
    if write.jobs.filter(kind=FileJob.Kind.JOIN, state__in=FileJob.OPEN).exists():
        return False
    if is_moving(write):
        return False
    if not awaits_join(write):
        _close([batch for batch in batches if _is_silent(batch.operation)])
        return False
    size = write.check_report.get("as_sent_size", 0)
    begin_job.begin(write, FileJob.Kind.JOIN, size=size, wait=False)
    return True


def is_moving(write: Write, batches: Sequence[Batch] | None = None) -> bool:
    """Tell whether a part is on its way, or will be with the next tick.

    So it is while Ampersand works on a request of a run, whatever became of others.

    `batches` are those of `write`, with their operations, where they are at hand.
    """
    if batches is None:
        batches = list(write.batches.select_related("operation"))
    states = {batch.operation.state for batch in batches}
    if states & set(MOVING) or goes_on(write, batches):
        return True
    return write.is_run and Call.objects.accepted().filter(batch__write=write).exists()


def awaits_join(write: Write) -> bool:
    """Tell whether its rows are still to be joined to what its operations told."""
    return told_digest(write) != write.rows_told and not _was_in_vain(write)


def _was_in_vain(write: Write) -> bool:
    """Tell whether the last try failed, and nothing happened since.

    It will not do better by itself; a person may have it tried again
    (`writes.actions.rejoin`).
    """
    last = FileJob.objects.last_of(write, FileJob.Kind.JOIN)
    if last is None or last.state != FileJob.State.FAILED:
        return False
    since = Q(operation__batch__write=write, at__gt=last.ended_at)
    return not OperationTransition.objects.filter(since).exists()


def _is_silent(operation: Operation) -> bool:
    """Tell whether nothing new will come of it.

    A late answer to what was called unknown comes within minutes, if at all; it counts
    for more than what a person found meanwhile.
    """
    if operation.due_at is not None:
        return False
    is_in_doubt = operation.state in (State.UNKNOWN, State.NOT_WRITTEN)
    if not is_in_doubt or operation.sent_at is None:
        return True
    return timezone.now() - operation.sent_at > LATE


def _close(batches: list[Batch]) -> None:
    for batch in batches:
        stop_sharing(batch)
        Batch.objects.filter(pk=batch.pk).update(is_settled=True)


def stop_sharing(batch: Batch) -> None:
    """End the address of a batch that nobody needs to fetch any more.

    A worker takes its file out of the store, which may take minutes.
    """
    address = SharedAddress.objects.filter(batch=batch).first()
    if address is not None:
        address.revoke()
    if batch.store_name:
        dispatch.enqueue_deletion(batch.pk)
