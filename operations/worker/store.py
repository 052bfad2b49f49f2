"""Keeping what Ampersand told: most of the time that nothing is new.

Operations without news get their next turn in one UPDATE for all. Each with news gets a
transaction of its own.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import Case, F, Value, When

from ampersand import Operation as RemoteOperation
from ampersand import Refused
from console.runtime import db_clock
from operations.display.problem import Problem, problem_in_words
from operations.models import Operation
from operations.models.operation_queries import OperationQuerySet, log_kept
from operations.outcome import decide
from operations.worker import schedule, store_failures, store_log
from operations.worker.fetch import Fetched

log = logging.getLogger(__name__)

State = Operation.State

# What was not asked in time has its turn again within this time.
PUT_OFF = timedelta(seconds=20)


def store_news(operations: Sequence[Operation], news: dict[int, Fetched]) -> None:
    """Keep the news of claimed `operations`; their `due_at` is the claim's token.

    Who was given another turn meanwhile keeps that.
    """
    now = db_clock.now()
    put_off([each for each in operations if each.pk not in news], now, within=PUT_OFF)
    asked = [each for each in operations if each.pk in news]
    told = {each.pk for each in asked if _is_told(each, news[each.pk])}
    _keep_quiet([each for each in asked if each.pk not in told], news, now)
    for operation in asked:
        if operation.pk in told:
            _keep_told_safely(operation, news[operation.pk])


def _is_told(operation: Operation, news: Fetched) -> bool:
    """Tell whether Ampersand said anything that the row does not say yet."""
    remote = news.operation
    if remote is not None:
        if remote.raw != operation.answer.get("operation"):
            return True
        # A word that was learned with a new edition of the console.
        if operation.state == State.IN_PROGRESS and decide.is_end(remote.status):
            return True
    if news.entries is None:
        return False
    return store_log.digest(news.entries) != operation.log_digest


def give_back(operations: Sequence[Operation]) -> None:
    """Let others ask what was claimed, at once: this process has to stop."""
    put_off(operations, db_clock.now(), within=timedelta(0))


def put_off(
    operations: Sequence[Operation],
    until: datetime,
    *,
    within: timedelta = timedelta(seconds=1),
) -> None:
    """Give back what was claimed and not asked: its turn is `within` a time of that."""
    _give_turns({each: until + within * random.random() for each in operations})  # nosec B311 # noqa: S311 - nothing secret


def _keep_quiet(
    operations: Sequence[Operation], news: dict[int, Fetched], now: datetime
) -> None:
    """Count the asking and give the next turn, in one UPDATE for those alike."""
    alike: dict[tuple[Any, ...], dict[Operation, datetime | None]] = defaultdict(dict)
    for operation in operations:
        problem = news[operation.pk].problem
        said = problem_in_words(problem) if problem else ""
        due = _next_ask(
            operation,
            operation.ended_at,
            problem,
            now,
            has_log=bool(operation.log_digest),
        )
        since = _log_since(operation, news[operation.pk], due, now)
        is_shown_anew = said != operation.watch_problem
        alike[said, is_shown_anew, *since.items()][operation] = due
    for (said, is_shown_anew, *of_log), turns in alike.items():
        values: dict[str, Any] = {"asked_count": F("asked_count") + 1, **dict(of_log)}
        if not said:
            values["asked_at"] = now
        if is_shown_anew:
            values |= {"watch_problem": said, "version": F("version") + 1}
        _give_turns(turns, **values)


def _give_turns(turns: Mapping[Operation, datetime | None], **values: Any) -> None:
    """Set the next turns, and `values`, of those that nobody changed meanwhile."""
    dues = {operation: due for operation, due in turns.items() if due is not None}
    if dues:
        whens = [When(pk=each.pk, then=Value(due)) for each, due in dues.items()]
        turn = Case(*whens, output_field=models.DateTimeField())
        _claimed(dues).update(due_at=turn, **values)
    # Apart: PostgreSQL takes a CASE of nothing but NULL for a text.
    if last := turns.keys() - dues.keys():
        _claimed(last).update(due_at=None, **values)


def _claimed(operations: Collection[Operation]) -> OperationQuerySet:
    """Return the rows of claimed operations that nobody changed meanwhile."""
    return Operation.objects.filter(
        pk__in=[operation.pk for operation in operations],
        due_at__in={operation.due_at for operation in operations},
        state__in=Operation.WATCHED,
    )


def _keep_told_safely(operation: Operation, news: Fetched) -> None:
    """Keep news; what goes wrong with one operation is not the others' concern.

    It stays claimed then, and is asked again when the lease is over.
    """
    try:
        with transaction.atomic():
            _keep_told(operation, news)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("Operation %s: its news could not be kept", operation.pk)


def _keep_told(claimed: Operation, news: Fetched) -> None:
    """Keep the news on the row as it is now: somebody may have changed it meanwhile."""
    operation = Operation.objects.select_for_update().get(pk=claimed.pk)
    if operation.state not in Operation.WATCHED or operation.values_deleted_at:
        return
    now = db_clock.now()
    values: dict[str, Any] = {
        "asked_count": operation.asked_count + 1,
        "watch_problem": problem_in_words(news.problem) if news.problem else "",
    }
    if news.entries is not None:
        store_log.store_entries(operation, news.entries)
        values["log_digest"] = store_log.digest(news.entries)
    if not news.problem:
        values["asked_at"] = now
    if news.operation:
        values |= _answer(operation, news.operation)
        values |= _end(operation, news.operation, now)
    ended_at = values.get("ended_at", operation.ended_at)
    due_at = _next_ask(
        operation, ended_at, news.problem, now, has_log=bool(news.entries)
    )
    if operation.due_at == claimed.due_at:
        values["due_at"] = due_at
    values |= _log_since(operation, news, due_at, now)
    operation.change(only_from=(operation.state,), **values)
    if operation.state != State.REJECTED:
        store_failures.store_failures(operation)


def _log_since(
    operation: Operation, news: Fetched, due_at: datetime | None, now: datetime
) -> dict[str, Any]:
    """Return since when entries of its log may be missing here, after this answer.

    Nothing is missing once it was read as often as it is read at all. What was read so
    late that Ampersand may have deleted some of it stays as it is: nobody knows.
    """
    if news.entries is None or news.problem:
        return {}
    since = operation.log_since
    began = news.operation.create_time if news.operation else None
    if since and began and not operation.log_digest:
        # Of another program: it may have begun long before it was followed.
        since = min(since, began)
    if since and since + log_kept() <= now:
        return {"log_since": since}
    is_over = operation.state != State.IN_PROGRESS or (
        news.operation is not None and decide.is_end(news.operation.status)
    )
    return {"log_since": None if is_over and due_at is None else now}


def _answer(operation: Operation, remote: RemoteOperation) -> dict[str, Any]:
    """Return what Ampersand says of the operation, cut to what we have room for.

    Of one that it rejected the answer to the write has told all of that.
    """
    if operation.state == State.REJECTED:
        return {"answer": {**operation.answer, "operation": remote.raw}}
    values: dict[str, Any] = {
        "remote_status": remote.status[:100],
        "result": remote.result or "",
        "answer": {**operation.answer, "operation": remote.raw},
    }
    if not operation.object_name and remote.object_name:
        values["object_name"] = remote.object_name[:200]
    return values


def _end(
    operation: Operation, remote: RemoteOperation, now: datetime
) -> dict[str, Any]:
    """Return how it ended, if it did; the late log may still change the counts.

    How one record fared is told once, as a rule by the answer to its write.
    """
    if operation.state == State.REJECTED:
        return {}
    if operation.state in Operation.ENDED and not operation.is_bulk:
        return {}
    end = decide.decide(
        status=remote.status,
        result=remote.result or "",
        entries=operation.log_entries.filter(tells_outcome=True),
        rows_sent=operation.rows_sent,
    )
    if end is None:
        return {}
    return {
        "state": end.state,
        "rows_succeeded": end.rows_succeeded,
        "rows_failed": end.rows_failed,
        "reason": end.reason,
        "remedy": end.remedy,
        "ended_at": operation.ended_at or now,
    }


def _next_ask(
    operation: Operation,
    ended_at: datetime | None,
    problem: Problem | None,
    now: datetime,
    *,
    has_log: bool,
) -> datetime | None:
    if operation.state == State.REJECTED:
        ended_at = ended_at or operation.accepted_at
    if ended_at and has_log and not problem and not operation.is_bulk:
        # Nothing about one record comes late.
        return None
    accepted_at = operation.accepted_at
    retry_after = problem.problem.retry_after if isinstance(problem, Refused) else None
    return schedule.next_ask(
        now=now,
        accepted_at=accepted_at,
        ended_at=ended_at,
        silent_since=(operation.asked_at or accepted_at) if problem else None,
        retry_after=retry_after,
        log_until=operation.log_until,
    )
