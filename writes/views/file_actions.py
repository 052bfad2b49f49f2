"""What the buttons on the page of a file do: each returns the new values of the draft.

All raise `InvalidRecipe` for what cannot be done, and `FileNotFoundError` once the file
is gone. Nothing is changed here: the page does that, if the draft still is the same.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from django.utils import timezone

from console.actor import Actor
from console.http import ConsoleRequest
from console.models import AuditEvent
from console.validators import whole_number
from files.findings_file import rows_but_one, rows_with, rows_with_errors
from files.mending.patching import patched
from files.mending.recipes import InvalidRecipe, Recipe
from files.mending.undoing import without
from files.reading.inspection import Reading
from writes.columns import columns_of
from writes.display.finding_titles import is_about_rows
from writes.display.findings import names_its_rows, note_what_mends
from writes.forms.recipe import (
    need_columns,
    with_cells,
    with_columns,
    with_values,
)
from writes.models import KeyLookup, SavedMapping, Write
from writes.recipe import (
    key_after,
    names_to_remember,
    read_names,
    recipe_as_json,
    without_rows,
)


def _read_as(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    _need_no_trial(write)
    sheet = request.POST.get("sheet", "")
    if sheet not in write.inspection.get("sheets", []) and sheet:
        raise InvalidRecipe("Choose one of the sheets of the workbook.")
    begin = whole_number(request.POST.get("begin", "1").strip())
    try:
        reading = Reading(
            encoding=request.POST.get("encoding", "utf-8"),
            delimiter=request.POST.get("delimiter", ","),
            sheet=sheet,
            begin=begin or 0,
        )
    except ValueError as error:
        raise InvalidRecipe(str(error)) from None
    return _reading_values(write, reading)


def _begin_at_key(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Begin the file with the row in which the key was found."""
    _need_no_trial(write)
    groups = write.check_report.get("groups", [])
    found = next((g["first"][0] for g in groups if g["rule"] == "title-rows"), None)
    if found is None:
        raise InvalidRecipe("This page is outdated. Reload it.")
    before = _reading_of(write)
    begin = before.begin + found["row"] - 1
    return _reading_values(write, replace(before, begin=begin))


def _reading_of(write: Write) -> Reading:
    """Return how the file was read."""
    if write.reading or write.inspected is None:
        return Reading.from_json(write.reading)
    return write.inspected.suggested


def _reading_values(write: Write, reading: Reading) -> dict[str, Any]:
    values: dict[str, Any] = {"reading": reading.as_json()}
    before = _reading_of(write)
    if (before.begin, before.sheet) != (reading.begin, reading.sheet):
        # Rows have other numbers now: what was mended was mended elsewhere.
        values["recipe_json"] = {}
    return values


def _need_no_trial(write: Write) -> None:
    if write.is_on_trial:
        raise InvalidRecipe(
            "This draft has a trial, which could overlap if the file is read "
            "differently. Discard the trial first."
        )


