"""Pages of a list by key: each costs the same, wherever it begins."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django.http import HttpRequest

from console.api.tables import Table


def page_of(
    request: HttpRequest,
    table: Table,
    rows: Iterable[tuple[Any, ...]],
    *,
    size: int,
    cursor: str,
    key: str,
) -> dict[str, Any]:
    """Return a page of `rows`, which begin where it begins.

    `next` is the address of the page behind it, None at the end: this address with the
    parameter `cursor`, which is the column `key` of the last row.
    """
    found = [table.in_json(row) for row in islice(rows, size + 1)]
    shown = found[:size]
    has_more = len(found) > size
    return {
        "data": shown,
        "next": with_cursor(request, cursor, shown[-1][key]) if has_more else None,
    }


def with_cursor(request: HttpRequest, name: str, value: object) -> str:
    """Return the address of this request with another cursor."""
    query = request.GET.copy()
    query[name] = str(value)
    return f"{request.path}?{query.urlencode()}"
