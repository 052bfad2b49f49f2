"""What a text begins with, in a way that both databases answer from an index."""

from django.db import connection
from django.db.models import Q


def begins_with(field: str, text: str) -> Q:
    """Return the condition that `field` begins with `text`; case counts.

    On PostgreSQL the field's index has to be one of `varchar_pattern_ops`. SQLite would
    read every row for LIKE, and compares texts byte by byte.
    """
    if connection.vendor == "postgresql":
        return Q(**{f"{field}__startswith": text})
    return Q(**{f"{field}__gte": text, f"{field}__lt": f"{text}\U0010ffff"})
