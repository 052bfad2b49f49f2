"""Writes and their rows for programs, below /api/v1/."""

import sqlite3
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, QueryDict

from console.access.roles import Role
from console.api.endpoint import endpoint
from console.api.paging import page_of
from console.api.parameters import Limited
from console.api.problems import Problem
from console.models import Project
from console.models.api_token import Scope
from console.runtime.trouble import in_words
from console.ui.forms import offer
from files.rows.fates import STATES
from files.rows.row_store import RowStore
from operations.filters import cursor
from writes.models import Write
from writes.tables import ROW, WRITE, row_values
from writes.views.lookup import find_write

# Of one write so many operations are named.
MOST_OPERATIONS = 1_000
OPERATIONS = {
    "type": "array",
    "description": f"Numbers of its operations, the first {MOST_OPERATIONS:,}.",
    "items": {"type": "integer"},
}


class WriteQuery(Limited):
    """Which writes."""

    state = forms.ChoiceField(required=False, choices=[("", ""), *Write.State.choices])
    project = forms.ModelChoiceField(Project.objects.none(), required=False)
    before = cursor()

    def __init__(self, query: QueryDict, user: User) -> None:
        super().__init__(query)
        offer(self, "project", Project.objects.visible_to(user))


class RowQuery(Limited):
    """Which rows of a file."""

    key = forms.CharField(required=False, max_length=200)
    outcome = forms.ChoiceField(
        required=False, choices=[("", ""), *((word, word) for word in STATES)]
    )
    after = cursor()


def _row_query(query: QueryDict, user: User) -> RowQuery:
    return RowQuery(query)


@endpoint(
    summary="Writes, newest first",
    scope=Scope.HISTORY,
    table=WRITE,
    query=WriteQuery,
    is_list=True,
)
def writes(request: HttpRequest, chosen: WriteQuery) -> dict[str, Any]:
    """Tell of writes; of drafts only to whom their pages would be shown."""
    given = chosen.cleaned_data
    found = Write.objects.visible_to(request.user)
    if given["state"]:
        found = found.filter(state=given["state"])
    if given["project"]:
        found = found.filter(integration__project=given["project"])
    if given["before"]:
        found = found.filter(pk__lt=given["before"])
    rows = WRITE.rows(found.order_by("-pk")[: chosen.size + 1])
    return page_of(request, WRITE, rows, size=chosen.size, cursor="before", key="id")


@endpoint(
    summary="One write, with the numbers of its operations",
    scope=Scope.HISTORY,
    table=WRITE,
    more={"operations": OPERATIONS},
)
def write(request: HttpRequest, chosen: forms.Form, pk: int) -> dict[str, Any]:
    """Tell of one write."""
    found = find_write(request, pk, Role.VIEWER)  # type: ignore[arg-type]
    told = next(map(WRITE.in_json, WRITE.rows(Write.objects.filter(pk=found.pk))), None)
    if told is None:
        raise Http404
    batches = found.batches.order_by("number")[:MOST_OPERATIONS]
    told["operations"] = list(batches.values_list("operation_id", flat=True))
    return told


@endpoint(
    summary="The rows of a write's file, and how each fared",
    scope=Scope.ROWS,
    table=ROW,
    query=_row_query,
    is_list=True,
)
def rows(request: HttpRequest, chosen: RowQuery, pk: int) -> dict[str, Any]:
    """Tell of the rows in order, from the one behind `after` on; with a key by key."""
    found = find_write(request, pk, Role.VIEWER)  # type: ignore[arg-type]
    given = chosen.cleaned_data
    try:
        with RowStore(found.path_of("rows_store")) as store:
            page = store.page(
                state=given["outcome"],
                key=given["key"],
                after=given["after"] or 0,
                limit=chosen.size + 1,
            )
    except FileNotFoundError as error:
        raise Problem(404, "No rows", in_words(error)) from None
    except sqlite3.DatabaseError:
        detail = (
            "Nothing was read: the results of its rows are damaged. What was sent is "
            "not affected. Open the page of its rows and match them again."
        )
        raise Problem(404, "No rows", detail) from None
    values = (row_values(found, outcome) for outcome in page.rows)
    return page_of(request, ROW, values, size=chosen.size, cursor="after", key="row")
