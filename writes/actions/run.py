"""What a person decides about a run: to let it go on, to end it, what became of it."""

from django.db import transaction
from django.db.models import F

from console.actor import Actor
from console.models import AuditEvent
from console.runtime import db_clock
from operations.models import Operation
from writes import dispatch
from writes.models import Batch, Call
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
        if not stopped.update(stopped_why="", calls_due_at=db_clock.now()):
            return False
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
        _audit(batch, actor, "write.rest_cancelled", f"{count} requests, {rows} rows")
        record_call.settle(batch)
    return count


def decide(call: Call, actor: Actor, *, was_written: bool, looked_at: str) -> None:
    """Keep what a person found out about a request whose outcome is unknown.

    All its rows count as written, or none; `looked_at` says how that was found out.
    The run goes on once nothing is unknown any more. Raises `NothingToDecide`.
    """
    rows = call.row_count
    succeeded, failed = (rows, 0) if was_written else (0, rows)
    word = "written" if was_written else "not written"
    reason = f"{actor.name} found it {word}: {looked_at}"
    with transaction.atomic():
        unknown = Call.objects.filter(pk=call.pk, state=Call.State.UNKNOWN)
        decided = unknown.update(
            state=Call.State.ANSWERED,
            succeeded=succeeded,
            failed=failed,
            trust=Call.Trust.PERSON,
            reason=reason[: record_call.LONGEST_REASON],
            outcome=None,
        )
        if not decided:
            raise NothingToDecide("It was decided about meanwhile.")
        record_call.add(
            call.batch,
            succeeded - call.succeeded,
            failed - call.failed,
            over=True,
        )
        _audit(call.batch, actor, "call.decided", f"request {call.number}: {reason}")
        record_call.settle(call.batch)
    dispatch.enqueue_send(call.batch.operation)


def _audit(batch: Batch, actor: Actor, action: str, what: str) -> None:
    AuditEvent.record(
        action=action,
        subject=f"Write {batch.write_id}: {what}"[:200],
        about=batch.operation,
        actor=actor,
        detail={"write": batch.write_id, "operation": batch.operation_id},
    )
