"""Asking Ampersand what became of the requests of runs that it accepted.

Each has an operation of its own, which is asked about at the pace of the project, like
those that are watched. Once it ended, its rows are told; what cannot be read changes
nothing but the reason that is shown.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from ampersand import (
    AmpersandError,
    BatchResult,
    Refused,
    RequestInvalid,
)
from ampersand import Operation as RemoteOperation
from console.clients import read_together
from console.fields import UnreadableSecret
from console.models import NoActiveKey, Project
from console.runtime import db_clock
from console.runtime.shutdown import holding
from operations.display.problem import problem_in_words
from operations.limits import rate_limit
from operations.outcome import decide
from operations.outcome.of_batch import decide_batch
from operations.worker import fetch, schedule
from operations.worker.fetch import Fetched, Query
from operations.worker.store import PUT_OFF
from operations.worker.watch import LEASE
from writes import calls
from writes.models import Call, Write
from writes.models.call import CallQuerySet
from writes.worker import record_call

GIVEN_UP = "Ampersand accepted it, but reported no result within 7 days."


class CallQuery(Query):
    """The question about one accepted request: its log tells why rows failed."""

    def needs_log(self, operation: RemoteOperation) -> bool:
        """Whether it ended, and not all that it counts succeeded."""
        counts = decide.told_counts(operation.result or "", ())
        is_fine = counts is not None and counts[1] == 0
        return decide.is_end(operation.status) and not is_fine


def watch(pks: Sequence[int], due_at: datetime) -> None:
    """Ask about those requests of one project that are still due at `due_at`.

    Of two calls with the same `due_at` only one asks.
    """
    mine = _claim(pks, due_at)
    if not mine:
        return
    with holding(partial(_put_off, mine)):
        project = mine[0].batch.operation.project
        for call, news in _asked(project, mine):
            _keep(call, news)


def _claim(pks: Sequence[int], due_at: datetime) -> list[Call]:
    """Take what is still due by pushing it ahead; that value is the token of it."""
    lease = db_clock.now() + LEASE
    accepted = Call.objects.accepted().filter(pk__in=pks)
    if not accepted.filter(due_at=due_at).update(due_at=lease):
        return []
    mine = accepted.filter(due_at=lease).defer("outcome", "answer")
    way = ("batch__operation__project", "batch__write__integration__project")
    return list(mine.select_related(*way).order_by("pk"))


def _put_off(mine: Sequence[Call], until: datetime | None = None) -> None:
    """Give back what was claimed and not asked, to be asked at `until` or at once."""
    for call in mine:
        _claimed(call).update(due_at=until or db_clock.now())


def _claimed(call: Call) -> CallQuerySet:
    """Return the row of a claimed request that nobody changed meanwhile."""
    return Call.objects.accepted().filter(pk=call.pk, due_at=call.due_at)


def _asked(project: Project, mine: list[Call]) -> list[tuple[Call, Fetched]]:
    """Ask about as many as the pace allows; give the others a later turn."""
    try:
        reader = project.reader()
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as problem:
        return [(call, Fetched(problem=problem)) for call in mine]
    reads = rate_limit.admit_reads(project, len(mine))
    _put_off(mine[reads.granted :], reads.next_at)
    queries = [_query(project, call) for call in mine[: reads.granted]]
    # No transaction is open here: the remote may take its time.
    news = read_together(fetch.fetch_all(reader, queries))
    problems = [each.problem for each in news.values()]
    rate_limit.reads_ended(
        project, [p for p in problems if p is None or isinstance(p, AmpersandError)]
    )
    asked = mine[: reads.granted]
    later = db_clock.now() + PUT_OFF
    _put_off([call for call in asked if call.pk not in news], later)
    return [(call, news[call.pk]) for call in asked if call.pk in news]


def _query(project: Project, call: Call) -> CallQuery:
    return CallQuery(
        pk=call.pk,
        project=project.remote_id,
        remote_id=call.remote_id,
        known=None,
        with_log=False,
    )


def _keep(call: Call, news: Fetched) -> None:
    result = _end_of(call, news)
    if result is not None:
        record_call.record_end(call, result)
        return
    due_at = _next_ask(call, news)
    if due_at is None:
        record_call.give_up(call, GIVEN_UP)
        return
    why = f"Asking failed. {problem_in_words(news.problem)}" if news.problem else ""
    _claimed(call).update(due_at=due_at, reason=why[: record_call.LONGEST_REASON])


def _end_of(call: Call, news: Fetched) -> BatchResult | None:
    """Return what became of its rows, None where that is not told yet."""
    if news.operation is None or news.problem is not None:
        return None
    errors = [entry.error or "" for entry in news.entries or ()]
    is_create = call.action == Write.Action.CREATE
    return decide_batch(news.operation, _ids(call), errors, is_create=is_create)


def _ids(call: Call) -> list[str]:
    """Return the ids of its records, blank where the file does not tell them."""
    blank = [""] * call.row_count
    if call.action == Write.Action.CREATE:
        return blank
    try:
        ids = calls.ids_in(calls.body_of(call), call.action)
    except (OSError, ValueError):
        return blank
    return ids if len(ids) == len(blank) else blank


def _next_ask(call: Call, news: Fetched) -> datetime | None:
    problem, since = news.problem, call.sent_at or db_clock.now()
    return schedule.next_ask(
        now=db_clock.now(),
        accepted_at=since,
        ended_at=None,
        silent_since=since if problem else None,
        retry_after=problem.problem.retry_after
        if isinstance(problem, Refused)
        else None,
    )
