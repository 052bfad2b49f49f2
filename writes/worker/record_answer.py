"""Keeping what came back of a request: the row says what is known, and no more.

sending ──┬─▶ in progress | succeeded
          ├─▶ rejected   the server said no
          ├─▶ waiting    nothing left, or: come later
          └─▶ unknown    no readable answer
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from ampersand import (
    AmpersandError,
    NotSent,
    OutcomeUnknown,
    Problem,
    Refused,
    RequestInvalid,
    WriteResult,
)
from console.runtime import db_clock
from console.runtime.db_retry import retry_while_database_is_away
from operations.limits import rate_limit
from operations.models import Operation
from operations.worker.store_failures import store_failures
from writes import record_index

State = Operation.State

# A database that is away when the answer comes is waited for, for so long.
STORING_SECONDS = 600
# Pauses between tries while nothing can leave this machine, and when Ampersand takes no
# more without saying until when; in seconds.
PAUSES = (5, 15, 60)
# What was refused for now comes so many seconds behind the others of its project, more
# with each time: they show whether it is only this one that Ampersand does not take.
BEHIND = (1, 1, 5, 15, 60)

# When Ampersand is asked about what goes on, and for the log of what ended.
FIRST_ASKED = timedelta(seconds=1)
LOG_ASKED = timedelta(seconds=2)

# Somebody may have noted an end meanwhile, as for what was called unknown.
NOT_ENDED: dict[str, Any] = {
    "rows_succeeded": None,
    "rows_failed": None,
    "ended_at": None,
}
NO_ANSWER: dict[str, Any] = {"remote_status": "", "request_id": "", "answer": {}}


def record_answer(operation: Operation, outcome: WriteResult | AmpersandError) -> None:
    """Store what came back, which must not be lost with a database that is away.

    A try that failed may have been stored all the same. Then another worker may be
    sending it by now, and that one's row is not to be touched.
    """
    mine = Operation.objects.filter(pk=operation.pk, attempts=operation.attempts)

    def store() -> None:
        with transaction.atomic():
            if mine.select_for_update().exists():
                _store(operation, outcome)
                record_index.note_told(operation)

    retry_while_database_is_away(store, seconds=STORING_SECONDS)


def _store(operation: Operation, outcome: WriteResult | AmpersandError) -> None:
    match outcome:
        case WriteResult():
            _store_result(operation, outcome)
        case NotSent():
            _store_not_sent(operation, outcome)
        case Refused():
            _store_refused(operation, outcome)
        case OutcomeUnknown():
            _store_unknown(operation, outcome)
        case RequestInvalid():
            # Raised before anything leaves: the project's address is another one now.
            why = f"{outcome} Nothing was sent."
            operation.change(only_from=(State.SENDING,), **cancelled(why))
        case _:
            _store_unknown(operation, OutcomeUnknown(outcome.detail.rstrip(".")))


def _store_not_sent(operation: Operation, error: NotSent) -> None:
    due_at = timezone.now() + _pause(operation)
    if not _wait_again(operation, due_at, reason=error.detail):
        # Called unknown meanwhile, and somebody may have acted on that.
        operation.change(only_from=(State.UNKNOWN,), **cancelled(error.detail))


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
    _store_named(
        operation,
        state=State.REJECTED,
        remote_id=error.problem.operation_id or "",
        reason=_said(error.problem),
        remedy=error.problem.remedy,
        # For its log.
        due_at=timezone.now() + LOG_ASKED if error.problem.operation_id else None,
        **_answer_of(error.problem),
        **all_refused(operation),
    )


def _store_busy(operation: Operation, problem: Problem) -> bool:
    """Have it wait as long as Ampersand asks, and everything of its project with it.

    Where Ampersand took others since it refused this one, it waits alone. False if it
    was called unknown meanwhile: then it ends, since somebody may have acted on that.
    """
    now = db_clock.now()
    asked = rate_limit.wait_asked_for(problem.retry_after, now)
    until = asked or now + _pause(operation)
    # Pauses of our own grow by themselves.
    refusals = operation.refusals if asked else 0
    behind = timedelta(seconds=BEHIND[min(refusals, len(BEHIND) - 1)])
    is_full = problem.status == HTTPStatus.TOO_MANY_REQUESTS
    what = "is rate limiting requests (429)" if is_full else "asks to try again later"
    why = f"Ampersand {what}; nothing was written"
    if is_full or problem.retry_after:
        before = operation.refused_at
        rate_limit.close_writes(operation.project, until, why, before)
    return _wait_again(
        operation,
        until + behind,
        reason=f"{why}. It said: {problem.detail}",
        refusals=operation.refusals + 1,
        refused_at=now,
        **_answer_of(problem),
    )


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


def all_refused(operation: Operation) -> dict[str, Any]:
    """Return the counts of an operation of which nothing was written."""
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
    now = timezone.now()
    values: dict[str, Any] = {
        "remote_id": result.operation_id or "",
        "reason": warnings,
        "request_id": result.request_id or "",
        "answer": answer,
    }
    if result.is_accepted:
        values |= {"state": State.IN_PROGRESS, "due_at": now + FIRST_ASKED, **NOT_ENDED}
    else:
        values |= {
            "state": State.SUCCEEDED,
            "record_id": result.record_id or operation.record_id,
            "answer": {**answer, "data": result.data},
            "rows_succeeded": 1,
            "rows_failed": 0,
            "ended_at": now,
            # For its log.
            "due_at": now + LOG_ASKED if result.operation_id else None,
        }
    _store_named(operation, **values)


def _store_named(operation: Operation, **values: Any) -> None:
    """Store what may name its operation: one of another write is no answer to it."""
    try:
        with transaction.atomic():
            _store_answer(operation, **values)
    except IntegrityError:
        twin = f"operation {values['remote_id']}, which this console knows already"
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
    store_failures(operation)


def cancelled(reason: str) -> dict[str, Any]:
    """Return what an operation is when it is cancelled for `reason`."""
    return {
        "state": State.CANCELLED,
        "reason": reason,
        "due_at": None,
        "ended_at": timezone.now(),
    }
