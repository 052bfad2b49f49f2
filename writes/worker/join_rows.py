"""The row join: how each row of a write fared, as operations and their logs told."""

import hashlib
import json
from typing import cast

from files.mending.taken_out import origin_of
from files.rows.accounting import Verdict
from files.rows.outcomes import Told, join
from files.splitting import Part
from operations.models import LogEntry, Operation
from operations.outcome.decide import told_counts
from operations.outcome.row_failures import failure_groups, loose_errors
from writes.models import Write
from writes.storage import NewFiles, delete
from writes.worker.progress import Progress, Stopped

State = Operation.State

# In these states an operation may still tell of rows; before the first, none has left.
MOVING = (State.WAITING, State.SENDING, State.IN_PROGRESS)


def told_digest(write: Write) -> str:
    """Return a short text that is another one as soon as the operations tell more."""
    operations = Operation.objects.filter(batch__write=write).order_by("batch__number")
    told = operations.values_list("state", "rows_succeeded", "rows_failed", "reason")
    entries = LogEntry.objects.filter(
        operation__batch__write=write, tells_outcome=True
    ).count()
    text = json.dumps([entries, *told])
    return hashlib.sha256(text.encode()).hexdigest()


def join_rows(write: Write, progress: Progress) -> None:
    """Join the rows of `write` to their outcome, and keep it.

    Raises `FileNotFoundError` if its file is gone, and `Stopped` if the outcome that
    was joined is not wanted any more.
    """
    as_sent = write.path_of("as_sent")
    progress.step("Joining rows to their outcome", as_sent.stat().st_size)
    digest = told_digest(write)
    new_files = NewFiles()
    target = new_files.path("rows", "sqlite3")
    try:
        totals = join(
            as_sent,
            key=write.primary_key,
            parts=[
                (cast(Part, batch.part), _told(batch.operation))
                for batch in write.batches.select_related("operation")
            ],
            target=target,
            origin=origin_of(write.recipe).row,
            progress=progress,
        )
    except BaseException:
        new_files.discard()
        raise
    before = write.rows_store.name
    mine = Write.objects.filter(pk=write.pk, files_deleted_at=None)
    kept = mine.update(
        rows_store=new_files.name_of(target),
        rows_report=totals.as_json(),
        rows_told=digest,
    )
    if not kept:
        new_files.discard()
        raise Stopped
    delete(before)


def _told(operation: Operation) -> Told:
    """Return what is known of the rows of one operation.

    The counts are Ampersand's own: those of the operation are joined with what the log
    names already, and would hide where the two contradict each other.
    """
    entries = list(operation.log_entries.filter(tells_outcome=True))
    raws = [entry.raw for entry in entries]
    counts = told_counts(operation.result, entries) or (None, None)
    return Told(
        verdict=_verdict(operation),
        reason=operation.reason,
        succeeded=counts[0],
        failed=counts[1],
        groups=failure_groups(raws),
        loose=loose_errors(raws),
    )


def _verdict(operation: Operation) -> Verdict:
    if operation.state == State.CANCELLED and operation.may_have_left:
        return "unknown"
    if operation.state in Operation.NOT_SENT:
        return "not sent"
    if operation.state in (State.REJECTED, State.NOT_WRITTEN):
        return "refused"
    if operation.state in Operation.ENDED:
        return "ended"
    return "unknown"
