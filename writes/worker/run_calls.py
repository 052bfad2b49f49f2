"""Sending the requests of a run: each at most once, and each row says what is known.

One worker claims, sends and keeps request after request, until the gate says no, the
run stops, or its slice of time is over; then the clock, or itself, enqueues it again.
The claim happens under the lock of the project's gate and looks in the same transaction
whether the run may go on, so that nothing leaves once it was paused or stopped.

A worker that is killed leaves a request that is due, and `recover_overdue` calls it
what it is: unknown. Nothing more of its run leaves until a person decided about it.
"""

import hashlib
import logging
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db.models import Count, F, Q, QuerySet

from ampersand import (
    AmpersandError,
    Client,
    Envelope,
    OutcomeUnknown,
    RequestInvalid,
)
from console.fields import UnreadableSecret
from console.health import pulse
from console.models import ApiKey, EnvironmentControl, NoActiveKey, Project
from console.runtime import db_clock
from console.runtime.shutdown import holding
from console.runtime.trouble import in_words
from files.records_json.cutting import body
from files.records_json.typing import NotTyped, Table
from operations.display.problem import problem_in_words
from operations.limits import circuit_breaker, rate_limit
from operations.limits.rate_limit import NotNow
from operations.models import Operation
from writes import calls
from writes.models import Batch, Call
from writes.worker import record_call
from writes.worker.hold import hold_for_a_person
from writes.worker.lease import LEASE, lease_renewed
from writes.worker.send import need_same_file

log = logging.getLogger(__name__)

State = Operation.State

# A worker takes no longer than this at a time, in seconds: others wait behind it.
SLICE = 60.0
# So many requests are accepted and not ended at most. What is wrong with all of them
# shows in the first, and what the SaaS does not take now is not piled up there.
MOST_ACCEPTED = 20
# What keeps others of a run from leaving.
OPEN = (Call.State.SENDING, Call.State.UNKNOWN, Call.State.ACCEPTED)
# While a run has a worker the clock leaves it alone for so long.
KEPT = timedelta(seconds=30)
MOST_RECOVERED = 200


@dataclass(frozen=True)
class _Run:
    """What the requests of one run are made of."""

    operation: Operation
    batch: Batch
    key_number: int
    client: Client
    table: Table
    envelopes: dict[str, Envelope]


def run(operation_id: int) -> None:
    """Send what may be sent of a run now; a second call finds what is left."""
    operation = (
        Operation.objects.select_related("project", "batch__write__integration")
        .filter(
            pk=operation_id,
            kind=Operation.Kind.RUN,
            state__in=(State.WAITING, State.IN_PROGRESS),
        )
        .first()
    )
    if operation is None or not pulse.is_trusted(db_clock.now()):
        return
    if EnvironmentControl.objects.of(operation.project.environment).is_frozen:
        return
    try:
        this = _prepared(operation)
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as error:
        _keep_back(operation, problem_in_words(error))
        return
    except OSError as error:
        log.warning("Operation %s: not sent: %s", operation.pk, error)
        _keep_back(operation, in_words(error))
        return
    until = time.monotonic() + SLICE
    while time.monotonic() < until:
        call = _claimed(this)
        if call is None:
            record_call.settle(this.batch)
            return
        with holding(partial(_stop_waiting, call)), _lease_renewed(call):
            _exchange(this, call)
    Batch.objects.filter(pk=this.batch.pk, calls_due_at__isnull=False).update(
        calls_due_at=db_clock.now()
    )


def _keep_back(operation: Operation, why: str) -> None:
    """Let nothing of a run leave, or nothing more, until a person has it go on."""
    if operation.state == State.WAITING:
        hold_for_a_person(operation, why)
    else:
        record_call.stop(operation.batch, f"Nothing more was sent. {why}")


def _prepared(operation: Operation) -> _Run:
    """Return what its requests are made of.

    Raises as `Project.client` does, `RequestInvalid` where the file is another one than
    was confirmed, and `OSError`.
    """
    batch: Batch = operation.batch
    batch.need_same_generation()
    need_same_file(batch)
    return _Run(
        operation=operation,
        batch=batch,
        key_number=operation.project.active_key().pk,
        client=operation.project.client(),
        table=calls.table_of(batch.write),
        envelopes=batch.envelopes(),
    )


def under_way(project: Project) -> int:
    """Return how many requests of runs are being sent to a project."""
    sending = Call.objects.filter(state=Call.State.SENDING)
    return sending.filter(batch__operation__project=project).count()


