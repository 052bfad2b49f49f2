"""What a person decides about a run: to let it go on, to end it, what became of it."""

import json

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from console.actor import Actor
from console.models import AuditEvent
from console.runtime import db_clock
from operations.models import Operation
from writes import dispatch
from writes.models import Batch, Call
from writes.models.call import packed
from writes.worker import record_call

State = Operation.State


class NothingToDecide(Exception):
    """Somebody was first, or a late answer came; the text says so."""


def go_on(batch: Batch, actor: Actor) -> bool:
    """Let a run go on that was stopped; tell whether it was.

    What nobody knows the outcome of has to be decided about first.
    """
    if Call.objects.filter(batch=batch).undecided().exists():
        return False
    with transaction.atomic():
        stopped = Batch.objects.filter(pk=batch.pk).exclude(stopped_why="")
        goes_on = {"calls_due_at": db_clock.now(), "went_on_at": timezone.now()}
        if not stopped.update(stopped_why="", **goes_on):
            return False
        record_call.tell_rest(batch)
        _audit(batch, actor, "write.gone_on", "a run that was stopped")
        operation = batch.operation
        transaction.on_commit(lambda: dispatch.enqueue_send(operation))
    return True


def cancel_rest(batch: Batch, actor: Actor) -> int:
    """Cancel the requests that have not left; return how many those were."""
    with transaction.atomic():
        planned = Call.objects.filter(batch=batch, state=Call.State.PLANNED)
        rows = planned.rows()
        count = planned.update(state=Call.State.CANCELLED, due_at=None)
        if not count:
            return 0
        Batch.objects.filter(pk=batch.pk).update(
            calls_over=F("calls_over") + count,
            stopped_why="",
            calls_due_at=None,
            is_settled=False,
        )
        operation = Operation.objects.get(pk=batch.operation_id)
        if operation.state in Operation.UNSENT:
            operation.cancel(by=actor.name)
        record_call.tell_rest(batch)
        _audit(batch, actor, "write.rest_cancelled", f"{count} requests, {rows} rows")
        record_call.settle(batch)
    return count


def decide(call: Call, actor: Actor, *, was_written: bool, looked_at: str) -> None:
    """Keep what a person found out about a request whose outcome is unknown.

    All its rows that are unknown count as written, or none of them; `looked_at` says
    how that was found out. The run goes on once nothing is unknown any more. Raises
    `NothingToDecide`.
    """
    word = "written" if was_written else "not written"
    reason = f"{actor.name} found it {word}: {looked_at}"[: record_call.LONGEST_REASON]
    with transaction.atomic():
        unknown = Call.objects.select_for_update().filter(
            pk=call.pk, state=Call.State.UNKNOWN
        )
        before = unknown.first()
        if before is None:
            raise NothingToDecide("It was resolved meanwhile.")
        rows = before.unknown
        succeeded, failed = (rows, 0) if was_written else (0, rows)
        unknown.update(
            state=Call.State.ANSWERED,
            succeeded=F("succeeded") + succeeded,
            failed=F("failed") + failed,
            trust=Call.Trust.PERSON,
            reason=reason,
            outcome=_decided(before, was_written=was_written, reason=reason),
        )
        record_call.add(call.batch, succeeded, failed, over=True)
        _audit(call.batch, actor, "call.decided", f"request {call.number}: {reason}")
        record_call.settle(call.batch)
    dispatch.enqueue_send(call.batch.operation)


def _decided(call: Call, *, was_written: bool, reason: str) -> bytes | None:
    """Return what became of each row, where an answer told that of some."""
    state = "succeeded" if was_written else "failed"
    told = [
        [state, id_, reason] if known == "unknown" else [known, id_, why]
        for known, id_, why in call.rows_told()
    ]
    return packed(json.dumps(told)) if told else None


def _audit(batch: Batch, actor: Actor, action: str, what: str) -> None:
    AuditEvent.record(
        action=action,
        subject=f"Write {batch.write_id}: {what}"[:200],
        about=batch.operation,
        actor=actor,
        detail={"write": batch.write_id, "operation": batch.operation_id},
    )
