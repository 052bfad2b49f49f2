"""The grid: rows of a draft, to be edited, or rows of a result, page by page."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from console.access.roles import Role, require_operator, require_viewer
from console.actor import Actor
from console.http import ConsoleRequest
from console.runtime.trouble import in_words
from console.ui.polling import seconds_between_polls, seen
from console.validators import whole_number
from files.mending.recipes import InvalidRecipe
from files.rows.row_store import RowStore
from writes.actions.edit_cells import edit_cells
from writes.display.grid import (
    COLUMNS,
    DraftRows,
    GridColumn,
    GridRow,
    ResultRows,
    window,
)
from writes.forms.grid import GridFilter, edits_in
from writes.models import FileJob, Write
from writes.views.lookup import find_write
from writes.worker.index_rows import rows_of

_STATES = {"errors": "failed", "unknown": "unknown"}
# A form of a row has no more columns than this, from the one that is asked for on.
MOST_IN_FORM = 200


@require_safe
@never_cache
@require_viewer
def grid(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Show a page of the rows, or for htmx the table alone."""
    write = _file_of(request, pk, Role.VIEWER)
    if write.state != Write.State.CONFIRMED:
        return draft_page(request, write, is_editable=write.is_draft)
    if not write.rows_store or write.rows_totals is None:
        return redirect("writes:rows", write.pk)
    chosen = GridFilter(request.GET)
    try:
        context = _result(write, chosen)
    except (FileNotFoundError, sqlite3.DatabaseError):
        return redirect("writes:rows", write.pk)
    return _render(request, write, chosen, context)


def draft_page(
    request: ConsoleRequest, write: Write, *, is_editable: bool, **more: Any
) -> HttpResponse:
    """Show a page of the rows of a draft, for htmx the table alone.

    `more` is what else the template is told.
    """
    chosen = GridFilter(request.GET)
    context = _draft(write, chosen) | {"is_editable": is_editable} | more
    return _render(request, write, chosen, context)


def _render(
    request: ConsoleRequest, write: Write, chosen: GridFilter, context: dict[str, Any]
) -> HttpResponse:
    context |= {"write": write, "project": write.project, "filter": chosen}
    name = "writes/grid.html#grid-rows" if request.htmx else "writes/grid.html"
    status = 200 if chosen.is_valid() else 400
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_viewer
def row(request: ConsoleRequest, pk: int, number: int) -> HttpResponse:
    """Show one row with the whole of its cells; for a draft they can be edited."""
    is_post = request.method == "POST"
    write = _file_of(request, pk, Role.OPERATOR if is_post else Role.VIEWER)
    if write.state == Write.State.CONFIRMED:
        return _result_row(request, write, number)
    problem, page = "", reverse("writes:grid", args=[write.pk])
    if is_post:
        try:
            _edit(request, write, number)
        except InvalidRecipe as error:
            problem = str(error)
        except FileNotFoundError as error:
            problem = in_words(error)
        else:
            return redirect(f"{page}?{request.GET.urlencode()}#row-{number}")
    return draft_row_page(
        request,
        write,
        number,
        rows_url=page,
        is_editable=write.is_draft,
        problem=problem,
    )


