"""Keeping what came back of a request of a run, and what that means for the run.

sending ──┬─▶ answered   row by row, by the counts, or: all refused
          ├─▶ accepted   Ampersand works on it, and its operation tells once that ended
          ├─▶ planned    nothing left, or: come later
          └─▶ unknown    nobody knows, of any or of all of its rows
"""

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Q, QuerySet, Value
from django.utils import timezone

from ampersand import (
    Accepted,
    AmpersandError,
    BatchResult,
    NotSent,
    Problem,
    Refused,
    RequestInvalid,
    RowResult,
)
from console.runtime import db_clock
from console.runtime.db_retry import retry_while_database_is_away
from operations.limits import rate_limit
from operations.models import Operation, RollupMark
from operations.models.written import Written
from operations.worker import schedule
from writes.models import Batch, Call, Write
from writes.models.call import CallQuerySet, packed
from writes.worker.record_answer import PAUSES, STORING_SECONDS

State = Operation.State

# After these the others would fare alike, so that a person has to look first.
STOPPING = frozenset({400, 401, 403, 404, 405})
# So many requests in a row of which every row failed for one reason stop a run.
ALIKE = 3
# What Salesforce says of a record that was deleted before.
IS_GONE = re.compile(r"ENTITY_IS_DELETED|entity is deleted", re.IGNORECASE)
LONGEST_ANSWER = 20_000
LONGEST_REASON = 500
# Of the id of an operation.
LONGEST_ID = 64
# A row as it is kept: state, record id, reason.
Told = list[str]


def record(call: Call, outcome: BatchResult | Accepted | AmpersandError) -> None:
    """Keep what came back, which must not be lost with a database that is away."""
    retry_while_database_is_away(
        lambda: _record(call, outcome), seconds=STORING_SECONDS
    )


def _record(call: Call, outcome: BatchResult | Accepted | AmpersandError) -> None:
    match outcome:
        case Accepted():
            _record_accepted(call, outcome)
        case BatchResult():
            _record_result(call, outcome)
        case NotSent() | RequestInvalid():
            _plan_again(call, outcome)
        case Refused() if outcome.problem.asks_to_wait:
            _wait_as_asked(call, outcome.problem)
        case Refused():
            _record_refused(call, outcome.problem)
        case _:
            problem = getattr(outcome, "problem", None)
            told = f" {problem.detail}" if problem else ""
            call_unknown(_mine(call), f"{outcome.detail}{told}", **_answer_of(problem))


def _mine(call: Call) -> "QuerySet[Call]":
    """Return the row of a request, as far as this try of it is the last one.

    A late answer is worth more than "unknown".
    """
    states = (Call.State.SENDING, Call.State.UNKNOWN)
    return Call.objects.filter(pk=call.pk, state__in=states, attempts=call.attempts)


def _record_accepted(call: Call, accepted: Accepted) -> None:
    """Have its operation asked about, which will tell what became of its rows."""
    remote_id = accepted.operation_id
    if len(remote_id) > LONGEST_ID:
        why = f"Ampersand answered with an operation that is not its own: {remote_id}"
        call_unknown(_mine(call), why, http_status=accepted.status_code)
        return
    values: dict[str, Any] = {
        "state": Call.State.ACCEPTED,
        "http_status": accepted.status_code,
        "remote_id": remote_id,
        "due_at": db_clock.now() + schedule.FIRST,
        "reason": "",
    }
    _keep(call, values)


def is_of_another(call: Call, remote_id: str) -> bool:
    """Tell whether an operation is known as that of something else we sent."""
    if not remote_id:
        return False
    # Written into the query: SQLite takes a partial index for nothing else.
    named = ~Q(remote_id=Written(Value("")))
    others = Call.objects.filter(named, remote_id=remote_id).exclude(pk=call.pk)
    sent = Operation.objects.exclude(action=Operation.Action.FOLLOW)
    # By the id alone, and without an order: each has an index for that.
    projects = {
        *others.order_by().values_list("batch__operation__project", flat=True),
        *sent.filter(remote_id=remote_id).values_list("project", flat=True),
    }
    return call.batch.operation.project_id in projects


