"""What an operator wants changed in a file before it is sent, as plain data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from files.changes import counted
from files.mending.column_recipes import (
    FORMATS,
    NUMBERS,
    ColumnRecipe,
    DateConversion,
    DateFormat,
    InvalidRecipe,
    check_text,
    column_names,
)
from files.shown import shown

__all__ = [
    "FORMATS",
    "NUMBERS",
    "ColumnRecipe",
    "DateConversion",
    "DateFormat",
    "InvalidRecipe",
    "Recipe",
    "as_json",
    "column_names",
    "from_json",
    "merged",
]

_SHOWN_RANGES = 10
_SHOWN_CELLS = 20


@dataclass(frozen=True)
class Recipe:
    """All that is to be changed between the file as read and the file as sent.

    Rows are those of the file as read, the header being row 1. `columns` and `cells`
    name columns as `column_names` does; a column that is not there is unchanged.
    `constants` are columns added at the right with one value in every row, `left_out`
    ranges of rows, both ends included. `cells` are texts put in as they are, whatever
    else happens to their column. A trial sends the first `only_first` rows of the file;
    the rest of it goes with `skip_first`, counted from the top of the file too.
    `quotes` puts cells in quotes that hold some and lack their own, where that is
    clear. `blank_rows` are left out too, as ranges of rows that hold nothing. Raises
    InvalidRecipe.
    """

    columns: Mapping[str, ColumnRecipe] = field(default_factory=dict)
    constants: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[int, int], ...] = ()
    cells: Mapping[tuple[int, str], str] = field(default_factory=dict)
    only_first: int | None = None
    skip_first: int = 0
    quotes: bool = False
    blank_rows: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        for name, value in self.constants:
            if not name.strip():
                raise InvalidRecipe("A column that is added needs a name.")
            check_text(name, "A column name")
            check_text(value, f"The value for {shown(name)}")
        for first, last in (*self.left_out, *self.blank_rows):
            if not 2 <= first <= last:
                raise InvalidRecipe(
                    f"Rows {first:,} to {last:,} cannot be excluded: rows begin at 2, "
                    "and the first of them comes first."
                )
        for (row, name), text in self.cells.items():
            if row < 2:
                raise InvalidRecipe("Cells begin at row 2; rename a column instead.")
            check_text(text, f"The cell {shown(name)} of row {row:,}")
        if self.only_first is not None and self.only_first < 1:
            raise InvalidRecipe("A trial needs at least one row.")
        if self.skip_first < 0:
            raise InvalidRecipe("The number of rows to skip cannot be negative.")

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be changed."""
        return not (
            any(
                column.name != name or column.changes_cells
                for name, column in self.columns.items()
            )
            or self.constants
            or self.left_out
            or self.cells
            or self.only_first is not None
            or self.skip_first
            or self.quotes
            or self.blank_rows
        )

    def column(self, name: str) -> ColumnRecipe:
        """Return what happens to a column of the file; one not named is unchanged."""
        return self.columns.get(name, ColumnRecipe(name=name))

    def of_every_row(self) -> "Recipe":
        """Return what another file can have done to it: nothing of single rows."""
        return replace(
            self, left_out=(), blank_rows=(), cells={}, only_first=None, skip_first=0
        )

    def ranges(self) -> list[tuple[int, int]]:
        """Return the rows to leave out, in order, without overlaps."""
        return merged((*self.left_out, *self.blank_rows))

    def blank_ranges(self) -> list[tuple[int, int]]:
        """Return the blank rows to leave out, in order, without overlaps."""
        return merged(self.blank_rows)

    def describe(self) -> list[str]:
        """Return the recipe as sentences, before anything is done."""
        lines: list[str] = []
        for name, column in self.columns.items():
            lines += column.describe(name)
        for name, value in self.constants:
            lines.append(
                f"Column {shown(name)} is added with {shown(value)} in every row."
            )
        if self.quotes:
            lines.append("Cells with quotes inside are quoted.")
        lines += self._describe_rows()
        for (row, name), text in list(self.cells.items())[:_SHOWN_CELLS]:
            lines.append(f"Row {row:,}: {shown(name)} becomes {shown(text)}.")
        if len(self.cells) > _SHOWN_CELLS:
            more = counted(len(self.cells) - _SHOWN_CELLS, "more cell")
            lines.append(f"And {more} edited by hand.")
        return lines

    def _describe_rows(self) -> list[str]:
        lines = []
        ranges = self.ranges()
        if ranges:
            total = sum(last - first + 1 for first, last in ranges)
            listed = ", ".join(
                f"{first:,}" if first == last else f"{first:,}–{last:,}"
                for first, last in ranges[:_SHOWN_RANGES]
            )
            more = ", …" if len(ranges) > _SHOWN_RANGES else ""
            lines.append(f"Excluded: {counted(total, 'row')} ({listed}{more}).")
        if self.skip_first:
            rows = counted(self.skip_first, "row")
            lines.append(f"The first {rows} of the file are not included.")
        if self.only_first is not None:
            rows = counted(self.only_first, "row")
            lines.append(f"Only the first {rows} of the file are included.")
        return lines


def merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the same rows in ranges that are in order and do not touch."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def as_json(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as JSON data, without what is as it would be anyway."""
    data: dict[str, Any] = {
        "columns": {name: _column(column) for name, column in recipe.columns.items()},
        "constants": [list(constant) for constant in recipe.constants],
        "left_out": [list(rows) for rows in recipe.left_out],
        "cells": [[row, name, text] for (row, name), text in recipe.cells.items()],
        "only_first": recipe.only_first,
        "skip_first": recipe.skip_first,
        "quotes": recipe.quotes,
        "blank_rows": [list(rows) for rows in recipe.blank_rows],
    }
    return {key: value for key, value in data.items() if value}


def _column(column: ColumnRecipe) -> dict[str, Any]:
    dates = column.dates
    data: dict[str, Any] = {
        "trim": column.trim,
        "blank_to_null": column.blank_to_null,
        "placeholders": column.placeholders,
        "repair": column.repair,
        "dates": None if dates is None else dict(vars(dates)),
        "null_to_blank": column.null_to_blank,
        "numbers": column.numbers,
        "booleans": column.booleans,
        "replaced": [list(pair) for pair in column.replaced],
    }
    wanted = {key: value for key, value in data.items() if value}
    return {"name": column.name, **wanted}


def from_json(data: object) -> Recipe:
    """Return the recipe that `as_json` gave. Raises InvalidRecipe for all else."""
    given = _object(data, "A recipe", vars(Recipe()).keys())
    columns = _object(given.get("columns", {}), "“columns”")
    only_first = given.get("only_first")
    return Recipe(
        columns={name: _read_column(name, column) for name, column in columns.items()},
        constants=tuple(
            (_text(name), _text(value))
            for name, value in _lists(given.get("constants", []), "constants", 2)
        ),
        left_out=_ranges(given, "left_out"),
        cells={
            (_number(row), _text(name)): _text(text)
            for row, name, text in _lists(given.get("cells", []), "cells", 3)
        },
        only_first=None if only_first is None else _number(only_first),
        skip_first=_number(given.get("skip_first", 0)),
        quotes=_flag(given.get("quotes", False)),
        blank_rows=_ranges(given, "blank_rows"),
    )


def _ranges(given: Mapping[str, Any], key: str) -> tuple[tuple[int, int], ...]:
    return tuple(
        (_number(first), _number(last))
        for first, last in _lists(given.get(key, []), key, 2)
    )


def _read_column(name: str, data: object) -> ColumnRecipe:
    what = f"Column {shown(name)}"
    given = _object(data, what, [each.name for each in fields(ColumnRecipe)])
    if "name" not in given:
        raise InvalidRecipe(f"{what} lacks the name it is sent as.")
    dates = given.get("dates")
    placeholders: Any = _text(given.get("placeholders", ""))
    numbers: Any = _text(given.get("numbers", ""))
    return ColumnRecipe(
        name=_text(given["name"]),
        trim=_flag(given.get("trim", False)),
        blank_to_null=_flag(given.get("blank_to_null", False)),
        dates=None if dates is None else _read_dates(what, dates),
        placeholders=placeholders,
        repair=_flag(given.get("repair", False)),
        null_to_blank=_flag(given.get("null_to_blank", False)),
        numbers=numbers,
        booleans=_flag(given.get("booleans", False)),
        replaced=tuple(
            (_text(was), _text(text))
            for was, text in _lists(given.get("replaced", []), "replaced", 2)
        ),
    )


def _read_dates(what: str, data: object) -> DateConversion:
    given = _object(data, f"The dates of {what}", ("into", "format", "zone"))
    into: Any = _text(given.get("into", ""))
    form: Any = _text(given.get("format", ""))
    return DateConversion(into=into, format=form, zone=_text(given.get("zone", "")))


def _object(data: object, what: str, keys: Any = None) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise InvalidRecipe(f"{what} is not a JSON object.")
    for key in data:
        if not isinstance(key, str) or (keys is not None and key not in keys):
            raise InvalidRecipe(f"{what} has an unknown key {shown(str(key))}.")
    return data


def _lists(data: object, what: str, length: int) -> list[list[Any]]:
    if not isinstance(data, list):
        raise InvalidRecipe(f"“{what}” is not a list.")
    for item in data:
        if not isinstance(item, list) or len(item) != length:
            raise InvalidRecipe(f"“{what}” must hold lists of {length}.")
    return data


def _text(data: object) -> str:
    if not isinstance(data, str):
        raise InvalidRecipe(f"{shown(str(data))} is not a text.")
    return data


def _number(data: object) -> int:
    if type(data) is not int:
        raise InvalidRecipe(f"{shown(str(data))} is not a whole number.")
    return data


def _flag(data: object) -> bool:
    if not isinstance(data, bool):
        raise InvalidRecipe(f"{shown(str(data))} is not true or false.")
    return data
