"""Looking a record up by the value of one field.

Source: Ampersand's public connector library and a public client of the service (August
2026); no OpenAPI document that is published names it. One page of records comes back,
and equality is all that can be asked. The provider's query is built by putting the
value between quotes as it is, so that one with a quote of its own asks for something
else: see `can_be_asked`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ampersand.answers import Answer, id_of, problem_of, success_of_read
from ampersand.building import checked, integration_url, not_blank
from ampersand.errors import OutcomeUnknown, RequestInvalid
from ampersand.schemas import Request, dict_or_empty, text_of

# The public client sends it with every search.
_HEADERS = (("x-amp-request-type", "search"),)
_UNSAFE = frozenset("'\\")


@dataclass(frozen=True, kw_only=True)
class SearchHit:
    """One record: its id, "" where none was told, and what was shown of it."""

    id: str
    shown: tuple[Mapping[str, Any], ...] = field(repr=False)

    def holds(self, name: str, value: str) -> bool:
        """Tell whether the record was shown with this value, in whatever case."""
        wanted = value.casefold()
        return any(
            (text_of(told) or "").casefold() == wanted
            for fields in self.shown
            for each, told in fields.items()
            if each.casefold() == name.casefold()
        )


def can_be_asked(value: str) -> bool:
    """Tell whether a value is asked for as it is, and not as a part of the query."""
    return bool(value) and value.isprintable() and _UNSAFE.isdisjoint(value)


def search_records(
    base_url: str,
    *,
    project: str,
    integration: str,
    object_name: str,
    group_ref: str,
    name: str,
    value: str,
) -> Request:
    """Build the question for the records whose field `name` is `value`.

    Raises: RequestInvalid for a blank part, and for a value that could ask for others.
    """
    if not base_url:
        raise RequestInvalid("The project has no search address.")
    not_blank(group_ref, "group reference")
    not_blank(object_name, "object name")
    not_blank(name, "field name")
    if not can_be_asked(value):
        raise RequestInvalid("A value with a quote or a backslash cannot be looked up.")
    url = integration_url(base_url, project, integration)
    return checked(
        action="read",
        method="POST",
        url=f"{url}?groupRef={quote(group_ref, safe='')}",
        body={
            "objectName": object_name,
            "fieldFilters": [{"fieldName": name, "operator": "eq", "value": value}],
        },
        more_headers=_HEADERS,
    )


def read_hits(answer: Answer) -> tuple[SearchHit, ...]:
    """Read the records found. A list that is named and null is an empty one.

    Raises: Refused for any status but 2xx; OutcomeUnknown for an answer without a list.
    """
    body = dict_or_empty(success_of_read(answer))
    named = next((name for name in ("results", "result") if name in body), None)
    found = body[named] if named else None
    if named and found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(x, dict) for x in found):
        raise OutcomeUnknown("The answer lists no records", problem_of(answer))
    return tuple(_hit(each) for each in found)


def _hit(raw: dict[str, Any]) -> SearchHit:
    fields, mapped, whole = (
        dict_or_empty(raw.get(name)) for name in ("fields", "mappedFields", "raw")
    )
    ids = (raw.get("id"), fields.get("id"), fields.get("Id"), whole.get("Id"))
    told = next(filter(None, map(id_of, ids)), "")
    return SearchHit(id=told, shown=(fields, mapped, whole))
