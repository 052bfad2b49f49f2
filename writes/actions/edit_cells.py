"""Cells of a draft edited in its grid: kept at once, and the file is checked anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from console.actor import Actor
from files.mending.recipes import InvalidRecipe, Recipe
from files.shown import shown
from writes.actions import begin_job
from writes.actions.tell_audit import audit_draft
from writes.models import FileJob, Write
from writes.recipe import recipe_as_json
from writes.worker.index_rows import rows_of

# Up to this size, in bytes, the check is as quick as a page; above, a worker does it.
AT_ONCE = 128 * 1024
# Of edits at the same moment each goes on from the other.
_TRIES = 10


class Conflict(InvalidRecipe):
    """Somebody else changed a cell since it was shown."""


@dataclass(frozen=True)
class Edit:
    """A new text for the cell in a column as sent, and the text that was shown."""

    place: int
    was: str
    text: str


def edit_cells(
    write: Write, row: int, edits: Sequence[Edit], *, reading: str, actor: Actor
) -> bool:
    """Keep edits of cells of one row of a draft; tell whether anything changed.

    `reading` is how the file was read when they were shown. The draft has another
    edition then, and is not ready before that was checked. Raises `InvalidRecipe`,
    `Conflict`, and `FileNotFoundError` once the file is gone.
    """
    for _ in range(_TRIES):
        recipe = _edited(write, row, edits, reading)
        if recipe == write.recipe:
            return False
        with transaction.atomic():
            recipe_json = recipe_as_json(recipe)
            is_kept = write.revise(by=actor, is_ready=False, recipe_json=recipe_json)
            if is_kept:
                what = f"cells of row {row:,}"
                columns = len(edits)
                audit_draft(
                    write,
                    actor,
                    "write.fixed",
                    what,
                    do="cells",
                    row=row,
                    cells=columns,
                )
        if is_kept:
            _check(write)
            return True
    raise InvalidRecipe("It was changed at the same moment. Try again.")


def _edited(write: Write, row: int, edits: Sequence[Edit], reading: str) -> Recipe:
    """Return the recipe with the edits; what the file has anyway is no change."""
    if not write.is_draft:
        raise InvalidRecipe("This is no draft any more: nothing of it can be changed.")
    with rows_of(write) as rows:
        if not rows.is_current or rows.index.reading != reading:
            raise InvalidRecipe("The file is read otherwise now. Reload the page.")
        found = next(iter(rows.rows([row], rows.columns)), None)
        unedited = rows.unedited(row) if found else []
    cells = dict(write.recipe.cells)
    for edit in edits:
        cell = found.cell(edit.place) if found else None
        if cell is None or not cell.is_open:
            raise InvalidRecipe("This cell cannot be edited here. Reload the page.")
        if cell.text not in (edit.was, edit.text):
            name = f"{shown(cell.column.name)} of row {row:,}"
            raise Conflict(f"{name} was changed meanwhile: it is {shown(cell.text)}.")
        place = (row, cell.column.read_name)
        cells.pop(place, None)
        if edit.text != unedited[edit.place]:
            cells[place] = edit.text
    return replace(write.recipe, cells=cells)


def _check(write: Write) -> None:
    try:
        size = write.path_of("original").stat().st_size
    except FileNotFoundError:
        # The check tells so, on the page of the file.
        size = 0
    begin_job.begin(write, FileJob.Kind.CHECK, size=size, wait=size <= AT_ONCE)
    write.refresh_from_db()
