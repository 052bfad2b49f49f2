"""How long something took, and how long ago it was, as people say it."""

from datetime import datetime, timedelta

from django.utils import timezone

# (from so many seconds on, the seconds of one, what it is called)
UNITS = (
    (48 * 3600, 86_400, "d"),
    (3600, 3600, "h"),
    (60, 60, "min"),
)


def duration(value: timedelta) -> str:
    """Return a time as people say it: "40 s", "4 min", "1 h 20 min"."""
    seconds = round(value.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def ago(moment: datetime) -> str:
    """Return how long ago it was, to the minute: "just now", "5 min ago", "3 d ago"."""
    seconds = (timezone.now() - moment).total_seconds()
    for least, unit, name in UNITS:
        if seconds >= least:
            return f"{int(seconds // unit)} {name} ago"
    return "just now"
