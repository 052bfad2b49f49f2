"""What a person asks of the grid: which rows and columns, and which cells to change."""

from collections.abc import Iterator
from typing import ClassVar

from django import forms
from django.http import QueryDict

from console.ui.filter import Filter
from console.validators import whole_number
from files.mending.recipes import InvalidRecipe
from operations.filters import cursor
from writes.actions.edit_cells import Edit
from writes.forms.recipe import with_lf
from writes.storage import NUL

SHOWS = ("errors", "warnings", "edited", "unknown")


class GridFilter(Filter):
    """Which rows the grid shows, and from which column on."""

    CURSORS: ClassVar[tuple[str, ...]] = ("before", "after", "row")

    show = forms.ChoiceField(
        required=False,
        choices=[(name, name) for name in ("", *SHOWS)],
        widget=forms.HiddenInput,
    )
    column = cursor()
    row = forms.IntegerField(
        label="Go to row", required=False, min_value=1, max_value=2**31 - 1
    )
    after = cursor()
    before = cursor()

    @property
    def first_column(self) -> int:
        """The place of the first column to show, from 0."""
        return (self.cleaned_data["column"] or 1) - 1

    @property
    def place(self) -> dict[str, int]:
        """Next to which rows the page stands."""
        wanted = self.cleaned_data
        after = wanted["row"] - 1 if wanted["row"] else wanted["after"]
        return {"after": after or 0, "before": wanted["before"] or 0}


def edits_in(post: QueryDict) -> list[Edit]:
    """Return the cells that a form changed. Raises `InvalidRecipe`."""
    return list(_edits(post))


def _edits(post: QueryDict) -> Iterator[Edit]:
    typed = zip(
        post.getlist("place"), post.getlist("was"), post.getlist("cell"), strict=False
    )
    for place, was, text in typed:
        number = whole_number(place)
        if number is None:
            raise InvalidRecipe("This page is old. Reload it.")
        was, text = with_lf(was), with_lf(text)
        if NUL in text:
            raise InvalidRecipe("A text holds a NUL character, which cannot be sent.")
        if was != text:
            yield Edit(number, was, text)