def record_end(call: Call, result: BatchResult) -> None:
    """Keep what the operation of an accepted request told of its rows, once it ended.

    Its run may go on then.
    """
    values = _values_of(call, result) | {"remote_id": call.remote_id}
    accepted = Call.objects.accepted().filter(pk=call.pk)
    _keep_answer(call, values, accepted)
    _wake(call.batch)


def give_up(call: Call, why: str) -> None:
    """Call unknown what was accepted, where nothing more will be told of it."""
    accepted = Call.objects.accepted().filter(pk=call.pk)
    _keep_answer(
        call, {"state": Call.State.UNKNOWN, "reason": why[:LONGEST_REASON]}, accepted
    )


def _wake(batch: Batch) -> None:
    """Have a worker turn to a run that goes on and has something to send."""
    planned = Call.objects.filter(batch=batch.pk, state=Call.State.PLANNED)
    going = Batch.objects.filter(
        pk=batch.pk, stopped_why="", operation__state=State.IN_PROGRESS
    )
    going.filter(Exists(planned)).update(calls_due_at=db_clock.now())


def _record_result(call: Call, result: BatchResult) -> None:
    _keep(call, _values_of(call, result))


def _values_of(call: Call, result: BatchResult) -> dict[str, Any]:
    """Return what a request is by a result."""
    succeeded, failed = result.count("succeeded"), result.count("failed")
    if result.trust == "sums" and result.told:
        succeeded, failed = result.told
    is_over = succeeded + failed == call.row_count
    is_full = succeeded == call.row_count and result.trust != "unverified"
    return {
        "state": Call.State.ANSWERED if is_over else Call.State.UNKNOWN,
        "http_status": result.status_code,
        "remote_id": result.operation_id[:LONGEST_ID],
        "succeeded": succeeded,
        "failed": failed,
        "trust": result.trust if result.trust != "none" else "",
        "reason": _reason(call, result)[:LONGEST_REASON],
        "outcome": packed(json.dumps(_told(result.rows))),
        "answer": None if is_full else packed(result.raw[:LONGEST_ANSWER]),
    }


def _reason(call: Call, result: BatchResult) -> str:
    """Return why not all is well, and what is known of the request as a whole."""
    own = dict.fromkeys(row.reason for row in result.rows if row.reason)
    reason = " · ".join(own) or " · ".join(result.reasons)
    if result.trust == "sums" and result.told:
        succeeded, failed = result.told
        return (
            f"{succeeded:,} of its rows succeeded and {failed:,} failed; Ampersand "
            f"does not say which. {reason}"
        )
    if result.trust != "none":
        return reason
    if result.told is None:
        return f"It ended, and Ampersand did not count its rows. {reason}"
    return (
        f"Ampersand counted {result.told[0]:,} written and {result.told[1]:,} failed "
        f"of {call.row_count:,} rows. {reason}"
    )


def _told(rows: Sequence[RowResult]) -> list[Told]:
    return [[row.state, row.record_id, row.reason] for row in rows]


def _record_refused(call: Call, problem: Problem) -> None:
    said = "\n".join(dict.fromkeys([problem.detail, *problem.causes]))
    row = ["failed", "", said[:LONGEST_REASON]]
    values: dict[str, Any] = {
        "state": Call.State.ANSWERED,
        "failed": call.row_count,
        "trust": Call.Trust.COUNTS,
        "remote_id": (problem.operation_id or "")[:LONGEST_ID],
        "reason": said[:LONGEST_REASON],
        "outcome": packed(json.dumps([row] * call.row_count)),
        **_answer_of(problem),
    }
    if _keep(call, values) and problem.status in STOPPING:
        stop(call.batch, f"Request {call.number:,} was refused: {said}")


def _answer_of(problem: Problem | None) -> dict[str, Any]:
    if problem is None:
        return {}
    return {
        "http_status": problem.status,
        "answer": packed(problem.raw[:LONGEST_ANSWER]),
    }


