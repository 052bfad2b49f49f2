"""Whether the log of an operation is stored here before Ampersand deletes it, in words.

Ampersand keeps a log for LOG_DAYS_AT_AMPERSAND days, and tells of no deletion.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.models import Operation
from operations.models.operation_queries import LOG_IS_LATE, OperationQuerySet, log_kept

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Counts end here.
MOST = 1_000
# What could not be stored in time is told of on Home for so long.
TOLD_FOR = timedelta(days=7)


@dataclass(frozen=True)
class LogRisk:
    """Entries since `since` may be missing here; Ampersand deletes them from `until`.

    `left` says how long that is, "" once it is over.
    """

    since: datetime
    until: datetime
    left: str

    @property
    def is_over(self) -> bool:
        """Whether the time is over in which they were there for sure."""
        return not self.left


@dataclass(frozen=True)
class LogAlarm:
    """How many logs are not stored yet, and how long is left for the first of them.

    `lost` are those that lately could not be stored in time. Counts are texts.
    """

    count: str
    left: str
    lost: str


def risk_of(operation: Operation, now: datetime) -> LogRisk | None:
    """Return what is to be told of the log of an operation, None where all is well."""
    since, until = operation.log_since, operation.log_until
    if since is None or until is None or now < since + LOG_IS_LATE:
        return None
    return LogRisk(since, until, about(until - now) if now < until else "")


def alarm_of(operations: OperationQuerySet, now: datetime) -> LogAlarm | None:
    """Return what is to be told of the logs of many, None where all is well."""
    at_risk, lost = operations.log_at_risk(now), operations.log_lost(now)
    first = at_risk.order_by("log_since").first()
    lately = _count(lost.filter(log_since__gt=now - log_kept() - TOLD_FOR))
    if first is None and lately == "0":
        return None
    left = about(first.log_until - now) if first and first.log_until else ""
    return LogAlarm(_count(at_risk), left, lately)


def about(left: timedelta) -> str:
    """Return a time in words that are right for planning: "about 2 days"."""
    if left >= 2 * DAY:
        return f"about {round(left / DAY)} days"
    if left >= 2 * HOUR:
        return f"about {round(left / HOUR)} hours"
    return "less than 2 hours"


def _count(operations: OperationQuerySet) -> str:
    count = operations.order_by()[:MOST].count()
    return f"{count:,}+" if count == MOST else f"{count:,}"
