"""Locks that a transaction holds until its end."""

from django.db import connection

# Each is one number, used by nobody else.
AUDIT = 7_205_759
ADMINS = 7_205_760


def hold(lock: int) -> None:
    """Wait for `lock` and hold it until the transaction ends.

    On PostgreSQL alone: SQLite lets one transaction write at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])
