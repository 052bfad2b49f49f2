"""How far a run is, in numbers: requests and rows, and about how long it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, Sum

from writes.models import Batch, Call

# So many requests a page; the first are those to look at.
PAGE = 50
# A guess from fewer requests would jump about.
FEWEST = 5


@dataclass(frozen=True)
class RunProgress:
    """Counts over all requests of a run.

    `accepted` are those that Ampersand works on, with `being_written` rows.
    `unverified` rows were written, and nobody knows by which ids. `left` is about how
    long it goes on, None where nobody can tell.
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
    left: timedelta | None = None

    @property
    def is_moving(self) -> bool:
        """Whether a request is being sent or worked on, or may go by itself."""
        return bool(self.sending or self.accepted or self.planned)


def run_progress(batch: Batch, now: datetime) -> RunProgress:
    """Return how far a run is; two queries however many requests it has."""
    row_count = F("last_row") - F("first_row") + 1
    found = Call.objects.filter(batch=batch).order_by()
    sums: dict[int, Mapping[str, Any]] = {
        row["state"]: row
        for row in found.values("state").annotate(
            calls=Count("pk"),
            rows=Sum(row_count),
            ok=Sum("succeeded"),
            bad=Sum("failed"),
            unverified=Sum("succeeded", filter=Q(trust=Call.Trust.UNVERIFIED)),
        )
    }

    def of(state: int, name: str) -> int:
        return int(sums[state][name] or 0) if state in sums else 0

    answered, unknown = Call.State.ANSWERED, Call.State.UNKNOWN
    succeeded = of(answered, "ok") + of(unknown, "ok")
    failed = of(answered, "bad") + of(unknown, "bad")
    told = of(answered, "rows") + of(unknown, "rows")
    planned = of(Call.State.PLANNED, "calls")
    accepted = of(Call.State.ACCEPTED, "calls")
    return RunProgress(
        calls=sum(int(row["calls"]) for row in sums.values()),
        over=of(answered, "calls") + of(Call.State.CANCELLED, "calls"),
        sending=of(Call.State.SENDING, "calls"),
        accepted=accepted,
        planned=planned,
        undecided=of(unknown, "calls"),
        rows=sum(int(row["rows"]) for row in sums.values()),
        succeeded=succeeded,
        failed=failed,
        unknown=told - succeeded - failed + of(Call.State.SENDING, "rows"),
        being_written=of(Call.State.ACCEPTED, "rows"),
        not_sent=of(Call.State.PLANNED, "rows") + of(Call.State.CANCELLED, "rows"),
        unverified=of(answered, "unverified"),
        left=_left(batch, of(answered, "calls") + accepted, planned, now),
    )


def _left(batch: Batch, sent: int, planned: int, now: datetime) -> timedelta | None:
    since = batch.operation.sent_at
    if since is None or sent < FEWEST or not planned:
        return None
    return (now - since) / sent * planned
