"""How fast the parts of a write go, and how long the others will take; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.models import Operation
from writes.models import Batch

# The pace of the last few parts says more than that of all.
PARTS_COUNTED = 5

OPEN = (*Operation.IN_FLIGHT, Operation.State.HELD)


@dataclass(frozen=True)
class Pace:
    """`rows_per_second` and `left` are None where they cannot be known yet."""

    elapsed: timedelta
    rows_per_second: float | None = None
    left: timedelta | None = None


def pace_of(batches: Sequence[Batch], now: datetime) -> Pace | None:
    """Return the pace of a write that is going; None before anything was sent.

    `batches` come with their operations. Measured from when the first of the last parts
    left until the last of them ended; the parts that have not ended are what is left.
    """
    operations = [batch.operation for batch in batches]
    sent = [o.sent_at for o in operations if o.sent_at]
    if not sent:
        return None
    elapsed = max(now - min(sent), timedelta(0))
    ended = [(o.ended_at, o.sent_at, o) for o in operations if o.ended_at and o.sent_at]
    last = sorted(ended, key=lambda each: each[0])[-PARTS_COUNTED:]
    if not last:
        return Pace(elapsed)
    rows = sum(o.rows_sent or 0 for _, _, o in last)
    took = max(end for end, _, _ in last) - min(start for _, start, _ in last)
    if rows <= 0 or took <= timedelta(0):
        return Pace(elapsed)
    each = rows / took.total_seconds()
    open_rows = sum(o.rows_sent or 0 for o in operations if o.state in OPEN)
    return Pace(elapsed, each, timedelta(seconds=open_rows / each))