def _keep(call: Call, values: dict[str, Any]) -> bool:
    """Keep an answer, or call it unknown where it names the operation of another one.

    Tells whether it was an answer to this request.
    """
    remote_id = values["remote_id"]
    try:
        if not is_of_another(call, remote_id):
            _keep_answer(call, values, _mine(call))
            return True
    except IntegrityError:
        # Another one was answered with it in the same moment.
        pass
    why = f"Ampersand answered with operation {remote_id}, known already."
    call_unknown(_mine(call), why, http_status=values["http_status"])
    return False


def _keep_answer(call: Call, values: dict[str, Any], mine: "QuerySet[Call]") -> None:
    """Keep an answer, add its rows to those of the run, and stop or end that.

    Unless the row is not among `mine` any more.
    """
    with transaction.atomic():
        before = mine.select_for_update().values_list("state", flat=True).first()
        if before is None:
            return
        mine.update(**{"due_at": None, "answered_at": timezone.now(), **values})
        succeeded, failed = values.get("succeeded", 0), values.get("failed", 0)
        is_over = values["state"] == Call.State.ANSWERED
        add(call.batch, succeeded, failed, over=is_over)
        if is_over and not succeeded:
            _stop_where_alike(call)
        settle(call.batch)


def add(batch: Batch, succeeded: int, failed: int, *, over: bool) -> None:
    """Add rows to the sums of a run, and with `over` one request that is over."""
    Operation.objects.filter(pk=batch.operation_id).update(
        rows_succeeded=F("rows_succeeded") + succeeded,
        rows_failed=F("rows_failed") + failed,
        version=F("version") + 1,
    )
    RollupMark.add(batch.operation_id)
    # Its rows may have been joined while a request was unknown.
    Batch.objects.filter(pk=batch.pk).update(
        calls_over=F("calls_over") + int(over), is_settled=False
    )


def call_unknown(mine: "QuerySet[Call]", why: str, **values: Any) -> bool:
    """Call unknown what was being sent; tell whether it still was.

    Nothing more of its run leaves until a person decided about it.
    """
    call = mine.filter(state=Call.State.SENDING).first()
    if call is None:
        return False
    changed = mine.filter(state=Call.State.SENDING).update(
        state=Call.State.UNKNOWN,
        due_at=None,
        answered_at=timezone.now(),
        reason=why[:LONGEST_REASON],
        **values,
    )
    settle(call.batch)
    return changed == 1


def _plan_again(call: Call, error: AmpersandError) -> None:
    """Put back what has not left. What cannot be built any more stops the run."""
    pause = PAUSES[min(call.attempts, len(PAUSES)) - 1]
    until = db_clock.now() + timedelta(seconds=pause)
    _back(call, until, error.detail)
    if isinstance(error, RequestInvalid):
        stop(call.batch, f"Nothing more was sent. {error}")


def _wait_as_asked(call: Call, problem: Problem) -> None:
    """Have it wait as long as Ampersand asks, and everything of its project with it."""
    now = db_clock.now()
    pause = timedelta(seconds=PAUSES[min(call.attempts, len(PAUSES)) - 1])
    until = rate_limit.wait_asked_for(problem.retry_after, now) or now + pause
    is_full = problem.status == HTTPStatus.TOO_MANY_REQUESTS
    what = "is rate limiting requests (429)" if is_full else "asks to try again later"
    why = f"Ampersand {what}; nothing was written"
    if is_full or problem.retry_after:
        rate_limit.close_writes(call.batch.operation.project, until, why)
    _back(call, until, f"{why}. It said: {problem.detail}")


@transaction.atomic
def _back(call: Call, until: Any, why: str) -> None:
    """Have it go once more at `until`, or not at all where the rest was cancelled."""
    put_back = _mine(call).update(
        state=Call.State.PLANNED,
        sent_at=None,
        due_at=until,
        reason=why[:LONGEST_REASON],
    )
    # Who cancels holds this row until that is done.
    batch = Batch.objects.filter(pk=call.batch_id)
    batch.update(calls_due_at=until)
    its = Call.objects.filter(batch=call.batch_id)
    if put_back and its.filter(state=Call.State.CANCELLED).exists():
        its.filter(pk=call.pk).update(state=Call.State.CANCELLED, due_at=None)
        batch.update(calls_over=F("calls_over") + 1, is_settled=False)
    # It may have been called unknown meanwhile, and its run with it.
    settle(call.batch)