def _claimed(this: _Run) -> Call | None:
    """Take the next request; None where none may go now, with the next turn noted."""
    taken: list[Call] = []

    def claim() -> bool:
        call = _next(this)
        if call is None:
            return False
        now = db_clock.now()
        mine = Call.objects.filter(pk=call.pk, state=Call.State.PLANNED)
        claimed = mine.update(
            state=Call.State.SENDING,
            sent_at=now,
            due_at=now + LEASE,
            attempts=F("attempts") + 1,
        )
        if not claimed:
            return False
        this.operation.change(
            only_from=(State.WAITING,),
            state=State.IN_PROGRESS,
            sent_at=now,
            answered_at=now,
            due_at=None,
            reason="",
        )
        Batch.objects.filter(pk=this.batch.pk).update(calls_due_at=now + KEPT)
        call.refresh_from_db()
        taken.append(call)
        return True

    told = rate_limit.admit(this.operation.project, claim)
    if isinstance(told, NotNow):
        _wait(this, told)
    return taken[0] if taken else None


def _next(this: _Run) -> Call | None:
    """Return the request that may go next, None where none may."""
    batch = this.batch
    fresh = Batch.objects.select_related("write__integration__project").get(pk=batch.pk)
    write = fresh.write
    frozen = EnvironmentControl.objects.of(write.project.environment).is_frozen
    if write.paused_at is not None or fresh.stopped_why or frozen:
        return None
    if not pulse.is_trusted(db_clock.now()):
        return None
    # Who turns to it next takes the key that there is then.
    if not ApiKey.objects.active().filter(pk=this.key_number).exists():
        return None
    mine = Call.objects.filter(batch=batch)
    open_ = mine.filter(state__in=OPEN).order_by().values_list("state")
    counted = dict(open_.annotate(Count("pk")))
    if Call.State.UNKNOWN in counted:
        return None
    if counted.get(Call.State.ACCEPTED, 0) >= MOST_ACCEPTED:
        return None
    if not write.is_parallel and Call.State.SENDING in counted:
        return None
    due = Q(due_at=None) | Q(due_at__lte=db_clock.now())
    return mine.filter(due, state=Call.State.PLANNED).order_by("number").first()


def _wait(this: _Run, told: NotNow) -> None:
    Batch.objects.filter(pk=this.batch.pk).update(calls_due_at=told.until)
    waiting = Operation.objects.filter(pk=this.operation.pk, state=State.WAITING)
    waiting.update(due_at=told.until)


def _exchange(this: _Run, call: Call) -> None:
    """Make the one HTTP call, and keep what is known afterwards."""
    project = this.operation.project
    path = this.batch.write.path_of("as_sent")
    envelope = this.envelopes[call.action]
    frame = calls.frame_of(envelope)
    try:
        content = body(path, this.table, frame, offset=call.offset, length=call.length)
        if hashlib.sha256(content).digest() != bytes(call.sha256):
            raise RequestInvalid("The stored file is not the one that was confirmed.")
        ids = calls.ids_in(content, envelope.action)
        request = envelope.request(content)
    except (RequestInvalid, NotTyped, OSError) as error:
        record_call.record(call, RequestInvalid(str(error)))
        return
    try:
        provider = this.batch.write.integration.provider
        outcome = this.client.send_batch(request, ids, provider=provider)
    except AmpersandError as error:
        record_call.record(call, error)
        circuit_breaker.note(project, "write", [error])
        return
    except Exception:
        log.exception("%s: sending went wrong", call)
        failed = OutcomeUnknown("The console failed; its log has the cause")
        record_call.record(call, failed)
        return
    record_call.record(call, outcome)
    rate_limit.note_accepted(project)
    circuit_breaker.note(project, "write", [None])


def _lease_renewed(call: Call) -> AbstractContextManager[None]:
    mine = Call.objects.filter(pk=call.pk, state=Call.State.SENDING)
    kept = Batch.objects.filter(pk=call.batch_id, calls_due_at__isnull=False)

    def renew(now: datetime) -> None:
        mine.update(due_at=now + LEASE)
        kept.update(calls_due_at=now + KEPT)

    return lease_renewed(call, renew)


def _stop_waiting(call: Call) -> None:
    """Call unknown what is still without an answer: this worker must end."""
    why = "The worker was told to stop while it waited for the answer."
    record_call.call_unknown(_sending(call), why)


def _sending(call: Call) -> "QuerySet[Call]":
    # Another worker may be sending it by now, if nothing of this try had left.
    return Call.objects.filter(
        pk=call.pk, state=Call.State.SENDING, attempts=call.attempts
    )


def recover_overdue(now: datetime) -> int:
    """Call unknown what a worker was sending when it vanished; return how many."""
    overdue = Call.objects.filter(state=Call.State.SENDING, due_at__lte=now)
    recovered = 0
    for call in list(overdue.order_by("due_at")[:MOST_RECOVERED]):
        # Its worker may have renewed the lease just now.
        mine = Call.objects.filter(
            pk=call.pk, state=Call.State.SENDING, due_at=call.due_at
        )
        recovered += record_call.call_unknown(
            mine, "The worker stopped while it was sending."
        )
    return recovered
