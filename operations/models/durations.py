"""How long many things took, counted so that days can be added up; pure.

A duration falls into a bucket by its logarithm: the upper end of each is 2 ** 0.25,
19 %, above its lower one. A quantile is told as the middle of its bucket, so it is at
most 10 % away from the true one (below a millisecond: a millisecond).
"""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil, floor, log2
from typing import Final

PER_DOUBLING: Final = 4
# A quantile is at most so far from the true one, as a share of that.
ERROR: Final = 0.1

_UNIT = timedelta(milliseconds=1)


def bucket_of(duration: timedelta) -> int:
    """Return the bucket that a duration falls into; clocks may have stepped back."""
    units = duration / _UNIT
    return floor(log2(units) * PER_DOUBLING) if units > 1 else 0


def quantile(histogram: Mapping[int, int], share: float) -> timedelta | None:
    """Return what `share` of the durations do not exceed; None where there are none.

    `histogram` says how many fell into each bucket.
    """
    rank = max(1, ceil(share * sum(histogram.values())))
    for bucket in sorted(histogram):
        rank -= histogram[bucket]
        if rank <= 0:
            return _UNIT * 2 ** ((bucket + 0.5) / PER_DOUBLING)
    return None


def size_of(rows: int | None) -> int:
    """Return the class of size of so many rows: each holds twice as many as the last.

    0 is where nobody knows how many.
    """
    return (rows or 0).bit_length()
