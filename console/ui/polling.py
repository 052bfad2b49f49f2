"""Polling by pages: how often one asks for news, and what is new to it."""

import hashlib
from datetime import datetime, timedelta

from django.utils import timezone

# (up to this age, every so many seconds): what lasts long is looked at less often.
BY_AGE = (
    (timedelta(minutes=1), 1),
    (timedelta(minutes=5), 2),
    (timedelta(minutes=10), 5),
    (timedelta(hours=1), 15),
)
SLOWEST = 30
# After the end Ampersand is asked a few times more, for late entries of the log.
ENDED_SECONDS = 30


def seconds_between_polls(since: datetime, *, quickest: int = 1) -> int:
    """Return how often a page asks about what has gone on `since` then."""
    age = timezone.now() - since
    seconds = next((seconds for until, seconds in BY_AGE if age < until), SLOWEST)
    return max(seconds, quickest)


def seen(*shown: object) -> str:
    """Return a short text that is another one as soon as anything in `shown` changes.

    A page sends back what it has; while that is still so, the answer is 204. What it
    shows and how often it asks both belong to `shown`, as texts, numbers and lists.
    """
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
