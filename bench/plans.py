"""How the database reads: which queries of a page read a whole large table."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from drawing import Query

# A table with fewer rows is read as a whole in no time, and rightly so.
LARGE = 2_000
_WHOLE = re.compile(r"Seq Scan on (\w+)|^SCAN (\w+)\b(?! USING)")


def whole_reads(queries: Iterable[Query]) -> list[str]:
    """Return those of `queries`, each with its plan, that read a whole large table."""
    found = []
    for sql, params in queries:
        if not sql.startswith("SELECT"):
            continue
        lines = plan(sql, params)
        # The first rows in the order of the key: SQLite calls that a scan, too.
        if " LIMIT " in sql and not any("TEMP B-TREE" in line for line in lines):
            lines = [line for line in lines if not line.startswith("SCAN ")]
        if any(is_large(table) for table in map(_read_whole, lines) if table):
            found.append("\n".join([sql[:1_000], *lines]))
    return found


def plan(sql: str, params: Any) -> list[str]:
    """Return the plan of a query, in lines."""
    from django.db import connection

    is_server = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'' if is_server else 'QUERY PLAN '}{sql}", params)
        return [str(row[-1]) for row in cursor.fetchall()]


def is_large(table: str) -> bool:
    """Tell whether a table of this name has many rows."""
    from django.db import connection

    return _rows(str(connection.settings_dict["NAME"]), table) > LARGE


@cache
def _rows(database: str, table: str) -> int:
    from django.db import connection

    if table not in connection.introspection.table_names():
        # A part of the query itself.
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - of our own
        return int(cursor.fetchone()[0])


def _read_whole(line: str) -> str:
    match = _WHOLE.search(line)
    return (match[1] or match[2]) if match else ""
