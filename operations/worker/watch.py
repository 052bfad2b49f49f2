"""Asking Ampersand how operations are doing, many at a time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate, groupby

from django.utils import timezone

from ampersand import AmpersandError, RequestInvalid
from console.clients import read_together
from console.fields import UnreadableSecret
from console.models import NoActiveKey, Project
from console.runtime import db_clock
from console.runtime.shutdown import holding
from operations.limits import rate_limit
from operations.models import Operation
from operations.models.operation_queries import LOG_IS_LATE
from operations.worker import fetch, schedule, store
from operations.worker.fetch import Fetched, Query

# A worker that was killed while it asked is replaced after this; asking twice, where
# one only took long to store the answers, does no harm.
LEASE = timedelta(seconds=fetch.CUT_AFTER + 15)


def watch(pks: Sequence[int], due_at: datetime) -> None:
    """Ask Ampersand about those operations of `pks` that are still due at `due_at`.

    Of two calls with the same `due_at` only one asks; a call that is out of date finds
    nothing. What cannot be read changes no state: it becomes `watch_problem` in words.
    """
    mine = _claim(pks, due_at)
    with holding(partial(store.give_back, mine)):
        for project, operations in _by_project(mine):
            _watch(project, operations)


def _watch(project: Project, operations: list[Operation]) -> None:
    try:
        reader = project.reader()
    except (NoActiveKey, UnreadableSecret, RequestInvalid) as problem:
        store.store_news(
            operations, {each.pk: Fetched(problem=problem) for each in operations}
        )
        return
    now = timezone.now()
    queries = [_query(project, operation, now) for operation in operations]
    admitted = _admitted(project, operations, queries)
    if not admitted:
        return
    # No transaction is open here: the remote may take its time.
    news = read_together(fetch.fetch_all(reader, queries[:admitted]))
    problems = [each.problem for each in news.values()]
    rate_limit.reads_ended(
        project, [p for p in problems if p is None or isinstance(p, AmpersandError)]
    )
    store.store_news(operations[:admitted], news)


def _admitted(
    project: Project, operations: list[Operation], queries: list[Query]
) -> int:
    """Return how many may be asked now, and give the others a later turn."""
    wanted = list(accumulate(query.reads for query in queries))
    reads = rate_limit.admit_reads(project, wanted[-1])
    admitted = sum(total <= reads.granted for total in wanted)
    store.put_off(operations[admitted:], reads.next_at)
    return admitted


def _claim(pks: Sequence[int], due_at: datetime) -> list[Operation]:
    """Take what is still due by pushing it ahead; that value is the token of it."""
    lease = db_clock.now() + LEASE
    watched = Operation.objects.filter(pk__in=pks, state__in=Operation.WATCHED)
    if not watched.filter(due_at=due_at).update(due_at=lease):
        return []
    mine = watched.filter(due_at=lease).select_related("project")
    return list(mine.order_by("project_id", "pk"))


def _by_project(
    operations: list[Operation],
) -> Iterable[tuple[Project, list[Operation]]]:
    for _, same in groupby(operations, lambda operation: operation.project_id):
        of_one = list(same)
        yield of_one[0].project, of_one


def _query(project: Project, operation: Operation, now: datetime) -> Query:
    is_late = operation.log_since and operation.log_since + LOG_IS_LATE <= now
    with_log = bool(not operation.log_digest or is_late) or schedule.log_is_due(
        now=now,
        accepted_at=operation.accepted_at,
        ended_at=operation.ended_at,
        asked_count=operation.asked_count,
    )
    return Query(
        pk=operation.pk,
        project=project.remote_id,
        remote_id=operation.remote_id,
        known=operation.answer.get("operation"),
        with_log=with_log,
    )