def _stop_where_alike(call: Call) -> None:
    """Stop a run of which the last requests failed as a whole, for one reason.

    A record that is gone already is no reason to keep the others from being deleted.
    """
    batch = Batch.objects.select_related("write").get(pk=call.batch_id)
    answered = Call.objects.filter(batch=batch, state=Call.State.ANSWERED)
    if batch.went_on_at:
        answered = answered.filter(answered_at__gt=batch.went_on_at)
    newest = answered.order_by("-answered_at", "-number")[:ALIKE]
    last = list(newest.values_list("succeeded", "reason"))
    if len(last) < ALIKE or len(set(last)) > 1 or last[0][0]:
        return
    why = last[0][1]
    if batch.write.action == Write.Action.DELETE and IS_GONE.search(why):
        return
    stop(batch, f"{ALIKE} requests in a row failed as a whole. {why}".strip())


def stop(batch: Batch, why: str) -> None:
    """Let nothing more of a run leave until a person lets it go on."""
    open_ = Batch.objects.filter(pk=batch.pk, stopped_why="")
    open_.update(stopped_why=why[:LONGEST_REASON], calls_due_at=None)
    tell_rest(batch)


def tell_rest(batch: Batch) -> None:
    """Keep with the operation of a run under way why nothing more of it leaves."""
    running = Operation.objects.filter(pk=batch.operation_id, state=State.IN_PROGRESS)
    running.update(reason=_rests(batch), has_news=True, version=F("version") + 1)


def _rests(batch: Batch) -> str:
    """Return why a run that could go on does not; "" where it does."""
    fresh = Batch.objects.select_related("write").get(pk=batch.pk)
    if fresh.write.paused_at is None:
        return fresh.stopped_why
    return f"Paused by {fresh.write.paused_by_name}. {fresh.write.pause_reason}".strip()


@transaction.atomic
def settle(batch: Batch) -> None:
    """Give a run its end or its question to a person, or have it go on after one.

    In one transaction: what dies in the middle must not leave a run that nobody turns
    to any more.
    """
    operation = Operation.objects.get(pk=batch.operation_id)
    mine = Call.objects.filter(batch=batch.pk)
    if mine.filter(state=Call.State.SENDING).exists():
        return
    if mine.undecided().exists():
        Batch.objects.filter(pk=batch.pk).update(calls_due_at=None)
        operation.change(
            only_from=(State.IN_PROGRESS,),
            state=State.UNKNOWN,
            reason="Some requests have an unknown outcome.",
        )
        return
    is_planned = mine.filter(state=Call.State.PLANNED).exists()
    if not is_planned:
        Batch.objects.filter(pk=batch.pk).update(calls_due_at=None)
    if is_planned or mine.accepted().exists():
        # A late answer came, or a person decided.
        if operation.change(
            only_from=(State.UNKNOWN,), state=State.IN_PROGRESS, reason=_rests(batch)
        ):
            _wake(batch)
        return
    operation.change(
        only_from=(State.IN_PROGRESS, State.UNKNOWN),
        state=_end(operation),
        ended_at=timezone.now(),
        due_at=None,
        **_what_is_not_told(mine),
    )


def _what_is_not_told(mine: CallQuerySet) -> dict[str, Any]:
    """Return what to say of a run of which Ampersand only counted some rows."""
    counted = mine.filter(trust=Call.Trust.SUMS).count()
    if not counted:
        return {"reason": "", "remedy": ""}
    requests = "request" if counted == 1 else "requests"
    return {
        "reason": f"Of {counted:,} {requests} Ampersand reported how many rows failed, "
        "but not which.",
        "remedy": "Check in the customer's system which records exist before you send "
        "any of these rows again.",
    }


def _end(operation: Operation) -> str:
    succeeded, failed = operation.rows_succeeded or 0, operation.rows_failed or 0
    if succeeded == operation.rows_sent:
        return State.SUCCEEDED
    if not succeeded and failed:
        return State.FAILED
    return State.PARTLY_FAILED if succeeded or failed else State.COMPLETED
