"""Adding suggested fixes to a recipe; all that it says besides stays."""

from collections.abc import Iterable, Mapping
from typing import Any

from files.mending import recipes
from files.mending.recipes import Recipe


def patched(recipe: Recipe, patches: Iterable[Mapping[str, Any]]) -> Recipe:
    """Return the recipe with the patches of fixes (`Fix.patch`), one after the other.

    Raises `InvalidRecipe` where a patch is none.
    """
    data = recipes.as_json(recipe)
    columns = data.setdefault("columns", {})
    for patch in patches:
        for name, parts in patch.get("columns", {}).items():
            columns[name] = {"name": name, **columns.get(name, {}), **parts}
        data |= {key: value for key, value in patch.items() if key != "columns"}
    return recipes.from_json(data)
