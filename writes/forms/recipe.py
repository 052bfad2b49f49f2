"""What an operator chose on the page of a file, as changes of its recipe."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, get_args

from django.http import QueryDict

from console.validators import whole_number
from files.field import Field
from files.mending.recipes import (
    FORMATS,
    NUMBERS,
    ColumnRecipe,
    DateConversion,
    DateFormat,
    InvalidRecipe,
    Recipe,
)
from files.shown import shown
from files.values.numbers import TYPES as NUMBERS_TYPES
from writes.recipe import sent_names
from writes.storage import NUL

# What a column's numbers can be turned from, for the select: value and label.
NUMBER_CHOICES = list(NUMBERS.items())

# What a column's dates can be turned into, for the select: value and label.
DATE_CHOICES = [
    (f"{into}:{name}", f"{label} ({'date' if into == 'date' else 'date and time'})")
    for into in ("date", "datetime")
    for name, label in FORMATS.items()
]


def conversions_for(
    field: Field | None, chosen: ColumnRecipe, *, knows_fields: bool
) -> dict[str, Any]:
    """Return the conversions to ask about for a column: those that fit its field.

    `dates` are the choices, `numbers` and `booleans` whether they fit. Where no field
    list is kept all of them may; what was chosen before is always asked.
    """
    kind = field.type if field is not None else ""
    is_open = not knows_fields
    chosen_into = chosen.dates.into if chosen.dates else ""
    return {
        "dates": [
            choice
            for choice in DATE_CHOICES
            if is_open or choice[0].partition(":")[0] in (kind, chosen_into)
        ],
        "numbers": is_open or kind in NUMBERS_TYPES or bool(chosen.numbers),
        "booleans": is_open or kind == "boolean" or chosen.booleans,
    }


def with_columns(recipe: Recipe, columns: Sequence[str], post: QueryDict) -> Recipe:
    """Return the recipe with what the form says of columns and constants.

    `columns` are the names of the file's columns as read, as `column_names` gives them.
    Raises `InvalidRecipe`.
    """
    zone = post.get("zone", "").strip()
    chosen = {}
    for number, name in enumerate(columns):
        before = recipe.column(name)
        # The page shows no more than so many columns; the others stay.
        shows = f"name_{number}" in post
        column = _column(name, number, zone, post, before) if shows else before
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
    need_columns(changed, columns)
    return changed


def need_columns(recipe: Recipe, columns: Sequence[str]) -> None:
    """Raise `InvalidRecipe` where no column would be sent, or two with one name."""
    sent = sent_names(recipe, columns)
    if not any(sent):
        raise InvalidRecipe("No column would be left to send. Keep at least one.")
    _need_distinct([*sent, *(name for name, _ in recipe.constants)])


def _column(
    name: str, number: int, zone: str, post: QueryDict, before: ColumnRecipe
) -> ColumnRecipe:
    sent_as = str(post[f"name_{number}"]).strip()
    if post.get(f"leave_{number}"):
        return ColumnRecipe(name="")
    if not sent_as:
        raise InvalidRecipe(f"Column “{name}” needs a field name, or exclude it.")
    chosen: dict[str, Any] = {
        "trim": bool(post.get(f"trim_{number}")),
        "blank_to_null": bool(post.get(f"null_{number}")),
        "placeholders": post.get(f"placeholders_{number}", ""),
        "repair": bool(post.get(f"repair_{number}")),
    }
    # Only what fits the type of a column is asked; the rest stays as it was.
    if f"dates_{number}" in post:
        chosen["dates"] = _dates(post.get(f"dates_{number}", ""), zone)
    if f"numbers_{number}" in post:
        chosen["numbers"] = post[f"numbers_{number}"]
    if f"booleans_{number}" in post:
        chosen["booleans"] = bool(post[f"booleans_{number}"])
    return replace(before, name=sent_as, **chosen)


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
        value, was = with_lf(value), with_lf(was)
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


def with_values(
    recipe: Recipe, column: str, offered: Collection[str], post: QueryDict
) -> Recipe:
    """Return the recipe with other texts for some values of a column.

    `offered` are the values that the page shows, as they would go out. One for which
    nothing was chosen stays. Raises `InvalidRecipe`.
    """
    before = recipe.column(column)
    pairs = dict(before.replaced)
    for was, text in zip(
        post.getlist("value_was"), post.getlist("value_to"), strict=False
    ):
        was, text = with_lf(was), with_lf(text)
        if text in ("", was):
            continue
        if was not in offered:
            raise InvalidRecipe(
                f"{shown(was)} is no value at fault, or the page is old. Reload it."
            )
        _need_no_nul(text)
        # What was put in place of others before is replaced there, too.
        pairs = {key: text if value == was else value for key, value in pairs.items()}
        pairs[was] = text
    changed = replace(before, replaced=tuple(pairs.items()))
    return replace(recipe, columns={**recipe.columns, column: changed})


def with_lf(text: str) -> str:
    """Return a text as Salesforce takes it: a browser sends line breaks as CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
