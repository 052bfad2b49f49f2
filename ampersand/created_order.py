"""Whether the results of created records are in the order of the records sent.

HubSpot does not keep it, and Ampersand gives its results to the records as they come.
But `data` of a result holds the properties as stored: they are held against what was
sent, for fields that both have. Not compared is what HubSpot writes in its own way:
phones, dates and numbers, and whatever is no text.
"""

import re
from collections.abc import Sequence
from typing import Any

from ampersand.schemas import dict_or_empty

_HAS_LETTER = re.compile(r"[^\W\d_]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ].*)?")


def is_in_order(
    sent: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]
) -> bool:
    """Whether every success holds what was sent in its place.

    One that cannot be compared leaves it open; one success alone has but one place.
    """
    pairs = [
        (record, _stored(result))
        for record, result in zip(sent, results, strict=True)
        if result.get("success") is True
    ]
    return len(pairs) < 2 or all(_fits(record, stored) for record, stored in pairs)


def _stored(result: dict[str, Any]) -> dict[str, Any]:
    data = dict_or_empty(result.get("data"))
    return dict_or_empty(data.get("properties")) or data


def _fits(sent: dict[str, Any], stored: dict[str, Any]) -> bool:
    told = {name.casefold(): value for name, value in stored.items()}
    both = [
        (value, told[name.casefold()])
        for name, value in sent.items()
        if name.casefold() in told and _is_comparable(name, value)
    ]
    return bool(both) and all(_is_same(one, other) for one, other in both)


def _is_comparable(name: str, value: object) -> bool:
    if not isinstance(value, str) or "phone" in name.casefold():
        return False
    return bool(_HAS_LETTER.search(value)) and not _DATE.fullmatch(value.strip())


def _is_same(one: str, other: object) -> bool:
    return isinstance(other, str) and one.strip().casefold() == other.strip().casefold()
