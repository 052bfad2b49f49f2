"""How long operations of a kind took lately, told from the days that were counted."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Sum
from django.utils import timezone

from operations.models import DayDuration
from operations.models.durations import quantile, size_of

LOOKED_BACK: Final = timedelta(days=90)
# Fewer say nothing.
LEAST: Final = 3


@dataclass(frozen=True)
class UsualTime:
    """Four of five took from `low` to `high`; `count` is how many there were."""

    low: timedelta
    high: timedelta
    count: int


def usual_time(
    *, project_id: int, object_name: str, action: str, rows: int
) -> UsualTime | None:
    """Return how long operations of about so many rows took; None for too few.

    Those of the same size, within twice as many rows; else those of the next ones too.
    """
    size = size_of(rows)
    found = DayDuration.objects.filter(
        project=project_id,
        object_name=object_name,
        action=action,
        day__gte=timezone.localdate() - LOOKED_BACK,
        size__in=(size - 1, size, size + 1),
    ).values_list("size", "bucket")
    of_size, near = Counter[int](), Counter[int]()
    for its_size, bucket, count in found.annotate(sum=Sum("operations")):
        near[bucket] += count
        if its_size == size:
            of_size[bucket] += count
    for histogram in (of_size, near):
        low, high = quantile(histogram, 0.1), quantile(histogram, 0.9)
        if histogram.total() >= LEAST and low and high:
            return UsualTime(low, high, histogram.total())
    return None
