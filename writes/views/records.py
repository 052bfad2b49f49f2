"""Has this record been written? Every write that carried a key or a record id."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.access.roles import require_viewer
from console.fields import UnreadableSecret
from console.http import ConsoleRequest
from console.ui.filter import Filter
from files.rows.row_store import RowOutcome
from operations.filters import cursor
from operations.outcome.row_failures import parse_error
from writes.records import HITS, Carried, Found, Hit, find, missing

# Of a text that the table of rows is narrowed by.
LONGEST_FILTER = 200


class RecordFilter(Filter):
    """Which record is sought; as long as a key may be that the rows of a file have."""

    q = forms.CharField(
        label="Key or record id",
        required=False,
        max_length=1_000,
        widget=forms.TextInput(attrs={"type": "search", "spellcheck": "false"}),
    )
    before = cursor()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.narrowing:
            self.fields["q"].widget.attrs["autofocus"] = True


@require_safe
@never_cache
@require_viewer
def records(request: ConsoleRequest) -> HttpResponse:
    """Show the writes that carried what the address asks for, newest first."""
    chosen = RecordFilter(request.GET)
    context: dict[str, Any] = {"filter": chosen}
    if not chosen.is_valid():
        return render(request, "writes/records.html", context, status=400)
    context["missing"] = missing(request.user)
    text, before = chosen.cleaned_data["q"], chosen.cleaned_data["before"]
    if text:
        try:
            found = find(request.user, text, before=before, limit=HITS)
            context |= _found(found, chosen)
        except UnreadableSecret:
            context["is_unreadable"] = True
    return render(request, "writes/records.html", context)


def _found(found: Found, chosen: RecordFilter) -> dict[str, Any]:
    older = chosen.query(before=found.before) if found.before else ""
    is_later = bool(chosen.cleaned_data["before"])
    return {
        "found": found,
        "hits": [_shown(hit) for hit in found.hits],
        "older": older,
        "newest": chosen.query() if is_later else "",
    }


def _shown(hit: Hit) -> dict[str, Any]:
    carried = [_place(each) for each in hit.carried]
    first = carried[0]["rows_query"] if carried else ""
    return {"write": hit.write, "hit": hit, "carried": carried, "rows_query": first}


def _place(each: Carried) -> dict[str, Any]:
    row, operation = each.row, each.operation
    error = row.error if row else operation.reason if operation else ""
    return {
        "operation": operation,
        "row": row,
        "error": parse_error(error) if error else None,
        "rows_query": _rows_query(row) if row else "",
    }


def _rows_query(row: RowOutcome) -> str:
    """Return how the table of rows is narrowed to the key of a row, or begins at it."""
    if row.key and len(row.key) <= LONGEST_FILTER:
        return urlencode({"key": row.key})
    return urlencode({"after": row.row - 1})
