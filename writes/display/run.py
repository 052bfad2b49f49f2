"""How far a run is, in numbers: requests and rows, and about how long it goes on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Sum
from django.db.models.functions import Coalesce

from writes.models import Batch, Call

# So many requests a page; the first are those to look at.
PAGE = 50
# The pace is that of so many requests; a guess from fewer would jump about.
COUNTED = 20
FEWEST = 5


@dataclass(frozen=True)
class RunProgress:
    """Counts over all requests of a run.

    `accepted` are those that Ampersand works on, with `being_written` rows.
    `unverified` rows were written, and nobody knows by which ids. `left` is about how
    long it goes on, None where nobody can tell, as `rows_per_second` is.
    """

    calls: int
    over: int
    sending: int
    accepted: int
    planned: int
    undecided: int
    rows: int
    succeeded: int
    failed: int
    unknown: int
    being_written: int
    not_sent: int
    unverified: int
    leaving: int
    rows_per_second: float | None = None
    left: timedelta | None = None

    @property
    def told(self) -> int:
        """Of how many rows it is known what became of them."""
        return self.succeeded + self.failed

    @property
    def is_moving(self) -> bool:
        """Whether a request is being sent or worked on, or may go by itself."""
        return bool(self.sending or self.accepted or self.planned)


def run_progress(batch: Batch, now: datetime) -> RunProgress:
    """Return how far a run is; as quick with many requests as with few.

    What is over is counted with the run; only what is not is looked up.
    """
    operation, State = batch.operation, Call.State  # noqa: N806 - a class
    found = Call.objects.filter(batch=batch).order_by()
    working = (State.SENDING, State.UNKNOWN, State.CANCELLED, State.ACCEPTED)
    counted = found.filter(state__in=working)
    calls = dict(counted.values_list("state").annotate(Count("pk")))
    doubted = found.undecided().aggregate(
        rows=Coalesce(Sum(F("last_row") - F("first_row") + 1), 0),
        told=Coalesce(Sum(F("succeeded") + F("failed")), 0),
    )
    leaving = found.filter(state=State.SENDING).rows()
    being_written = found.accepted().rows()
    rows, over = operation.rows_sent or 0, batch.calls_over
    sending, undecided = calls.get(State.SENDING, 0), calls.get(State.UNKNOWN, 0)
    accepted = calls.get(State.ACCEPTED, 0)
    planned = max(0, batch.calls_total - over - sending - undecided - accepted)
    succeeded, failed = operation.rows_succeeded or 0, operation.rows_failed or 0
    unknown = doubted["rows"] - doubted["told"]
    not_sent = max(0, rows - (succeeded + failed + unknown + leaving + being_written))
    pace = _pace(batch, planned, now)
    return RunProgress(
        calls=batch.calls_total,
        over=over,
        sending=sending,
        accepted=accepted,
        planned=planned,
        undecided=undecided,
        rows=rows,
        succeeded=succeeded,
        failed=failed,
        unknown=unknown,
        being_written=being_written,
        not_sent=not_sent,
        unverified=found.unverified(),
        leaving=leaving,
        rows_per_second=pace,
        left=timedelta(seconds=max(1, not_sent / pace)) if pace and planned else None,
    )


def _pace(batch: Batch, planned: int, now: datetime) -> float | None:
    """Return how many rows a second leave by the last requests; None if unknown.

    Until now, so that it falls while nothing goes.
    """
    last = batch.calls_total - planned
    near = Call.objects.filter(batch=batch, number__gt=last - COUNTED)
    sent = near.filter(number__lte=last, sent_at__isnull=False)
    found = list(sent.order_by().values_list("sent_at", "first_row", "last_row"))
    if len(found) < FEWEST:
        return None
    rows = sum(last_row - first_row + 1 for _, first_row, last_row in found)
    begun = min(sent_at for sent_at, _, _ in found if sent_at)
    seconds = (now - begun).total_seconds()
    return rows / seconds if seconds > 0 else None
