"""Counting days again, of which an operation changed.

Each day is counted in a transaction of its own, under a lock of all that count. What
changes meanwhile left a mark that was not read yet: the day is counted once more.
"""

import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, Max, Min, Sum

from operations.models import (
    DayCount,
    DayDuration,
    DayError,
    Failure,
    Operation,
    OperationQuerySet,
    RollupMark,
    RollupZone,
)
from operations.models.days import bounds_of, day_of
from operations.models.durations import bucket_of, size_of
from operations.models.row_outcomes import ROW_OUTCOMES

MOST_MARKS = 10_000
AT_ONCE = 500
WORDS = ("code", "message", "fields")


def count_marked(*, seconds: float = 1.0) -> int:
    """Count the days that have marks, newest first; return how many were counted.

    No new one is begun after `seconds`: the marks of the others stay. The first time,
    and after another time zone was set, all days get a mark.
    """
    until = time.monotonic() + seconds
    if not RollupZone.objects.filter(name=settings.TIME_ZONE).exists():
        mark_all()
    counted = 0
    for day, marks in _marked_days().items():
        if counted and time.monotonic() > until:
            break
        with transaction.atomic():
            # One at a time; another clock goes on without waiting.
            lock = RollupZone.objects.select_for_update(skip_locked=True)
            if not list(lock):
                break
            if day is not None:
                _count_day(day)
            RollupMark.objects.filter(pk__in=marks).delete()
        counted += 1
    return counted


@transaction.atomic
def mark_all() -> int:
    """Have every day counted again that has operations; return how many there are.

    What was counted in another time zone goes first.
    """
    zone = RollupZone.objects.filter(name=settings.TIME_ZONE)
    if not zone.exists():
        for model in (DayCount, DayDuration, DayError):
            model.objects.all().delete()
        RollupZone.objects.update_or_create(
            pk=RollupZone.ONLY, defaults={"name": settings.TIME_ZONE}
        )
    ends = Operation.objects.aggregate(first=Min("created_at"), last=Max("created_at"))
    if ends["first"] is None:
        return 0
    days = list(_days(day_of(ends["first"]), day_of(ends["last"])))
    RollupMark.objects.bulk_create(
        RollupMark(moment=bounds_of(day, day)[0]) for day in days
    )
    return len(days)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _marked_days() -> dict[date | None, list[int]]:
    """Return the days to count, newest first, each with its marks.

    Marks of operations that are gone have no day.
    """
    read = RollupMark.objects.order_by("-pk").values_list(
        "pk", "operation_id", "moment"
    )
    marks = list(read[:MOST_MARKS])
    moments: dict[int, datetime] = {}
    for some in batched({pk for _, pk, _ in marks if pk}, AT_ONCE):
        rows = Operation.objects.filter(pk__in=some)
        moments |= dict(rows.values_list("pk", "created_at"))
    found: dict[date | None, list[int]] = {}
    for mark, pk, moment in marks:
        began = moment or moments.get(pk or 0)
        day = day_of(began) if began else None
        found.setdefault(day, []).append(mark)
    return dict(sorted(found.items(), key=lambda item: item[0] or date.min)[::-1])


def _count_day(day: date) -> None:
    first, end = bounds_of(day, day)
    operations = Operation.objects.filter(created_at__gte=first, created_at__lt=end)
    _replace(DayCount, day, _counts(operations))
    _replace(DayDuration, day, _durations(operations))
    _replace(DayError, day, _errors(operations))


def _counts(operations: models.QuerySet[Operation]) -> Iterable[dict[str, Any]]:
    sums = {f"sum_{name}": Sum(rows) for name, rows in ROW_OUTCOMES.items()}
    kinds = operations.order_by().values(*DayCount.KINDS)
    for row in kinds.annotate(operations=Count("pk"), **sums):
        yield {name.removeprefix("sum_"): value for name, value in row.items()}


def _durations(operations: models.QuerySet[Operation]) -> Iterable[dict[str, Any]]:
    ended = operations.filter(state__in=Operation.ENDED, sent_at__isnull=False)
    kinds = ("project_id", "object_name", "action")
    found: Counter[tuple[Any, ...]] = Counter()
    rows = ended.filter(ended_at__isnull=False).order_by()
    for *kind, sent, started, until in rows.values_list(
        *kinds, "rows_sent", "sent_at", "ended_at"
    ).iterator():
        found[(*kind, size_of(sent), bucket_of(until - started))] += 1
    names = (*kinds, "size", "bucket", "operations")
    return (
        dict(zip(names, (*key, count), strict=True)) for key, count in found.items()
    )


def _errors(operations: OperationQuerySet) -> Iterable[dict[str, Any]]:
    found = Failure.objects.filter(operation__in=operations.failed().order_by())
    kinds = found.values("digest", project_id=models.F("operation__project_id"))
    # The digest tells the words, so any of them will do.
    words = {f"any_{name}": Min(name) for name in WORDS}
    for row in kinds.annotate(operations=Count("pk"), sum_rows=Sum("rows"), **words):
        yield {re.sub("^(any|sum)_", "", name): value for name, value in row.items()}


def _replace(
    model: type[models.Model], day: date, rows: Iterable[dict[str, Any]]
) -> None:
    """Have `model` hold these rows of a day; what is right already stays."""
    names = tuple(f.attname for f in model._meta.concrete_fields if f.name != "id")
    wanted = {tuple({**row, "day": day}[name] for name in names) for row in rows}
    kept = model._default_manager.filter(day=day)
    _keep(model, kept, names, wanted)


def _keep(
    model: type[models.Model],
    kept: models.QuerySet[Any],
    names: tuple[str, ...],
    wanted: set[Any],
) -> None:
    """Have the rows `kept` be those `wanted`, each a tuple of the columns `names`."""
    old = {tuple(row): pk for pk, *row in kept.values_list("pk", *names)}
    gone = [pk for row, pk in old.items() if row not in wanted]
    for some in batched(gone, AT_ONCE):
        model._default_manager.filter(pk__in=some).delete()
    new = (model(**dict(zip(names, row, strict=True))) for row in wanted - old.keys())
    model._default_manager.bulk_create(new, batch_size=AT_ONCE)
