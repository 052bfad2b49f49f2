"""How long ago something was, as people say it."""

from datetime import datetime

from django.utils import timezone

# (from so many seconds on, the seconds of one, what it is called)
UNITS = (
    (48 * 3600, 86_400, "d"),
    (3600, 3600, "h"),
    (60, 60, "min"),
)


def ago(moment: datetime) -> str:
    """Return how long ago it was, to the minute: "just now", "5 min ago", "3 d ago"."""
    seconds = (timezone.now() - moment).total_seconds()
    for least, unit, name in UNITS:
        if seconds >= least:
            return f"{int(seconds // unit)} {name} ago"
    return "just now"
