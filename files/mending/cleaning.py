"""What a column's cells lose that programs put into them."""

from collections import Counter
from typing import Literal

from files.changes import Change, counted
from files.mending.column_recipes import ColumnRecipe
from files.shown import shown
from files.values.damage import repaired
from files.values.invisible import trimmed
from files.values.placeholders import placeholder
from files.values.rules import NULL

Cleaned = Literal["trimmed", "kept", "blanked", "cleared", "repaired"]
_SAID: dict[Cleaned, str] = {
    "trimmed": "leading and trailing spaces and invisible characters removed",
    "kept": f"{NULL}, now blank, which leaves the field unchanged",
    "blanked": "placeholders, now blank",
    "cleared": f"placeholders, now {NULL}, which clears the field",
    "repaired": "Excel formulas unwrapped or garbled characters repaired",
}
# The part of a column's recipe that does each.
_DONE_BY: dict[Cleaned, str] = {
    "trimmed": "trim",
    "kept": "null_to_blank",
    "blanked": "placeholders",
    "cleared": "placeholders",
    "repaired": "repair",
}


class Cleaning:
    """Cleans the cells of one column, and counts what it changed."""

    def __init__(self, recipe: ColumnRecipe) -> None:
        self._recipe = recipe
        self._counts: Counter[Cleaned] = Counter()

    def clean(self, cell: str) -> str:
        """Return the cell as its column's recipe wants it."""
        text = cell
        if self._recipe.trim:
            text = self._changed("trimmed", text, trimmed(text))
        if self._recipe.null_to_blank and text == NULL:
            return self._changed("kept", text, "")
        if self._recipe.placeholders and text != NULL and placeholder(text.strip()):
            if self._recipe.placeholders == "blank":
                return self._changed("blanked", text, "")
            return self._changed("cleared", text, NULL)
        if self._recipe.repair:
            text = self._changed("repaired", text, repaired(text))
        return text

    def changes(self, column: str) -> list[Change]:
        """Return what was done so far to the column of that name, with its counts."""
        return [
            Change(
                f"{counted(count, 'cell')} of {shown(column)}: {what}.",
                count,
                (_DONE_BY[done], column),
            )
            for done, what in _SAID.items()
            if (count := self._counts[done])
        ]

    def _changed(self, done: Cleaned, before: str, after: str) -> str:
        self._counts[done] += before != after
        return after
