"""How each row of a write fared: pages, filters, and lists to take away."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseBase,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from console.access.roles import Role, require_operator, require_viewer
from console.actor import Actor
from console.http import ConsoleRequest, FileGone
from console.runtime.trouble import in_words
from console.ui.downloads import note_download
from console.ui.filter import Filter
from files.raw_records import cut
from files.rows import row_exports
from files.rows.fates import FAILED, STATES
from files.rows.row_store import Page, RowStore
from operations.csv_export import CSV, csv_lines, download, exact_lines
from operations.filters import cursor, word
from operations.outcome.row_failures import parse_error
from operations.views import panels
from writes.actions.rejoin import NothingToJoin
from writes.actions.rejoin import rejoin as rejoin_rows
from writes.actions.settle import is_moving
from writes.display.beside import beside
from writes.display.grid import GridColumn, ResultRows
from writes.models import FileJob, Write
from writes.storage import measure
from writes.views.lookup import find_write
from writes.views.panels import children_shown, rows_context

PAGE = 100
MOST_GROUPS = 50
# Of the file as sent, beside what is always shown.
MOST_COLUMNS = 8
LARGEST_GROUP = 2**31 - 1


class RowFilter(Filter):
    """Which rows the table shows."""

    key = word("Key", widget=forms.TextInput(attrs={"type": "search"}))
    state = forms.ChoiceField(
        label="Outcome",
        required=False,
        choices=[("", "All results"), *((s, s.capitalize()) for s in STATES)],
    )
    group = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_GROUP,
        widget=forms.HiddenInput,
    )
    column = forms.TypedMultipleChoiceField(
        label="Columns",
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    after = cursor()
    before = cursor()
    # What is shown of a row is no filter.
    CURSORS = ("before", "after", "column")

    def __init__(self, data: QueryDict, *, columns: Sequence[GridColumn] = ()) -> None:
        """Offer the other columns of the file beside the key."""
        super().__init__(data)
        places = [(str(each.place), each.name) for each in columns if not each.is_key]
        self.fields["column"].choices = places  # type: ignore[attr-defined]

    def query(self, **changes: object) -> str:
        """Return the filters and the chosen columns, plus `changes`."""
        columns = {"column": self.chosen_columns} if self.chosen_columns else {}
        return urlencode({**self.narrowing, **columns, **changes}, doseq=True)

    @property
    def chosen_columns(self) -> list[str]:
        """The places of the columns that are shown, as they were given."""
        return self.data.getlist("column")  # type: ignore[attr-defined, no-any-return]

    def clean_column(self) -> list[int]:
        """Refuse more columns than fit beside each other."""
        chosen: list[int] = self.cleaned_data["column"]
        if len(chosen) > MOST_COLUMNS:
            raise forms.ValidationError(f"Choose up to {MOST_COLUMNS} columns.")
        return chosen


@require_safe
@never_cache
@require_viewer
def rows(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show a page of the rows, or for htmx the table alone."""
    write = find_write(request, pk, Role.VIEWER)
    totals = write.rows_totals
    if not write.rows_store or totals is None:
        return _nothing_yet(request, write)
    context: dict[str, Any] = {
        "write": write,
        "project": write.project,
        "totals": totals,
        "job": FileJob.objects.last_of(write, FileJob.Kind.JOIN),
        "children": children_shown(write, request),
        "beside": beside(write, request.user),
    }
    try:
        with RowStore(write.path_of("rows_store")) as store:
            cells = _cells(write, store)
            chosen = RowFilter(request.GET, columns=cells.columns if cells else ())
            context |= {"filter": chosen, **_page(write, store, chosen, cells)}
    except FileNotFoundError:
        return _nothing_yet(request, write)
    except sqlite3.DatabaseError:
        return _nothing_yet(request, write, is_unreadable=True)
    is_fragment = bool(request.htmx)
    name = "writes/rows.html#row-table" if is_fragment else "writes/rows.html"
    status = 200 if chosen.is_valid() else 400
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
@never_cache
@require_viewer
def panel(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Return the summary on the pages of the write's operations; 204 if as `seen`."""
    write = find_write(request, pk, Role.VIEWER)
    context = rows_context(request, write)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    context["is_fragment"] = True
    context["news"] = _news(request, write)
    return render(request, "writes/rows_summary.html#panel", context)


def _news(request: ConsoleRequest, write: Write) -> list[tuple[str, list[str]]]:
    """Return what the rows change in the headline of the only operation of `write`."""
    batches = list(write.batches.select_related("operation")[:2])
    if len(batches) != 1:
        return []
    operation = batches[0].operation
    counts = panels.counts.drawn(request, operation)
    remedies = panels.remedies.drawn(request, operation)
    news = [("operation-remedies", remedies)]
    if counts:
        news.append(("operation-counts", counts))
        # Those of a run that is over are told by its rows from now on.
        news += [("run-counts", [])] if operation.is_run else []
    return news


@require_POST
@require_operator
def rejoin(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Have the rows joined to their outcome once more; nothing is sent."""
    write = find_write(request, pk, Role.OPERATOR)
    try:
        rejoin_rows(write, Actor.of(request))
    except NothingToJoin as error:
        messages.warning(request, f"Nothing was changed. {error}")
    if write.source != Write.Source.CSV:
        return redirect(write)
    return redirect("writes:rows", write.pk)


def _nothing_yet(
    request: ConsoleRequest, write: Write, *, is_unreadable: bool = False
) -> HttpResponse:
    """Say why there are no rows: not joined yet, joined in vain, or swept away."""
    if write.source != Write.Source.CSV:
        raise Http404
    job = FileJob.objects.last_of(write, FileJob.Kind.JOIN)
    is_settled = not write.batches.filter(is_settled=False).exists()
    before = write.rows_told
    write.read_anew()
    if write.rows_told != before:
        # Matched while this was asked for.
        return redirect(request.get_full_path())
    context = {
        "write": write,
        "project": write.project,
        "job": job,
        "has_ended": (is_settled or write.rows_told) and not is_moving(write),
        "is_unreadable": is_unreadable,
    }
    return render(request, "writes/rows.html", context)


def _cells(write: Write, store: RowStore) -> ResultRows | None:
    """Return what reads the cells of the file as sent, None where that is gone."""
    try:
        return ResultRows(write, store)
    except FileNotFoundError:
        return None


def _page(
    write: Write, store: RowStore, chosen: RowFilter, cells: ResultRows | None
) -> dict[str, Any]:
    groups: list[dict[str, Any]] = [
        {"group": group, "error": parse_error(group.error)}
        for group in store.groups(limit=MOST_GROUPS)
    ]
    if not chosen.is_valid():
        return {"groups": groups, "page": Page([], has_older=False, has_newer=False)}
    wanted = chosen.cleaned_data
    page = store.page(
        state=wanted["state"],
        group=wanted["group"],
        key=wanted["key"],
        after=wanted["after"] or 0,
        before=wanted["before"] or 0,
        limit=PAGE,
    )
    shown = page.rows
    columns = [c for c in cells.columns if c.place in wanted["column"]] if cells else []
    return {
        "groups": groups,
        "columns": columns,
        "has_cells": cells is not None,
        "columns_query": urlencode({"column": chosen.chosen_columns}, doseq=True),
        "group": next((g for g in groups if g["group"].id == wanted["group"]), None),
        "page": page,
        "rows": [
            {
                "row": row,
                "error": parse_error(row.error),
                "cells": cells.row_of(row, columns).cells if cells and columns else [],
            }
            for row in shown
        ],
        "older": chosen.query(before=shown[0].row) if page.has_older and shown else "",
        "newer": chosen.query(after=shown[-1].row) if page.has_newer and shown else "",
    }


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def failed(request: ConsoleRequest, pk: int) -> HttpResponseBase:
    """Send the failed rows byte for byte, to be mended and sent again."""
    write, store = _opened(request, pk)
    with store, TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as directory:
        path = Path(directory) / "failed.csv"
        cut(write.path_of("as_read"), path, (r.row for r in store.outcomes(FAILED)))
        _note(request, write, "failed rows", path)
        # The open file outlives its name.
        opened = path.open("rb")
    response = FileResponse(
        opened, as_attachment=True, filename=f"write-{write.pk}-failed.csv"
    )
    response["Content-Type"] = CSV
    return response


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def failed_with_reasons(request: ConsoleRequest, pk: int) -> HttpResponseBase:
    """Send the failed rows with the reason in a last column, for people."""
    write, store = _opened(request, pk)
    _note(request, write, "failed rows with reasons")
    found = row_exports.with_reasons(store, write.path_of("as_sent"))
    name = f"write-{write.pk}-failed-with-reasons.csv"
    return _closing(store, _guarded(found), name)


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def outcomes(request: ConsoleRequest, pk: int) -> HttpResponseBase:
    """Send all rows with their outcome, their cells as they were sent."""
    write, store = _opened(request, pk)
    _note(request, write, "rows with their result")
    found = _with_outcomes(write, store)
    name = f"write-{write.pk}-outcomes.csv"
    return _closing(store, exact_lines(found), name)


@require_safe
@never_cache
@require_viewer  # type: ignore[arg-type]
def outcomes_for_spreadsheets(request: ConsoleRequest, pk: int) -> HttpResponseBase:
    """Send all rows with their outcome; formulas are made harmless."""
    write, store = _opened(request, pk)
    _note(request, write, "rows with their result, for spreadsheets")
    found = _with_outcomes(write, store)
    name = f"write-{write.pk}-outcomes-for-spreadsheets.csv"
    return _closing(store, _guarded(found), name)


def _note(
    request: ConsoleRequest, write: Write, what: str, path: Path | None = None
) -> None:
    """Keep which rows are taken away: by what was sent, and by the file if it is made.

    A list that is made while it is sent has no digest before it has left.
    """

    def told() -> dict[str, Any]:
        made = {"sha256": measure(path)[1]} if path else {}
        return {"as_sent_sha256": write.check_report.get("as_sent_sha256"), **made}

    subject = f"Write {write.pk}: {what}"
    note_download(request, "rows.downloaded", subject, about=write, told=told)


def _with_outcomes(write: Write, store: RowStore) -> Iterator[list[str]]:
    path = write.path_of("as_sent")
    return row_exports.with_outcomes(store, path, with_ids=write.is_run)


def _opened(request: ConsoleRequest, pk: int) -> tuple[Write, RowStore]:
    write = find_write(request, pk, Role.VIEWER)
    try:
        write.path_of("as_sent")
        write.path_of("as_read")
        path = write.path_of("rows_store")
        with RowStore(path) as store:
            store.check()
    except FileNotFoundError as error:
        raise FileGone(in_words(error)) from None
    except sqlite3.DatabaseError:
        raise FileGone(
            f"The results of the rows of write {write.pk} cannot be read: they were "
            "stored by another version of this console, or their file is damaged. "
            "What was sent is not affected. Open the page of its rows and match them "
            "again."
        ) from None
    # A new one: nothing is open until somebody reads what is sent.
    return write, RowStore(path)


def _guarded(rows: Iterator[list[str]]) -> Iterator[str]:
    return csv_lines(next(rows), rows)


def _closing(
    store: RowStore, lines: Iterable[Any], file_name: str
) -> StreamingHttpResponse:
    """Return lines as a file to save; the store is closed when all were read."""

    def read() -> Iterator[Any]:
        with store:
            yield from lines

    return download(read(), file_name=file_name)
