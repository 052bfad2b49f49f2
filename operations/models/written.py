"""Expressions whose values are written into the query."""

import re
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler

# Our own words and numbers: nothing that anybody typed is written into a query.
_WORD = re.compile(r"\w*", re.ASCII)


class Written(Func):
    """An expression of numbers and our own words, all of them part of the query.

    SQLite takes a partial index only where a query has the index's condition as it is;
    with a parameter in it the database would read all rows.
    """

    template = "%(expressions)s"
    arity = 1

    def as_sql(
        self,
        compiler: SQLCompiler,
        connection: BaseDatabaseWrapper,
        *args: Any,
        **extra: Any,
    ) -> tuple[str, tuple[Any, ...]]:
        """Compile it without parameters; raise `ValueError` for any other value."""
        sql, params = super().as_sql(compiler, connection, *args, **extra)
        return sql % tuple(_written(value) for value in params), ()


def _written(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and _WORD.fullmatch(value):
        return f"'{value}'"
    raise ValueError(f"{value!r} is neither a number nor a word of ours.")
