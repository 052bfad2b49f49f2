"""Days in TIME_ZONE, the one that pages show."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone


def day_of(moment: datetime) -> date:
    """Return the day that a moment belongs to."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def bounds_of(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the first moment of `first`, and that of the day after `last`."""
    zone = timezone.get_default_timezone()
    days = (first, last + timedelta(days=1))
    start, end = (datetime.combine(day, time.min, tzinfo=zone) for day in days)
    return start, end
