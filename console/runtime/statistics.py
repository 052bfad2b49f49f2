"""What the database knows of how values are spread, by which it chooses indexes."""

from django.db import connection

# Rows of an index that are looked at: a whole one would take seconds.
LOOKED_AT = 1000


def renew() -> None:
    """Have SQLite look anew; PostgreSQL does so by itself."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {LOOKED_AT}")
        cursor.execute("ANALYZE")