@require_POST
@require_operator
def cell(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Keep one cell that was edited in place; return it, and how the draft is."""
    write = _file_of(request, pk, Role.OPERATOR)
    number = whole_number(request.POST.get("row", "")) or 0
    problem = ""
    try:
        _edit(request, write, number)
    except InvalidRecipe as error:
        problem = str(error)
    except FileNotFoundError as error:
        problem = in_words(error)
    context: dict[str, Any] = {"write": write, "problem": problem, "is_beside": True}
    job = _job(write)
    try:
        with rows_of(write) as rows:
            place = whole_number(request.POST.get("place", ""))
            columns = [c for c in rows.columns if c.place == place]
            found = rows.rows([number], columns)
            context |= _state(write, job, rows)
    except (InvalidRecipe, FileNotFoundError):
        found = []
    if not found or not found[0].cells:
        messages.warning(request, problem or "Nothing was changed. Reload the page.")
        return _page_anew(request, write)
    context |= {"row": found[0], "cell": found[0].cells[0]}
    if problem:
        context["typed"] = request.POST.get("cell", "")
    status = 422 if problem else 200
    return render(request, "writes/grid.html#saved", context, status=status)


def _edit(request: ConsoleRequest, write: Write, number: int) -> None:
    edits, actor = edits_in(request.POST), Actor.of(request)
    edit_cells(write, number, edits, reading=_reading(request), actor=actor)


def _page_anew(request: ConsoleRequest, write: Write) -> HttpResponse:
    """Have the whole page loaded anew: what it shows is not there any more."""
    if not request.htmx:
        return redirect("writes:grid", write.pk)
    response = HttpResponse(status=204)
    response["HX-Refresh"] = "true"
    return response


@require_safe
@never_cache
@require_viewer
def state(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Return how far the check of a draft is; 204 if that is as `seen`."""
    write = _file_of(request, pk, Role.VIEWER)
    context: dict[str, Any] = {"write": write}
    job = _job(write)
    try:
        with rows_of(write) as rows:
            context |= _state(write, job, rows)
    except (InvalidRecipe, FileNotFoundError):
        context |= _state(write, job)
    if request.GET.get("seen") == context["seen"]:
        return HttpResponse(status=204)
    return render(request, "writes/grid.html#grid-state", context)


def _file_of(request: ConsoleRequest, pk: int, role: Role) -> Write:
    write = find_write(request, pk, role)
    if write.source != Write.Source.CSV:
        raise Http404
    return write


def _reading(request: ConsoleRequest) -> str:
    return request.POST.get("reading", "")


def _result(write: Write, chosen: GridFilter) -> dict[str, Any]:
    with RowStore(write.path_of("rows_store")) as store:
        rows = ResultRows(write, store)
        if not chosen.is_valid():
            return {"totals": write.rows_totals, "columns": [], "rows": []}
        columns = window(rows.columns, chosen.first_column)
        state = _STATES.get(chosen.cleaned_data["show"], "")
        page = rows.page(state, columns, **chosen.place)
    return {
        "totals": write.rows_totals,
        **_page(chosen, rows.columns, columns, page.rows),
        "older": _older(chosen, page.rows) if page.has_older else "",
        "newer": _newer(chosen, page.rows) if page.has_newer else "",
    }


def _draft(write: Write, chosen: GridFilter) -> dict[str, Any]:
    """Return a page of a draft; without rows where there is none to be shown yet."""
    context: dict[str, Any] = {"columns": [], "rows": []}
    job = _job(write)
    try:
        with rows_of(write) as rows:
            context |= _state(write, job, rows)
            if not rows.is_current or not chosen.is_valid():
                return context
            columns = window(rows.columns, chosen.first_column)
            show = chosen.cleaned_data["show"]
            page = rows.page(show, columns, **chosen.place)
            context["last_row"] = rows.last
            context["reading"] = rows.index.reading
    except InvalidRecipe as error:
        return context | _state(write, job) | {"problem": str(error)}
    except FileNotFoundError as error:
        is_to_come = job is not None and job.is_open
        gone = "" if is_to_come else in_words(error)
        return context | _state(write, job) | {"gone": gone}
    return {
        **context,
        **_page(chosen, rows.columns, columns, page.rows),
        "older": _older(chosen, page.rows) if page.has_older else "",
        "newer": _newer(chosen, page.rows) if page.has_newer else "",
    }


def _result_row(request: ConsoleRequest, write: Write, number: int) -> HttpResponse:
    """Show one row of a result, with the whole of its cells."""
    if request.method == "POST":
        raise Http404
    try:
        with RowStore(write.path_of("rows_store")) as store:
            rows = ResultRows(write, store)
            found = rows.row(number, rows.columns[:MOST_IN_FORM])
    except (FileNotFoundError, sqlite3.DatabaseError):
        return redirect("writes:rows", write.pk)
    if found is None:
        raise Http404
    page = reverse("writes:grid", args=[write.pk])
    return _row_page(request, write, found, rows_url=page)


def _page(
    chosen: GridFilter,
    columns: Sequence[GridColumn],
    shown: Sequence[GridColumn],
    rows: list[GridRow],
) -> dict[str, Any]:
    first, count = chosen.first_column, len(columns)
    place = {name: value for name, value in chosen.place.items() if value}
    before, after = max(first - COLUMNS, 0) + 1, first + COLUMNS + 1
    return {
        "columns": shown,
        "rows": rows,
        "says_of_rows": any(map(_says_something, rows)),
        "query": chosen.query(**place),
        "first_column": first + 1,
        "last_column": min(first + COLUMNS, count),
        "column_count": count,
        "columns_before": chosen.query(**place, column=before) if first else "",
        "columns_after": chosen.query(**place, column=after) if after <= count else "",
    }


def _says_something(row: GridRow) -> bool:
    return bool(row.state or row.is_excluded or row.notes or row.told)


def _older(chosen: GridFilter, rows: list[GridRow]) -> str:
    return chosen.query(before=rows[0].number) if rows else ""


def _newer(chosen: GridFilter, rows: list[GridRow]) -> str:
    return chosen.query(after=rows[-1].number) if rows else ""


def _job(write: Write) -> FileJob | None:
    """Return the last check; to be asked before the files of `write` are opened."""
    return FileJob.objects.last_with(write, FileJob.Kind.CHECK)


def _state(
    write: Write, job: FileJob | None, rows: DraftRows | None = None
) -> dict[str, Any]:
    """Return how a draft is: what the check found, or how far it is."""
    totals = {
        level: sum(
            group["total"]
            for group in write.check_report.get("groups", [])
            if group["level"] == level
        )
        for level in ("blocks", "warns")
    }
    context: dict[str, Any] = {
        "job": job,
        "found": totals,
        "edited": len({row for row, _ in write.recipe.cells}),
    }
    if rows is not None:
        context["error_rows"] = rows.index.count("blocks")
        context["warning_rows"] = rows.index.count("warns")
    if job is not None and job.is_open:
        context["poll_seconds"] = seconds_between_polls(job.created_at)
    progress = (job.pk, job.state, job.step, job.percent) if job else ()
    context["seen"] = seen(write.edition, *progress, context.get("poll_seconds"))
    return context


def draft_row_page(
    request: ConsoleRequest,
    write: Write,
    number: int,
    *,
    rows_url: str,
    is_editable: bool,
    problem: str = "",
) -> HttpResponse:
    """Show one row of a draft, or go to `rows_url` where it cannot be read now."""
    chosen = GridFilter(request.GET)
    first = chosen.first_column if chosen.is_valid() else 0
    try:
        with rows_of(write) as rows:
            if not rows.is_current:
                return redirect(rows_url)
            columns = rows.columns
            if len(columns) > MOST_IN_FORM:
                columns = list(columns[first : first + MOST_IN_FORM])
            found = rows.rows([number], columns)
            reading = rows.index.reading
    except (InvalidRecipe, FileNotFoundError):
        return redirect(rows_url)
    if not found:
        raise Http404
    return _row_page(
        request,
        write,
        found[0],
        rows_url=rows_url,
        is_editable=is_editable and found[0].is_open,
        reading=reading,
        problem=problem,
    )


def _row_page(
    request: ConsoleRequest,
    write: Write,
    shown: GridRow,
    *,
    rows_url: str,
    is_editable: bool = False,
    reading: str = "",
    problem: str = "",
) -> HttpResponse:
    """Show a row cell by cell, with what was typed where that was not kept."""
    places, texts = (request.POST.getlist(name) for name in ("place", "cell"))
    typed = dict(zip(places, texts, strict=False))
    context = {
        "write": write,
        "project": write.project,
        "row": shown,
        "rows_url": rows_url,
        "is_editable": is_editable,
        "cells": [
            {"cell": cell, "value": typed.get(str(cell.column.place), cell.text)}
            for cell in shown.cells
        ],
        "reading": reading,
        "query": request.GET.urlencode(),
        "problem": problem,
    }
    status = 422 if problem else 200
    # The page of all rows unfolds one in place.
    is_fragment = request.htmx and not write.is_draft
    name = "writes/grid_row.html#cells" if is_fragment else "writes/grid_row.html"
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
