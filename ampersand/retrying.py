"""Backoff: when a read that failed is tried again; pure but for its jitter."""

import random
from datetime import datetime

from ampersand.errors import AmpersandError, OutcomeUnknown, Refused, RequestInvalid
from ampersand.exchange import TOO_LARGE

READ_TRIES = 3
FIRST_PAUSE = 0.5

# A server that asks for more gets its way from the caller, not from a waiting thread.
LONGEST_PAUSE = 30.0


def pause_after(
    error: AmpersandError,
    attempt: int,
    *,
    now: datetime,
    longest: float = LONGEST_PAUSE,
) -> float | None:
    """Return the seconds to wait before trying again, or None not to.

    `attempt` counts from 1. None as well where the server asks for more than `longest`.
    """
    if isinstance(error, RequestInvalid):
        return None
    if isinstance(error, OutcomeUnknown) and error.reason == TOO_LARGE:
        return None
    # Jitter, so that clients that failed together do not return together.
    pause = FIRST_PAUSE * 2.0**attempt * random.uniform(0.5, 1)  # nosec B311 # noqa: S311 - nothing secret
    if not isinstance(error, Refused):
        return pause
    if not error.problem.retryable:
        return None
    if error.problem.retry_after is None:
        return pause
    asked = (error.problem.retry_after - now).total_seconds()
    return None if asked > longest else max(pause, asked)
