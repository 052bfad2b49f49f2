"""Asking Ampersand once how an operation is doing, and keeping what it says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from ampersand import AmpersandError, NotSent, OutcomeUnknown, Refused
from ampersand import LogEntry as RemoteEntry
from ampersand import Operation as RemoteOperation
from console.fields import UnreadableSecret
from console.models import NoActiveKey
from operations import gate, logbook, outcome, schedule
from operations.models import Operation

# A worker that was killed while it asked is replaced after this.
LEASE_MARGIN = timedelta(seconds=60)
# An operation and its log.
READS = 2

Problem = AmpersandError | NoActiveKey | UnreadableSecret


@dataclass
class News:
    """What one round of asking brought; None where an answer is missing."""

    operation: RemoteOperation | None = None
    entries: tuple[RemoteEntry, ...] | None = None
    problem: Problem | None = None


def watch(operation_id: int, due_at: datetime) -> None:
    """Ask Ampersand about an operation and its log, if it is still due at `due_at`.

    Of two calls with the same `due_at` only one asks; a call that is out of date finds
    nothing. What cannot be read changes no state: it becomes `watch_problem` in words.
    """
    operation = _claim(operation_id, due_at)
    if operation is None or _put_off(operation):
        return
    # No transaction is open here: the remote may take its time.
    news = _ask(operation)
    _tell_gate(operation, news.problem)
    with transaction.atomic():
        _store(operation.pk, news)


def _claim(operation_id: int, due_at: datetime) -> Operation | None:
    lease = timedelta(seconds=settings.SEND_TIMEOUT) + LEASE_MARGIN
    due = Operation.objects.filter(
        pk=operation_id, due_at=due_at, state__in=Operation.WATCHED
    )
    if due.update(due_at=timezone.now() + lease) != 1:
        return None
    return Operation.objects.select_related("project").get(pk=operation_id)


def _put_off(operation: Operation) -> bool:
    """Have it asked later if the project's gate lets no reads through now."""
    reads = gate.admit_reads(operation.project, READS)
    if reads.granted == READS:
        return False
    operation.change(only_from=Operation.WATCHED, due_at=reads.next_at)
    return True


def _tell_gate(operation: Operation, problem: Problem | None) -> None:
    if problem is None or isinstance(problem, AmpersandError):
        gate.reads_ended(operation.project, [problem])


def _ask(operation: Operation) -> News:
    news = News()
    remote = {
        "project": operation.project.remote_id,
        "operation_id": operation.remote_id,
    }
    try:
        client = operation.project.client()
        news.operation = client.get_operation(**remote)
        news.entries = tuple(client.list_operation_logs(**remote))
    except (AmpersandError, NoActiveKey, UnreadableSecret) as problem:
        news.problem = problem
    return news


def _store(operation_id: int, news: News) -> None:
    """Keep the news on the row as it is now: somebody may have changed it meanwhile."""
    operation = Operation.objects.select_for_update().get(pk=operation_id)
    if operation.state not in Operation.WATCHED:
        return
    if news.entries:
        logbook.keep(operation, news.entries)
    now = timezone.now()
    values: dict[str, Any] = {
        "asked_count": operation.asked_count + 1,
        "watch_problem": problem_in_words(news.problem) if news.problem else "",
    }
    if not news.problem:
        values["asked_at"] = now
    if news.operation:
        values |= _answer(operation, news.operation)
        values |= _end(operation, news.operation, now)
    values["due_at"] = _next_ask(operation, values, news.problem, now)
    operation.change(only_from=(operation.state,), **values)


def _answer(operation: Operation, remote: RemoteOperation) -> dict[str, Any]:
    """Return what Ampersand says of the operation, cut to what we have room for."""
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
    """Return how it ended, if it did; the late log may still change the counts."""
    end = outcome.decide(
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
    values: dict[str, Any],
    problem: Problem | None,
    now: datetime,
) -> datetime | None:
    accepted_at = operation.answered_at or operation.created_at
    retry_after = problem.problem.retry_after if isinstance(problem, Refused) else None
    return schedule.next_ask(
        now=now,
        accepted_at=accepted_at,
        ended_at=values.get("ended_at", operation.ended_at),
        silent_since=(operation.asked_at or accepted_at) if problem else None,
        retry_after=retry_after,
    )


def problem_in_words(problem: Problem) -> str:
    """Say why we could not ask, and what to do."""
    match problem:
        case Refused(problem=said) if said.status == 404:
            return (
                "Ampersand does not know this operation, or no longer. Check its id "
                "and the project."
            )
        case Refused(problem=said) if said.status in (401, 403):
            return (
                f"Ampersand refused the project's API key ({said.detail}) Ask an admin "
                "to check it."
            )
        case Refused(problem=said):
            return f"Ampersand answered with an error: {said.detail}"
        case NotSent() | OutcomeUnknown():
            return f"Ampersand could not be asked: {problem.detail}"
        case AmpersandError():
            return problem.detail
        case NoActiveKey():
            return f"{problem} Ask an admin to add one."
    return f"{problem} Ask an admin to add the key again."
