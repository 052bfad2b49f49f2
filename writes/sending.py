"""Sending: at most once, and whatever happens the row says what is known.

    waiting ──claim──▶ sending ──┬─▶ in progress | succeeded
       ▲                         ├─▶ rejected   the server said no
       └──── nothing left, ──────┤
             or: come later      └─▶ unknown    no readable answer

The claim is the project's gate as well (`operations.gate`): who is not let through
stays waiting and is due later.

Each arrow is one conditional UPDATE. The HTTP call happens between two of them and
inside no transaction. A worker that is killed leaves a row that is due, and
`recover_overdue` calls it what it is: unknown.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    connection,
    transaction,
)
from django.utils import timezone

from ampersand import (
    AmpersandError,
    Client,
    NotSent,
    OutcomeUnknown,
    Problem,
    Refused,
    Request,
    RequestInvalid,
    WriteResult,
)
from console.database_time import database_now
from console.fields import UnreadableSecret
from console.models import EnvironmentControl, NoActiveKey
from console.patience import patiently
from console.stopping import holding
from files.remote.stores import StoreError
from operations import gate
from operations.models import Operation
from operations.querysets import is_frozen
from writes import looking, sharing, turns
from writes.models import Batch, Write
from writes.storing import measure

log = logging.getLogger(__name__)

State = Operation.State

# A nudge that is not taken within this time is given again.
NUDGE_LEASE = timedelta(seconds=10)
# A worker that sends says so every few seconds; after the lease it counts as gone.
LEASE = timedelta(seconds=20)
RENEW_SECONDS = 5
# A database that is away when the answer comes is waited for, for so long.
STORING_SECONDS = 600
# Making the file available to Ampersand, before the request, takes no longer than this.
SHARING = timedelta(minutes=15)
# After this time what could not be sent is given up: the data may be stale by then.
GIVE_UP_AFTER = timedelta(hours=1)
# Pauses between tries while nothing can leave this machine, and when Ampersand takes no
# more without saying until when; in seconds.
PAUSES = (5, 15, 60)
MOST_NUDGED = 200
# Somebody may have noted an end meanwhile, as for what was called unknown.
NOT_ENDED: dict[str, Any] = {
    "rows_succeeded": None,
    "rows_failed": None,
    "ended_at": None,
}

NO_ANSWER: dict[str, Any] = {"remote_status": "", "request_id": "", "answer": {}}


def enqueue(operation_id: int) -> None:
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
    control = EnvironmentControl.objects.of(operation.project.environment)
    if control.is_frozen:
        return
    if timezone.now() - _could_leave_since(operation, control) > GIVE_UP_AFTER:
        _give_up(operation)
        return
    if gate.puts_off(operation):
        return
    if operation.batch.is_shared and not _reserve(operation):
        return
    try:
        client = operation.project.client()
        with holding(partial(_release, operation)):
            request = _as_reviewed(operation)
    except (NoActiveKey, UnreadableSecret, RequestInvalid, OSError) as error:
        _cancel(operation, str(error))
        return
    except StoreError as error:
        _cancel(operation, f"Nothing was sent, since the store failed. {error}")
        return
    if _claim(operation):
        with holding(partial(_stop_waiting, operation)), _lease_kept(operation):
            _exchange(operation, client, request)


def _could_leave_since(operation: Operation, control: EnvironmentControl) -> datetime:
    """Return when its hour began: a freeze does not count, and what waited out one
    has the whole of it again.
    """
    return max(operation.waiting_since, control.unfrozen_at or operation.waiting_since)


def _as_reviewed(operation: Operation) -> Request:
    """Return the request with exactly the content that was confirmed.

    Raises `RequestInvalid` where that is not to be had any more, and `OSError`.
    """
    batch = operation.batch
    if batch.write.source == Write.Source.URL:
        looking.need_same(batch.write)
    if batch.is_shared:
        need_same_file(batch)
        request = batch.request(url=sharing.share(batch))
    else:
        need_same_text(batch)
        request = batch.request()
    content = request.content()
    digest = hashlib.sha256(content).hexdigest()
    if batch.is_shared or not batch.sha256:
        # An address that was made just now, or a part: its rows are what was confirmed.
        batch.sha256, batch.size = digest, len(content)
        batch.save(update_fields=["sha256", "size"])
    if digest != batch.sha256:
        raise RequestInvalid("The stored file is not what was confirmed.")
    return request


def _reserve(operation: Operation) -> bool:
    """Keep other workers off while the file is made available, which takes minutes.

    A second address would end the first, which may just be on its way. Who finds it due
    later than any pause or nudge puts it finds it reserved.
    """
    now = database_now()
    mine = Operation.objects.filter(
        pk=operation.pk,
        state=State.WAITING,
        due_at=operation.due_at,
        due_at__lte=now + timedelta(seconds=max(PAUSES)),
    )
    return mine.update(due_at=now + SHARING) == 1


def _release(operation: Operation) -> None:
    """Let another worker have what is being made ready here: this one must end."""
    if operation.batch.is_shared:
        waiting = Operation.objects.filter(pk=operation.pk, state=State.WAITING)
        waiting.update(due_at=database_now())


def need_same_text(batch: Batch) -> None:
    """Raise `RequestInvalid` unless the text of a CSV is what was confirmed."""
    if batch.csv_sha256 and hashlib.sha256(batch.csv()).hexdigest() != batch.csv_sha256:
        raise RequestInvalid("The stored file is not what was confirmed.")


def need_same_file(batch: Batch) -> None:
    """Raise `RequestInvalid` unless the whole file is what was confirmed."""
    if measure(batch.write.path_of("as_sent"))[1] != batch.csv_sha256:
        raise RequestInvalid("The stored file is not what was confirmed.")


def _claim(operation: Operation) -> bool:
    """Take the operation for sending.

    False if another worker has it, if its environment was frozen or its write paused or
    stopped (the very UPDATE that takes it looks, so that nothing leaves afterwards), or
    if the gate puts it off.
    """
    now = database_now()
    return gate.admit_write(
        operation,
        only_if=~is_frozen() & ~turns.is_paused() & ~turns.is_stopped(),
        state=State.SENDING,
        sent_at=now,
        due_at=now + LEASE,
        attempts=operation.attempts + 1,
        reason="",
        remedy="",
        **NO_ANSWER,
    )


@contextmanager
def _lease_kept(operation: Operation) -> Iterator[None]:
    """Push the lease on from a thread while the block runs; a dead process does not."""
    done = threading.Event()

    def renew() -> None:
        mine = Operation.objects.filter(pk=operation.pk, state=State.SENDING)
        while not done.wait(RENEW_SECONDS):
            try:
                mine.update(due_at=database_now() + LEASE)
            except (DatabaseError, InterfaceError):
                log.exception("Operation %s: lease not renewed", operation.pk)
                connection.close()
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
    error: AmpersandError | None = None
    try:
        result = client.send(request)
    except AmpersandError as said:
        error = said
        store = partial(_store_error, operation, said)
    except Exception as mistake:
        log.exception("Operation %s: sending went wrong", operation.pk)
        failed = OutcomeUnknown(f"The console failed: {mistake}")
        _keep(operation, partial(_store_unknown, operation, failed))
        return
    else:
        store = partial(_store_result, operation, result)
    _keep(operation, store)
    gate.write_ended(operation.project, error)


def _keep(operation: Operation, store: Callable[[], None]) -> None:
    """Store what came back, which must not be lost with a database that is away.

    A try that failed may have been stored all the same. Then another worker may be
    sending it by now, and that one's row is not to be touched.
    """
    mine = Operation.objects.filter(pk=operation.pk, attempts=operation.attempts)

    def keep() -> None:
        with transaction.atomic():
            if mine.select_for_update().exists():
                store()

    patiently(keep, seconds=STORING_SECONDS)


def _store_error(operation: Operation, error: AmpersandError) -> None:
    match error:
        case NotSent():
            _store_not_sent(operation, error)
        case Refused():
            _store_refused(operation, error)
        case OutcomeUnknown():
            _store_unknown(operation, error)
        case RequestInvalid():
            # Raised before anything leaves: the project's address is another one now.
            operation.change(
                only_from=(State.SENDING,), **_cancelled(f"{error} Nothing was sent.")
            )
        case _:
            _store_unknown(operation, OutcomeUnknown(error.detail.rstrip(".")))


def _store_not_sent(operation: Operation, error: NotSent) -> None:
    due_at = timezone.now() + _pause(operation)
    if not _wait_again(operation, due_at, reason=error.detail):
        # Called unknown meanwhile, and somebody may have acted on that.
        operation.change(only_from=(State.UNKNOWN,), **_cancelled(error.detail))


def _pause(operation: Operation) -> timedelta:
    return timedelta(seconds=PAUSES[min(operation.attempts, len(PAUSES)) - 1])


def _wait_again(operation: Operation, due_at: datetime, **values: Any) -> bool:
    """Put back what was not written; tell whether it still counted as being sent."""
    return operation.change(
        only_from=(State.SENDING,),
        state=State.WAITING,
        sent_at=None,
        due_at=due_at,
        **values,
    )


def _store_refused(operation: Operation, error: Refused) -> None:
    if error.problem.asks_to_wait and _store_busy(operation, error.problem):
        return
    _store_answer(
        operation,
        state=State.REJECTED,
        reason=_said(error.problem),
        remedy=error.problem.remedy,
        **_answer_of(error.problem),
        **_all_refused(operation),
    )


def _store_busy(operation: Operation, problem: Problem) -> bool:
    """Have it wait as long as Ampersand asks, and everything of its project with it.

    False if it was called unknown meanwhile: then it ends, since somebody may have
    acted on that.
    """
    now = database_now()
    until = gate.wait_asked_for(problem.retry_after, now) or now + _pause(operation)
    is_full = problem.status == HTTPStatus.TOO_MANY_REQUESTS
    what = "takes no more for now" if is_full else "asks to try again later"
    why = f"Ampersand {what}; nothing was written"
    if is_full or problem.retry_after:
        gate.close_writes(operation.project, until, why)
    reason = f"{why}. It said: {problem.detail}"
    return _wait_again(operation, until, reason=reason, **_answer_of(problem))


def _said(problem: Problem) -> str:
    """Return all that the server said went wrong, each thing once."""
    said = [problem.detail, *problem.causes]
    said += [f"{issue.name}: {issue.detail}" for issue in problem.issues]
    return "\n".join(dict.fromkeys(part for part in said if part))


def _answer_of(problem: Problem) -> dict[str, Any]:
    return {
        "request_id": problem.request_id or "",
        "remote_status": str(problem.status),
        "answer": {"status": problem.status, "body": problem.raw},
    }


def _all_refused(operation: Operation) -> dict[str, Any]:
    return {"rows_succeeded": 0, "rows_failed": operation.rows_sent}


def _store_unknown(operation: Operation, error: OutcomeUnknown) -> None:
    problem = error.problem
    _store_answer(
        operation,
        state=State.UNKNOWN,
        reason=f"{error.detail} {problem.detail}" if problem else error.detail,
        **(_answer_of(problem) if problem else NO_ANSWER),
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
                **NOT_ENDED,
            )
    except IntegrityError:
        twin = f"operation {result.operation_id}, which this console knows already"
        _store_unknown(operation, OutcomeUnknown(f"Ampersand answered with {twin}"))


def _store_answer(operation: Operation, **values: Any) -> None:
    """Store what came back. A late answer is worth more than "unknown".

    One that proves something is also worth more than that a person found nothing.
    """
    values = {"due_at": None, "answered_at": timezone.now(), **values}
    only_from: tuple[str, ...] = (State.SENDING, State.UNKNOWN)
    if values["state"] != State.UNKNOWN:
        only_from += (State.NOT_WRITTEN,)
    operation.change(only_from=only_from, **values)


def _give_up(operation: Operation) -> None:
    """End what could not be sent within the hour: by the last answer, if there is one.

    The data may be stale by now.
    """
    hour = "It could not be sent within an hour, and the data may be stale by now."
    reason = f"{operation.reason} {hour}".strip()
    if not operation.remote_status:
        _cancel(operation, reason)
        return
    now = timezone.now()
    operation.change(
        only_from=(State.WAITING,),
        state=State.REJECTED,
        reason=reason,
        due_at=None,
        answered_at=now,
        **_all_refused(operation),
    )


def _cancel(operation: Operation, reason: str) -> None:
    operation.change(only_from=(State.WAITING,), **_cancelled(reason))


def _cancelled(reason: str) -> dict[str, Any]:
    return {
        "state": State.CANCELLED,
        "reason": reason,
        "due_at": None,
        "ended_at": timezone.now(),
    }


def _stop_waiting(operation: Operation) -> None:
    """Call unknown what is still without an answer: this worker must end."""
    # A copy of its own: this is another thread.
    Operation.objects.get(pk=operation.pk).change(
        only_from=(State.SENDING,),
        state=State.UNKNOWN,
        due_at=None,
        reason="The worker was told to stop while it waited for the answer.",
    )


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
    due = Operation.objects.due(State.WAITING, now=now).not_frozen()
    nudged = 0
    for pk, due_at in list(due.values_list("pk", "due_at")[:MOST_NUDGED]):
        mine = Operation.objects.filter(pk=pk, due_at=due_at, state=State.WAITING)
        if mine.update(due_at=now + NUDGE_LEASE):
            enqueue(pk)
            nudged += 1
    return nudged
