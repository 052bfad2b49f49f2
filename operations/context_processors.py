"""What every page knows of operations."""

from datetime import timedelta
from functools import partial

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from operations.models import Operation

MOST_COUNTED = 100


def unknown_alert(request: HttpRequest) -> dict[str, object]:
    """Give pages `unknown_too_long`: they ask for it where they draw their frame."""
    return {"unknown_too_long": partial(_unknown_too_long, request)}


def _unknown_too_long(request: HttpRequest) -> dict[str, object] | None:
    """Return how many outcomes are unknown for too long, and how long that is."""
    minutes = settings.UNKNOWN_ALERT_MINUTES
    before = timezone.now() - timedelta(minutes=minutes)
    visible = Operation.objects.visible_to(request.user)
    # In the order of an index: else the whole table may be read for them.
    count = visible.unknown_since(before).newest_first()[:MOST_COUNTED].count()
    if not count:
        return None
    return {"count": count, "is_more": count == MOST_COUNTED, "time": _words(minutes)}


def _words(minutes: int) -> str:
    """Return a number of minutes as people say it."""
    if minutes == 60:
        return "an hour"
    if minutes % 60 == 0 and minutes:
        return f"{minutes // 60} hours"
    return "a minute" if minutes == 1 else f"{minutes} minutes"
