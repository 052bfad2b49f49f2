"""The recipe of a write: what is done to its file before it is sent."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from files.findings_file import ranges
from files.mending import recipes
from files.mending.recipes import Recipe, merged


def recipe_as_json(recipe: Recipe) -> dict[str, Any]:
    """Return what a write keeps of a recipe that somebody chose or was shown.

    One without any change is not empty: names would be guessed anew.
    """
    return {"columns": {}, **recipes.as_json(recipe)}


def sent_names(recipe: Recipe, columns: Sequence[str]) -> list[str]:
    """Return what each column is sent as, "" for one that is left out."""
    return [
        recipe.columns[name].name if name in recipe.columns else name
        for name in columns
    ]


def read_names(recipe: Recipe, columns: Sequence[str]) -> dict[str, str]:
    """Return the column of the file for each name that is sent."""
    names = dict(zip(sent_names(recipe, columns), columns, strict=True))
    # A column that is left out has no name: no finding is about it.
    names.pop("", None)
    return names


def names_to_remember(recipe: Recipe) -> dict[str, str]:
    """Return what columns are sent as, for other files with the same columns.

    A column that has only a place is not the same column there.
    """
    return {
        name: column.name
        for name, column in recipe.columns.items()
        if name != column.name and not name.startswith("#")
    }


def key_after(
    key: str, columns: Sequence[str], *, before: Recipe, after: Recipe
) -> str:
    """Return the primary key under another recipe: it follows its column.

    Unless another column has its name now: then that one is meant.
    """
    names = sent_names(after, columns)
    if key in names:
        return key
    renamed = dict(zip(sent_names(before, columns), names, strict=True))
    return renamed.get(key) or key


def without_rows(recipe: Recipe, rows: list[int]) -> Recipe:
    """Return the recipe with these rows, ascending, left out too."""
    return replace(recipe, left_out=tuple(merged((*recipe.left_out, *ranges(rows)))))
