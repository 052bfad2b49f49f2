"""Links of a record to others, which Ampersand hands on to HubSpot.

Source: "associations" of Ampersand's OpenAPI document of August 2026, and HubSpot's
guide to associations for the categories. An update is made before its associations, by
a request of its own: where that fails the record is changed all the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ampersand.building import not_blank
from ampersand.errors import RequestInvalid

CATEGORIES = ("HUBSPOT_DEFINED", "USER_DEFINED", "INTEGRATOR_DEFINED")


@dataclass(frozen=True, kw_only=True)
class Association:
    """A link to the record `to`; `type_id` is HubSpot's number of its type."""

    to: str
    type_id: int
    category: str = CATEGORIES[0]


def as_json(associations: Iterable[Association]) -> dict[str, Any]:
    """Return the member of a body that carries them, {} where there are none.

    Raises: RequestInvalid for a blank id, another category, or a number below 1.
    """
    links = [_link(each) for each in associations]
    return {"associations": links} if links else {}


def need_none(associations: Sequence[Association]) -> None:
    """Raise RequestInvalid where there are any: an older API has none."""
    if associations:
        raise RequestInvalid("This generation of Ampersand's API has no associations.")


def _link(each: Association) -> dict[str, Any]:
    not_blank(each.to, "record to associate")
    if each.category not in CATEGORIES:
        raise RequestInvalid(f"There is no category “{each.category}”.")
    if each.type_id < 1:
        raise RequestInvalid("The type of an association is a number from 1 on.")
    kind = {"associationCategory": each.category, "associationTypeId": each.type_id}
    return {"to": {"id": each.to}, "types": [kind]}
