"""The row join: how each row of a write fared, as operations and their logs told."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from django.db import transaction
from django.db.models import Count, Max

from files.records_json.lanes import ID_COLUMN
from files.rows.accounting import Verdict
from files.rows.fates import FAILED
from files.rows.fates import State as FateState
from files.rows.outcomes import Told, Totals, join
from files.rows.positions import Carried, join_positions
from files.splitting import Part
from operations.models import Failure, LogEntry, Operation
from operations.outcome.decide import told_counts
from operations.outcome.error_kinds import counted
from operations.outcome.row_failures import failure_groups, loose_errors
from writes import record_index
from writes.calls import origin_of
from writes.models import Call, Write
from writes.storage import NewFiles, delete
from writes.worker.progress import Progress, Stopped

State = Operation.State
CALLS_AT_ONCE = 500

# In these states an operation may still tell of rows; before the first, none has left.
MOVING = (State.WAITING, State.SENDING, State.IN_PROGRESS)


def told_digest(write: Write) -> str:
    """Return a short text that is another one as soon as the operations tell more."""
    operations = Operation.objects.filter(batch__write=write).order_by("batch__number")
    told = operations.values_list("state", "rows_succeeded", "rows_failed", "reason")
    entries = LogEntry.objects.filter(
        operation__batch__write=write, tells_outcome=True
    ).count()
    text = json.dumps([entries, *_told_of_calls(write), *told])
    return hashlib.sha256(text.encode()).hexdigest()


def _told_of_calls(write: Write) -> list[object]:
    """Return how many calls of a run moved, and when the last one did."""
    if not write.is_run:
        return []
    calls = Call.objects.filter(batch__write=write).exclude(state=Call.State.PLANNED)
    moved = calls.aggregate(n=Count("pk"), last=Max("answered_at"))
    return [moved["n"], str(moved["last"])]


def join_rows(write: Write, progress: Progress) -> None:
    """Join the rows of `write` to their outcome, and keep it.

    Raises `FileNotFoundError` if its file is gone, and `Stopped` if the outcome that
    was joined is not wanted any more.
    """
    as_sent = write.path_of("as_sent")
    progress.step("Matching rows to results", as_sent.stat().st_size)
    digest = told_digest(write)
    new_files = NewFiles()
    target = new_files.path("rows", "sqlite3")
    try:
        totals = _joined(write, as_sent, target, progress)
        digests = record_index.digests_of_rows(target, progress)
    except BaseException:
        new_files.discard()
        raise
    before = write.rows_store.name
    mine = Write.objects.filter(pk=write.pk, files_deleted_at=None)
    with transaction.atomic():
        kept = mine.update(
            rows_store=new_files.name_of(target),
            rows_report=totals.as_json(),
            rows_told=digest,
        )
        if kept:
            record_index.keep(write, digests)
    if not kept:
        new_files.discard()
        raise Stopped
    delete(before)
    if write.is_run:
        keep_failures(write, totals)


@transaction.atomic
def keep_failures(write: Write, totals: Totals) -> None:
    """Keep the errors of a run by kind: its rows tell them, and no log does."""
    runs = Operation.objects.select_for_update(of=("self",))
    told = {each.error: each.count for each in totals.groups if each.state == FAILED}
    for operation in runs.filter(batch__write=write):
        Failure.objects.keep(operation, counted(told, failed=totals.failed))


def _joined(write: Write, as_sent: Path, target: Path, progress: Progress) -> Totals:
    origin = origin_of(write)
    if write.is_run:
        return join_positions(
            as_sent,
            key=write.primary_key,
            carried=_carried(write),
            target=target,
            origin=origin,
            id_column=ID_COLUMN if write.action == Write.Action.BY_KEY else "",
            progress=progress,
        )
    return join(
        as_sent,
        key=write.primary_key,
        parts=[
            (cast(Part, batch.part), _told(batch.operation))
            for batch in write.batches.select_related("operation")
        ],
        target=target,
        origin=origin,
        progress=progress,
    )


def _carried(write: Write) -> Iterator[Carried]:
    may_have_left = write.batches.get().operation.may_have_left
    calls = Call.objects.filter(batch__write=write).order_by("number")
    for call in calls.iterator(chunk_size=CALLS_AT_ONCE):
        yield Carried(
            number=call.number,
            first_row=call.first_row,
            last_row=call.last_row,
            offset=call.offset,
            length=call.length,
            state=_state_of(call, may_have_left=may_have_left),
            reason=call.reason,
            rows=call.rows_told(),
        )


def _state_of(call: Call, *, may_have_left: bool) -> FateState:
    """Return what all rows are of a request that did not tell of each.

    Before a back-up was restored it may have left (`may_have_left`).
    """
    if call.state in (Call.State.PLANNED, Call.State.CANCELLED):
        return "unknown" if may_have_left else "not sent"
    if call.state != Call.State.ANSWERED or call.unknown:
        return "unknown"
    if call.succeeded and call.failed:
        return "unknown"
    return "failed" if call.failed else "succeeded"


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
