"""The polling schedule: when to ask Ampersand again, ever more slowly; pure.

An operation is asked 2 s, 5 s and 15 s after it was accepted, then every minute, after
a day every ten minutes, and after a week no more. Its log is asked for each time in the
first five minutes, then every fifth time, and whenever the operation has news; after
its end 15 s and 60 s later and until 3 minutes are over, because entries come late.
"""

import random
from datetime import datetime, timedelta

FIRST = timedelta(seconds=2)
MINUTE = timedelta(minutes=1)
SLOW = timedelta(minutes=10)
GIVE_UP_AFTER = timedelta(days=7)

# (until this age, this pause). The ages lie a little before the moments that they
# lead to, so that a pause that came out short does not count twice.
RUNNING = (
    (timedelta(seconds=1), FIRST),
    (timedelta(seconds=4), timedelta(seconds=3)),
    (timedelta(seconds=13), timedelta(seconds=10)),
    (timedelta(days=1), MINUTE),
    (GIVE_UP_AFTER, SLOW),
)
PAST_ITS_END = (
    (timedelta(seconds=13), timedelta(seconds=15)),
    (timedelta(seconds=50), timedelta(seconds=45)),
    (timedelta(minutes=3), MINUTE),
)

YOUNG = timedelta(minutes=5)
LOG_EVERY = 5

SHORTEST_BACK_OFF = timedelta(seconds=5)
# A server that asks us to stay away for longer means less than it says.
LONGEST_RETRY_AFTER = timedelta(days=1)


def next_ask(
    *,
    now: datetime,
    accepted_at: datetime,
    ended_at: datetime | None,
    silent_since: datetime | None = None,
    retry_after: datetime | None = None,
    log_until: datetime | None = None,
) -> datetime | None:
    """Return when to ask next, or None when all has been asked.

    `silent_since` is when the last answer came, if this time none did: then we wait as
    long again as it has been silent. `retry_after` is what the server asked for. Up to
    `log_until` Ampersand has entries of the log that could not be read yet.
    """
    age = now - (ended_at or accepted_at)
    pause = _pause(age, PAST_ITS_END if ended_at else RUNNING)
    may_have_log = age < GIVE_UP_AFTER or (log_until is not None and now < log_until)
    if pause is None and silent_since is not None and may_have_log:
        # It ended, and its log was never read to the end.
        pause = SLOW
    if pause is None:
        return None
    if silent_since is not None:
        silence = min(max(now - silent_since, SHORTEST_BACK_OFF), SLOW)
        pause = max(pause, silence)
    due = now + _jittered(pause)
    if retry_after is None:
        return due
    return max(due, min(retry_after, now + LONGEST_RETRY_AFTER))


def log_is_due(
    *,
    now: datetime,
    accepted_at: datetime,
    ended_at: datetime | None,
    asked_count: int,
) -> bool:
    """Tell whether the log is asked for along with the state, even without news."""
    if ended_at is not None or now - accepted_at < YOUNG:
        return True
    return asked_count % LOG_EVERY == 0


def _pause(
    age: timedelta, table: tuple[tuple[timedelta, timedelta], ...]
) -> timedelta | None:
    return next((pause for until, pause in table if age < until), None)


def _jittered(pause: timedelta) -> timedelta:
    """Spread by 10 % either way, so that what began together does not ask together.

    By 20 % from a minute on: after an outage all fall due at once, and spread sooner.
    """
    spread = 0.2 if pause >= MINUTE else 0.1
    return pause * random.uniform(1 - spread, 1 + spread)  # nosec B311 # noqa: S311 - nothing secret
