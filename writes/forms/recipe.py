"""What an operator chose on the page of a file, as changes of its recipe."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import get_args

from django.http import QueryDict

from console.validators import whole_number
from files.mending.recipes import (
    FORMATS,
    ColumnRecipe,
    DateConversion,
    DateFormat,
    InvalidRecipe,
    Recipe,
)
from files.shown import shown
from writes.recipe import sent_names
from writes.storage import NUL

# What a column's dates can be turned into, for the select: value and label.
DATE_CHOICES = [
    (f"{into}:{name}", f"{label} ({'date' if into == 'date' else 'date and time'})")
    for into in ("date", "datetime")
    for name, label in FORMATS.items()
]


def with_columns(recipe: Recipe, columns: Sequence[str], post: QueryDict) -> Recipe:
    """Return the recipe with what the form says of columns and constants.

    `columns` are the names of the file's columns as read, as `column_names` gives them.
    Raises `InvalidRecipe`.
    """
    zone = post.get("zone", "").strip()
    chosen = {}
    for number, name in enumerate(columns):
        if f"name_{number}" in post:
            column = _column(name, number, zone, post)
        else:
            # The page shows no more than so many columns; the others stay.
            column = recipe.columns.get(name, ColumnRecipe(name=name))
        if column != ColumnRecipe(name=name):
            _need_no_nul(name, column.name)
            chosen[name] = column
    names = post.getlist("constant_name")
    values = post.getlist("constant_value")
    constants = tuple(
        (name.strip(), value)
        for name, value in zip(names, values, strict=False)
        if name.strip() or value
    )
    _need_no_nul(*(text for constant in constants for text in constant))
    changed = replace(recipe, columns=chosen, constants=constants)
    sent = sent_names(changed, columns)
    if not any(sent):
        raise InvalidRecipe("No column would be left to send. Keep at least one.")
    _need_distinct([*sent, *(name for name, _ in constants)])
    return changed


def _column(name: str, number: int, zone: str, post: QueryDict) -> ColumnRecipe:
    sent_as = str(post[f"name_{number}"]).strip()
    if post.get(f"leave_{number}"):
        return ColumnRecipe(name="")
    if not sent_as:
        raise InvalidRecipe(f"Column “{name}” needs a field name, or exclude it.")
    return ColumnRecipe(
        name=sent_as,
        trim=bool(post.get(f"trim_{number}")),
        blank_to_null=bool(post.get(f"null_{number}")),
        dates=_dates(post.get(f"dates_{number}", ""), zone),
        placeholders=post.get(f"placeholders_{number}", ""),  # type: ignore[arg-type]
        repair=bool(post.get(f"repair_{number}")),
    )


def _dates(choice: str, zone: str) -> DateConversion | None:
    if not choice:
        return None
    into, _, form = choice.partition(":")
    if into not in ("date", "datetime") or form not in get_args(DateFormat):
        raise InvalidRecipe("This date format is not known. Choose another one.")
    return DateConversion(into=into, format=form, zone=zone)  # type: ignore[arg-type]


def _need_distinct(names: list[str]) -> None:
    """Refuse two columns of one name: nobody could tell which of them is written."""
    seen: set[str] = set()
    for name in names:
        if name and name.casefold() in seen:
            raise InvalidRecipe(f"Two columns would be sent as “{name}”.")
        seen.add(name.casefold())


def _need_no_nul(*texts: str) -> None:
    """Refuse what Salesforce would not take, and no database keeps."""
    if any(NUL in text for text in texts):
        raise InvalidRecipe(
            "A text contains a NUL character, which cannot be sent. If it is a column "
            "name, remove it in the file and upload the file again."
        )


def with_cells(
    recipe: Recipe, cells_at_fault: Collection[tuple[int, str]], post: QueryDict
) -> Recipe:
    """Return the recipe with the cells that were edited.

    `cells_at_fault` are those that the page offers, by row and column of the file.
    Raises `InvalidRecipe`.
    """
    cells = dict(recipe.cells)
    edited = zip(
        post.getlist("cell_row"),
        post.getlist("cell_column"),
        post.getlist("cell_was"),
        post.getlist("cell"),
        strict=False,
    )
    for row, column, was, value in edited:
        value, was = _with_lf(value), _with_lf(was)
        if value == was:
            continue
        number = whole_number(row)
        if number is None or (number, column) not in cells_at_fault:
            raise InvalidRecipe(
                f"There is no error in {shown(column)} of row {shown(row)}, or this "
                "page is outdated. Reload it."
            )
        _need_no_nul(value)
        cells[number, column] = value
    return replace(recipe, cells=cells)


def _with_lf(text: str) -> str:
    """Return a text as Salesforce takes it: a browser sends line breaks as CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
