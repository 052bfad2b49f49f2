"""The rows of two writes by their keys: failed in one, succeeded in the other."""

import sqlite3
from contextlib import ExitStack
from typing import Any

from django.template.loader import render_to_string

from console.http import ConsoleRequest
from files.rows.row_compare import Changed, failed_then_succeeded
from files.rows.row_store import RowStore
from operations.models import Operation
from operations.outcome.row_failures import parse_error
from writes.models import Write
from writes.views.panels import batch_of

# So many failed rows of each are looked up in the other; so many keys are shown.
MOST_LOOKED_AT = 20_000
SHOWN = 100


def rows_compared(request: ConsoleRequest, pair: tuple[Operation, Operation]) -> str:
    """Draw which rows fared otherwise; nothing for what has no rows with keys."""
    batches = [batch_of(operation) for operation in pair]
    writes = [batch.write for batch in batches if batch is not None]
    if len(writes) < 2 or any(w.source != Write.Source.CSV for w in writes):
        return ""
    first, second = writes
    if first.pk == second.pk:
        return ""
    context: dict[str, Any] = {"pair": pair, "writes": writes}
    context |= _changes(first, second)
    return render_to_string("writes/compare.html", context, request)


def _changes(first: Write, second: Write) -> dict[str, Any]:
    key = first.primary_key
    if not key or key.casefold() != second.primary_key.casefold():
        return {"problem": "keys"}
    try:
        with ExitStack() as stores:
            one, other = (
                stores.enter_context(RowStore(write.path_of("rows_store")))
                for write in (first, second)
            )
            return {
                "key": key,
                "mended": _shown(_compared(one, other)),
                "broken": _shown(_compared(other, one)),
            }
    except (FileNotFoundError, sqlite3.DatabaseError):
        return {"problem": "gone"}


def _compared(one: RowStore, other: RowStore) -> Changed:
    return failed_then_succeeded(one, other, most=MOST_LOOKED_AT, shown=SHOWN)


def _shown(changed: Changed) -> dict[str, Any]:
    rows = [{"key": key, "error": parse_error(error)} for key, error in changed.rows]
    return {"changed": changed, "rows": rows}
