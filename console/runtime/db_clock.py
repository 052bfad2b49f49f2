"""The one clock that all machines share: the database's."""

from datetime import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime:
    """Return the database's time.

    Whatever one machine writes and another compares with its own time, as a lease, is
    told by this: their clocks may be half a minute apart. SQLite is for one machine and
    has that machine's time.
    """
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT CLOCK_TIMESTAMP()")
        now: datetime = cursor.fetchone()[0]
    return now
