"""How a database reads what a page shows."""

from typing import Any

import pytest
from django.db import connection

from tests.conftest import ON_POSTGRES

# A server decides by what it counted of the rows, and when it did. Its plans are read
# over a million of them: bench/history.py.
by_rule = pytest.mark.skipif(ON_POSTGRES, reason="decides by its statistics")


def plan_of(rows: Any) -> str:
    """Return what SQLite says of a query, a line for each table."""
    sql, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