def _map_columns(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    recipe = with_columns(write.recipe, columns_of(write), request.POST)
    return _named_values(write, recipe)


def _key_after(write: Write, columns: list[str], recipe: Recipe) -> str:
    return key_after(write.primary_key, columns, before=write.recipe, after=recipe)


def remember(write: Write, request: ConsoleRequest) -> None:
    """Keep what the columns are sent as for the next files for this object."""
    SavedMapping.objects.update_or_create(
        integration=write.integration,
        object_name=write.object_name,
        defaults={
            "columns": names_to_remember(write.recipe),
            "changed_by_name": request.user.get_username(),
            "changed_at": timezone.now(),
        },
    )
    AuditEvent.record(
        action="mapping.saved",
        subject=f"Columns of files for {write.object_name} in {write.integration}",
        about=write,
        actor=Actor.of(request),
    )


def _leave_out(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    return _without(
        write, rows_with(write.path_of("findings"), **_chosen(write, request))
    )


def _keep_one(
    kept: Literal["first", "last"],
) -> Callable[[Write, ConsoleRequest], dict[str, Any]]:
    """Return the action that leaves out all rows of a repeated key but one."""

    def keep(write: Write, request: ConsoleRequest) -> dict[str, Any]:
        group = _chosen(write, request)
        if group["rule"] != "repeated-key":
            raise InvalidRecipe("Only for duplicate keys one row can be kept.")
        rows = rows_but_one(write.path_of("findings"), kept=kept, **group)
        return _without(write, rows)

    return keep


def _chosen(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Return the level, rule and column of the findings whose rows may be left out."""
    chosen = {
        name: request.POST.get(name) or None for name in ("level", "rule", "column")
    }
    for group in write.check_report.get("groups", []):
        if chosen == {name: group[name] for name in chosen} and names_its_rows(group):
            return chosen
    raise InvalidRecipe(
        "Rows can be excluded only where every row with the error is known. Reload "
        "the page, and fix these in another way."
    )


def _without(write: Write, rows: list[int]) -> dict[str, Any]:
    if not rows:
        raise InvalidRecipe("There is no row to exclude. Fix the cells instead.")
    return _recipe_values(without_rows(write.recipe, rows))


def _put_back(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    return _recipe_values(replace(write.recipe, left_out=()))


def _edit_cells(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    groups = write.check_report.get("groups", [])
    note_what_mends(groups, read_names(write.recipe, columns_of(write)))
    cells = {(row, group["read_column"]) for group in groups for row in group["cells"]}
    return _recipe_values(with_cells(write.recipe, cells, request.POST))


def _replace_values(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Put other texts for values of one column, each for all its cells."""
    named = {name: request.POST.get(name) for name in ("level", "rule", "column")}
    groups = write.check_report.get("groups", [])
    note_what_mends(groups, read_names(write.recipe, columns_of(write)))
    for group in groups:
        if named == {name: group[name] for name in named} and group["read_column"]:
            offered = {value for value, _ in group.get("values", [])}
            column = group["read_column"]
            return _recipe_values(
                with_values(write.recipe, column, offered, request.POST)
            )
    raise InvalidRecipe("This page is old. Reload it.")


def _fix(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Apply one of the fixes that were suggested."""
    return _with_fixes(write, [_item(write, "fixes", request.POST.get("fix", ""))])


def _fix_all(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Apply all fixes that can mean one thing only, in one go."""
    fixes = [fix for fix in write.check_report.get("fixes", []) if fix["is_safe"]]
    if not fixes:
        raise InvalidRecipe("No fix is suggested any more. Reload the page.")
    return _with_fixes(write, fixes)


def _with_fixes(write: Write, fixes: list[dict[str, Any]]) -> dict[str, Any]:
    recipe = patched(write.recipe, [fix["patch"] for fix in fixes])
    return _recipe_values(recipe)


def _undo_one(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Take one change back, and leave the others."""
    change = _item(write, "changes", request.POST.get("change", ""))
    recipe = without(write.recipe, change.get("undo", []))
    need_columns(recipe, columns_of(write))
    return _named_values(write, recipe)


def _item(write: Write, kind: str, position: str) -> dict[str, Any]:
    """Return what the report of the draft lists at a position."""
    listed: list[dict[str, Any]] = write.check_report.get(kind, [])
    place = whole_number(position)
    if place is None or place >= len(listed):
        raise InvalidRecipe("This page is old. Reload it.")
    return listed[place]


def _named_values(write: Write, recipe: Recipe) -> dict[str, Any]:
    """Return the values for a recipe by which columns may have other names."""
    columns = columns_of(write)
    return _recipe_values(recipe) | {"primary_key": _key_after(write, columns, recipe)}


def _exclude_errors(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Leave out every row of which something blocks."""
    if not write.check_report.get("error_rows"):
        raise InvalidRecipe("No row with errors can be excluded. Reload the page.")
    rules = {group["rule"] for group in write.check_report["groups"]}
    about_rows = {rule for rule in rules if is_about_rows(rule)}
    return _without(write, rows_with_errors(write.path_of("findings"), about_rows))


def _put_in_quotes(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    return _recipe_values(replace(write.recipe, quotes=True))


def _undo(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    """Take back every change but the rows of a trial: those are in another write."""
    kept = Recipe(
        only_first=write.recipe.only_first, skip_first=write.recipe.skip_first
    )
    columns = columns_of(write)
    return _recipe_values(kept) | {"primary_key": _key_after(write, columns, kept)}


def _recipe_values(recipe: Recipe) -> dict[str, Any]:
    return {"recipe_json": recipe_as_json(recipe)}


def _choose_key(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    key = request.POST.get("primary_key", "")
    if key not in write.check_report.get("columns", []):
        raise InvalidRecipe("Choose a column of the file as the primary key.")
    return {"primary_key": key}


def _look_up_again(write: Write, request: ConsoleRequest) -> dict[str, Any]:
    KeyLookup.objects.filter(write=write).delete()
    return {}


ACTIONS: dict[str, Callable[[Write, ConsoleRequest], dict[str, Any]]] = {
    "read": _read_as,
    "begin": _begin_at_key,
    "columns": _map_columns,
    "leave-out": _leave_out,
    "keep-first": _keep_one("first"),
    "keep-last": _keep_one("last"),
    "put-back": _put_back,
    "cells": _edit_cells,
    "quotes": _put_in_quotes,
    "undo": _undo,
    "undo-one": _undo_one,
    "fix": _fix,
    "fix-all": _fix_all,
    "replace": _replace_values,
    "exclude-errors": _exclude_errors,
    "check": lambda write, request: {},
    "key": _choose_key,
    "look-up": _look_up_again,
}

# Where on the page the work is that each of them does something about.
PLACES = {
    **dict.fromkeys(("fix", "fix-all", "exclude-errors"), "fixes"),
    **dict.fromkeys(("leave-out", "keep-first", "keep-last"), "findings"),
    **dict.fromkeys(("cells", "quotes", "replace", "key"), "findings"),
    **dict.fromkeys(("undo", "undo-one", "put-back"), "changes"),
    "columns": "columns",
}
