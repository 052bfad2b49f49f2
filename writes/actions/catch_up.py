"""Counting and indexing what came before there was a count or an index, bit by bit.

`Backlog` tells what is left. Killed before that is noted, some numbers are gone through
once more, which changes nothing; so it is where two clocks go through the same.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, InterfaceError, models, transaction

from operations.models import Failure, Operation
from operations.worker.store_failures import store_failures
from writes import record_index
from writes.actions import begin_job
from writes.models import Backlog, FileJob, SearchTerm, Write
from writes.records import LARGE
from writes.search import terms
from writes.worker.join_rows import keep_failures

log = logging.getLogger(__name__)

# So many operations or writes are looked at together.
AT_ONCE = 50


@dataclass(frozen=True)
class _Work:
    """`wanted` of the rows there are, each `done` by its number: False if it waits."""

    wanted: Callable[[], models.QuerySet[Write] | models.QuerySet[Operation]]
    done: Callable[[int], bool]


def catch_up(*, seconds: float = 0.2) -> bool:
    """Go through some of what is left, of each kind; tell whether there is more.

    Nothing is begun after `seconds`, but for one operation or write of each kind. What
    goes wrong with one is logged, and the others go on.
    """
    until = time.monotonic() + seconds
    left = [_go_through(each, until) for each in Backlog.objects.order_by("kind")]
    return any(left)


def _go_through(backlog: Backlog, until: float) -> bool:
    is_over = False
    while not is_over:
        up_to, is_over = _step(backlog, until)
        # Somebody else was quicker, or asked for all of it anew.
        if not backlog.go_on(up_to):
            return True
        if not up_to:
            return False
    return True


def _step(backlog: Backlog, until: float) -> tuple[int, bool]:
    """Return up to which number is left, and whether that is all for now."""
    work = _WORK[backlog.kind]
    wanted = work.wanted()
    below = wanted.model._default_manager.filter(pk__lte=backlog.up_to)
    pks = list(below.order_by("-pk").values_list("pk", flat=True)[:AT_ONCE])
    for pk in sorted(wanted.filter(pk__in=pks).values_list("pk", flat=True))[::-1]:
        if not _is_done(work, pk):
            return pk, True
        if time.monotonic() > until:
            return pk - 1, True
    return (pks[-1] - 1 if pks else 0), time.monotonic() > until


def _is_done(work: _Work, pk: int) -> bool:
    try:
        return work.done(pk)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        log.exception("%s: left out of number %s", work.done.__name__.strip("_"), pk)
        return True


def _joined() -> models.QuerySet[Write]:
    """Return what can be indexed by records; rows are not before they are joined."""
    return Write.objects.not_indexed().exclude(source=Write.Source.CSV, rows_store="")


@transaction.atomic
def _count_errors(pk: int) -> bool:
    """Of a run by its rows, where these are known; no example of what was swept."""
    operation = Operation.objects.select_for_update().get(pk=pk)
    # What it failed with cannot be read again, and what was counted stays.
    if operation.values_deleted_at:
        return True
    write = Write.objects.filter(batches__operation=operation).first()
    if not operation.is_run:
        store_failures(operation)
    elif write is not None and write.rows_totals is not None:
        keep_failures(write, write.rows_totals)
    if write is not None and write.files_deleted_at:
        Failure.objects.forget_examples(Operation.objects.filter(pk=pk))
    return True


@transaction.atomic
def _note_terms(pk: int) -> bool:
    """Values anew, so that they are noted under the first key of FIELD_KEYS."""
    write = Write.objects.select_related("integration__project").get(pk=pk)
    SearchTerm.objects.filter(write=write, kind=SearchTerm.Kind.VALUE).delete()
    terms.note(write)
    return True


def _index_records(pk: int) -> bool:
    """Small files at once, others by a worker, one after the other: people wait too."""
    write = Write.objects.defer(*LARGE).get(pk=pk)
    if write.source == Write.Source.RECORD:
        record_index.fill(write)
        return True
    index = FileJob.Kind.INDEX
    if FileJob.objects.filter(kind=index, state__in=FileJob.OPEN).exists():
        return False
    size = write.path_of("rows_store").stat().st_size
    begin_job.begin(write, index, size=size)
    return True


_WORK: dict[str, _Work] = {
    Backlog.Kind.ERRORS: _Work(Operation.objects.failed, _count_errors),
    Backlog.Kind.SEARCH: _Work(
        lambda: Write.objects.filter(state=Write.State.CONFIRMED), _note_terms
    ),
    Backlog.Kind.RECORDS: _Work(_joined, _index_records),
}
