"""Sending: at most once, and whatever happens the row says what is known.

    draft ──confirm──▶ waiting ──claim──▶ sending ──┬─▶ in progress | succeeded
                          ▲                         ├─▶ rejected   the server said no
                          └──── nothing left ───────┤
                                                    └─▶ unknown    no readable answer

Each arrow is one conditional UPDATE. The HTTP call happens between two of them and
inside no transaction. A worker that is killed leaves a row that is due, and
`recover_overdue` calls it what it is: unknown.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from ampersand import (
    AmpersandError,
    Client,
    NotSent,
    OutcomeUnknown,
    Refused,
    Request,
    RequestInvalid,
    WriteResult,
)
from console.fields import UnreadableSecret
from console.models import AuditEvent, NoActiveKey
from operations.models import Operation
from writes import drafts
from writes.models import Batch, Write

log = logging.getLogger(__name__)

State = Operation.State

# A nudge that is not taken within this time is given again.
NUDGE_LEASE = timedelta(seconds=10)
# A worker that sends says so every few seconds; after the lease it counts as gone.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5
# After this time what could not be sent is given up: the data may be stale by then.
GIVE_UP_AFTER = timedelta(hours=1)
# Pauses between tries while nothing can leave this machine, in seconds.
PAUSES = (5, 15, 60)
MOST_NUDGED = 200


def confirm(write: Write, request: HttpRequest) -> Operation:
    """Turn a draft into a request that will be sent, and return its operation.

    Committed before anything leaves. Confirming twice returns the first operation.
    Raises `NoActiveKey`, `UnreadableSecret`, `RequestInvalid` and `FileNotFoundError`
    with the draft left as it is.
    """
    if not write.is_draft:
        return _operation_of(write)
    prepared = drafts.prepare_exact(write)
    with transaction.atomic():
        now = timezone.now()
        if not write.change(
            only_from=Write.State.DRAFT,
            state=Write.State.CONFIRMED,
            confirmed_at=now,
        ):
            return _operation_of(write)
        operation = _new_operation(write, request, now)
        _new_batch(write, operation, prepared)
        _audit(write, operation, request)
        transaction.on_commit(partial(_enqueue, operation.pk))
    return operation


def _operation_of(write: Write) -> Operation:
    batch = write.batches.select_related("operation").first()
    if batch is None:
        raise RequestInvalid("This draft was discarded.")
    return batch.operation


def _new_operation(write: Write, request: HttpRequest, now: datetime) -> Operation:
    return Operation.objects.create(
        project=write.project,
        integration=write.integration,
        action=write.action,
        object_name=write.object_name,
        group_ref=write.group_ref,
        started_by=request.user if request.user.is_authenticated else None,
        started_by_name=request.user.get_username(),
        record_id=write.record_id,
        rows_sent=1 if write.source == Write.Source.RECORD else write.row_count,
        created_at=now,
        due_at=now + NUDGE_LEASE,
    )


def _new_batch(write: Write, operation: Operation, prepared: Request) -> Batch:
    content = prepared.content()
    body = dict(prepared.body or {})
    if "recordsCSV" in body:
        body["recordsCSV"] = None
    return Batch.objects.create(
        write=write,
        operation=operation,
        method=prepared.method,
        url=prepared.url,
        body=json.dumps(body, ensure_ascii=False),
        masked_key=prepared.masked_key,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


def _audit(write: Write, operation: Operation, request: HttpRequest) -> None:
    batch = operation.batch
    AuditEvent.record(
        action="write.confirmed",
        subject=f"{write.get_action_display()} {write.count_label} "
        f"for {write.group_label}",
        subject_url=operation.get_absolute_url(),
        request=request,
        project=write.project,
        detail={
            "write": write.pk,
            "operation": operation.pk,
            "address": batch.url,
            "body_sha256": batch.sha256,
            "body_bytes": batch.size,
        },
    )


def _enqueue(operation_id: int) -> None:
    """Nudge the worker. A nudge that is lost costs a few seconds, nothing else."""
    from writes.tasks import send_operation

    try:
        send_operation.enqueue(operation_id)
    except Exception:
        log.exception("Operation %s: no nudge; the clock will give one", operation_id)


def send(operation_id: int) -> None:
    """Send the request of one waiting operation; a second call finds nothing to do."""
    operation = (
        Operation.objects.select_related("project", "batch__write__integration")
        .filter(pk=operation_id, state=State.WAITING)
        .first()
    )
    if operation is None:
        return
    if timezone.now() - operation.created_at > GIVE_UP_AFTER:
        hour = "It could not be sent within an hour, and the data may be stale by now."
        _cancel(operation, f"{operation.reason} {hour}".strip())
        return
    try:
        client = operation.project.client()
        request = _as_reviewed(operation.batch)
    except (NoActiveKey, UnreadableSecret, RequestInvalid, OSError) as error:
        _cancel(operation, str(error))
        return
    if _claim(operation):
        with _lease_kept(operation):
            _exchange(operation, client, request)


def _as_reviewed(batch: Batch) -> Request:
    """Return the request, byte for byte as confirmed. Raises `RequestInvalid`."""
    request = batch.request()
    if hashlib.sha256(request.content()).hexdigest() != batch.sha256:
        raise RequestInvalid("The stored file is not what was confirmed.")
    return request


def _claim(operation: Operation) -> bool:
    """Take the operation for sending; False if another worker has it."""
    now = timezone.now()
    return operation.change(
        only_from=(State.WAITING,),
        state=State.SENDING,
        sent_at=now,
        due_at=now + LEASE,
        attempts=operation.attempts + 1,
        reason="",
        remedy="",
    )


@contextmanager
def _lease_kept(operation: Operation) -> Iterator[None]:
    """Push the lease on from a thread while the block runs; a dead process does not."""
    done = threading.Event()

    def renew() -> None:
        mine = Operation.objects.filter(pk=operation.pk, state=State.SENDING)
        while not done.wait(RENEW_SECONDS):
            try:
                mine.update(due_at=timezone.now() + LEASE)
            except DatabaseError:
                log.exception("Operation %s: lease not renewed", operation.pk)
        connection.close()

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _exchange(operation: Operation, client: Client, request: Request) -> None:
    """Make the one HTTP call, and store what is known afterwards."""
    try:
        result = client.send(request)
    except NotSent as error:
        _store_not_sent(operation, error)
    except Refused as error:
        _store_refused(operation, error)
    except OutcomeUnknown as error:
        _store_unknown(operation, error)
    except RequestInvalid as error:
        # Raised before anything leaves: the project's address is another one now.
        operation.change(
            only_from=(State.SENDING,), **_cancelled(f"{error} Nothing was sent.")
        )
    except AmpersandError as error:
        _store_unknown(operation, OutcomeUnknown(error.detail.rstrip(".")))
    except Exception as error:
        log.exception("Operation %s: sending went wrong", operation.pk)
        _store_unknown(operation, OutcomeUnknown(f"The console failed: {error}"))
    else:
        _store_result(operation, result)


def _store_not_sent(operation: Operation, error: NotSent) -> None:
    pause = PAUSES[min(operation.attempts, len(PAUSES)) - 1]
    due_at = timezone.now() + timedelta(seconds=pause)
    waiting_again = operation.change(
        only_from=(State.SENDING,),
        state=State.WAITING,
        reason=error.detail,
        sent_at=None,
        due_at=due_at,
    )
    if not waiting_again:
        # Called unknown meanwhile, and somebody may have acted on that.
        operation.change(only_from=(State.UNKNOWN,), **_cancelled(error.detail))


def _store_refused(operation: Operation, error: Refused) -> None:
    problem = error.problem
    said = [problem.detail, *problem.causes]
    said += [f"{issue.name}: {issue.detail}" for issue in problem.issues]
    remedy = problem.remedy
    if problem.retry_after:
        remedy = f"{remedy} Try again after {problem.retry_after:%H:%M:%S} UTC.".strip()
    _store_answer(
        operation,
        state=State.REJECTED,
        reason="\n".join(dict.fromkeys(part for part in said if part)),
        remedy=remedy,
        request_id=problem.request_id or "",
        remote_status=str(problem.status),
        answer={"status": problem.status, "body": problem.raw},
        rows_succeeded=0,
        rows_failed=operation.rows_sent,
    )


def _store_unknown(operation: Operation, error: OutcomeUnknown) -> None:
    problem = error.problem
    _store_answer(
        operation,
        state=State.UNKNOWN,
        reason=f"{error.detail} {problem.detail}" if problem else error.detail,
        request_id=(problem.request_id or "") if problem else "",
        remote_status=str(problem.status) if problem else "",
        answer={"status": problem.status, "body": problem.raw} if problem else {},
    )


def _store_result(operation: Operation, result: WriteResult) -> None:
    answer = {"status": result.status_code, "body": result.raw}
    warnings = "\n".join((*result.warnings, *result.errors))
    if not operation.is_bulk:
        _store_answer(
            operation,
            state=State.SUCCEEDED,
            remote_id=result.operation_id or "",
            record_id=result.record_id or operation.record_id,
            reason=warnings,
            request_id=result.request_id or "",
            answer={**answer, "data": result.data},
            rows_succeeded=1,
            rows_failed=0,
            ended_at=timezone.now(),
        )
        return
    try:
        with transaction.atomic():
            _store_answer(
                operation,
                state=State.IN_PROGRESS,
                remote_id=result.operation_id or "",
                reason=warnings,
                request_id=result.request_id or "",
                answer=answer,
                due_at=timezone.now() + timedelta(seconds=1),
            )
    except IntegrityError:
        twin = f"operation {result.operation_id}, which this console knows already"
        _store_unknown(operation, OutcomeUnknown(f"Ampersand answered with {twin}"))


def _store_answer(operation: Operation, **values: Any) -> None:
    """Store what came back. A late answer is worth more than "unknown"."""
    values = {"due_at": None, "answered_at": timezone.now(), **values}
    operation.change(only_from=(State.SENDING, State.UNKNOWN), **values)


def _cancel(operation: Operation, reason: str) -> None:
    operation.change(only_from=(State.WAITING,), **_cancelled(reason))


def _cancelled(reason: str) -> dict[str, Any]:
    return {
        "state": State.CANCELLED,
        "reason": reason,
        "due_at": None,
        "ended_at": timezone.now(),
    }


def recover_overdue(now: datetime) -> int:
    """Call unknown what a worker was sending when it vanished; return how many."""
    recovered = 0
    for operation in Operation.objects.due(State.SENDING, now=now)[:MOST_NUDGED]:
        recovered += operation.change(
            only_from=(State.SENDING,),
            state=State.UNKNOWN,
            due_at=None,
            reason="The worker stopped while it was sending.",
        )
    return recovered


def nudge_due(now: datetime) -> int:
    """Nudge the worker to what is waiting and due; return how many."""
    due = Operation.objects.due(State.WAITING, now=now)
    nudged = 0
    for pk, due_at in list(due.values_list("pk", "due_at")[:MOST_NUDGED]):
        mine = Operation.objects.filter(pk=pk, due_at=due_at, state=State.WAITING)
        if mine.update(due_at=now + NUDGE_LEASE):
            _enqueue(pk)
            nudged += 1
    return nudged
