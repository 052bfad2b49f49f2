"""Links of a record to others in HubSpot: rows of the form of one record."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import Any

from django import forms
from django.http import QueryDict

from ampersand import CATEGORIES, HUBSPOT, Association
from console.models import Integration, Project
from console.validators import whole_number
from writes.forms.record import need_id

MOST_ROWS = 50
LARGEST_TYPE = 2**31 - 1
LONGEST_ID = 100


@dataclass
class AssociationRow:
    """One row, as typed. `error` is what is wrong with it, in words."""

    to: str = ""
    type_id: str = ""
    category: str = CATEGORIES[0]
    error: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed: such rows are passed over."""
        return not (self.to or self.type_id)


def read_rows(post: QueryDict) -> list[AssociationRow]:
    """Return the rows of a submitted form that are not blank."""
    columns = [
        [value.strip() for value in post.getlist(name)[:MOST_ROWS]]
        for name in ("association_to", "association_type", "association_category")
    ]
    rows = [AssociationRow(*row) for row in zip_longest(*columns, fillvalue="")]
    return [row for row in rows if not row.is_blank]


def rows_of(kept: Iterable[dict[str, Any]]) -> list[AssociationRow]:
    """Return the rows for what a write keeps."""
    return [
        AssociationRow(each["to"], str(each["type_id"]), each["category"])
        for each in kept
    ]


def as_kept(
    rows: Sequence[AssociationRow],
    project: Project | None,
    integration: Integration | None,
) -> list[dict[str, Any]] | None:
    """Return what a write keeps, or None with the errors set at the rows."""
    found = [_association(row) for row in rows]
    if rows and not _are_taken(project, integration):
        rows[0].error = (
            "Clear the associations: only HubSpot accepts them, through a project "
            "that uses the current Write API."
        )
    if any(row.error for row in rows):
        return None
    return [asdict(each) for each in found if each]


def _are_taken(project: Project | None, integration: Integration | None) -> bool:
    if project is None or integration is None:
        # What is wrong is said at their fields.
        return True
    takes = project.capabilities.takes_associations
    return takes and integration.provider == HUBSPOT


def _association(row: AssociationRow) -> Association | None:
    number = whole_number(row.type_id, most=LARGEST_TYPE)
    if not row.to or len(row.to) > LONGEST_ID:
        row.error = "Enter the id of the record to associate, up to 100 characters."
    elif not number:
        row.error = "The type is HubSpot's association type id, for example 279."
    elif row.category not in CATEGORIES:
        row.error = "Choose one of the categories."
    else:
        row.error = _wrong_id(row.to)
    if row.error or not number:
        return None
    return Association(to=row.to, type_id=number, category=row.category)


def _wrong_id(text: str) -> str:
    try:
        need_id(text)
    except forms.ValidationError as error:
        return str(error.message)
    return ""
