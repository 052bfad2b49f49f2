"""Taking one change out of a recipe, and leaving all others."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from files.mending.recipes import ColumnRecipe, InvalidRecipe, Recipe

_OF_FILE: dict[str, Any] = {
    "quotes": False,
    "cells": {},
    "left_out": (),
    "blank_rows": (),
}
_OF_COLUMN = (
    *("trim", "blank_to_null", "null_to_blank", "dates", "placeholders", "repair"),
    *("numbers", "booleans"),
)


def without(recipe: Recipe, undo: Sequence[str]) -> Recipe:
    """Return the recipe without the change that `Change.undo` names.

    Raises `InvalidRecipe` for what names none.
    """
    match list(undo):
        case [part] if part in _OF_FILE:
            return replace(recipe, **{part: _OF_FILE[part]})
        case ["constants", name]:
            kept = tuple(pair for pair in recipe.constants if pair[0] != name)
            return replace(recipe, constants=kept)
        case ["name", column]:
            return _changed(recipe, column, name=column)
        case ["replaced", column, was]:
            pairs = recipe.column(column).replaced
            kept = tuple(pair for pair in pairs if pair[0] != was)
            return _changed(recipe, column, replaced=kept)
        case [part, column] if part in _OF_COLUMN:
            plain = getattr(ColumnRecipe(name=column), part)
            return _changed(recipe, column, **{part: plain})
    raise InvalidRecipe("This change cannot be undone alone. Reload the page.")


def _changed(recipe: Recipe, column: str, **values: Any) -> Recipe:
    after = replace(recipe.column(column), **values)
    return replace(recipe, columns={**recipe.columns, column: after})
