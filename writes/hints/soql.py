"""How to look for records in the customer's Salesforce: lines of SOQL to copy; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_KEYS = 10
MOST_LINES = 4
# Longer texts are no keys, and Salesforce does not search by them.
LONGEST = 255

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?", re.ASCII)
# Most telling first: what a record is usually known by.
_LIKE_KEYS = (
    re.compile(r".*(?:external|ext|key|number|code|id)\w*__c", re.I),
    re.compile(r"\w*e?mail\w*", re.I),
    re.compile(r"(?:name|subject|\w*number)", re.I),
    re.compile(r"(?:lastname|company|phone|mobilephone)", re.I),
)
_ESCAPES = str.maketrans(
    {
        "\\": r"\\",
        "'": r"\'",
        '"': r"\"",
        "\n": r"\n",
        "\r": r"\r",
        "\t": r"\t",
        "\b": r"\b",
        "\f": r"\f",
    }
)


@dataclass(frozen=True)
class LookUp:
    """One thing to look for: the field, its values as shown, and the line of SOQL."""

    field: str
    values: tuple[str, ...]
    soql: str


def by_record_id(object_name: str, record_id: str) -> list[LookUp]:
    """Return how to look at one record that is known."""
    return _look_ups(object_name, {"Id": [record_id]})


def by_key(
    object_name: str, key: str, values: Sequence[str], *, is_number: bool = False
) -> list[LookUp]:
    """Return how to look for the rows of a file by their key."""
    given = [value for value in values[:MOST_KEYS] if value]
    numbers = frozenset({key}) if is_number else frozenset()
    return _look_ups(object_name, {key: given}, numbers)


def by_fields(
    object_name: str, record: Mapping[str, Any], external_ids: Sequence[str] = ()
) -> list[LookUp]:
    """Return how to look for a new record by those of its fields that look like keys.

    `external_ids` are fields that are known to be some.
    """
    names = [name for name, value in record.items() if _is_searchable(value)]
    declared = {name.casefold() for name in external_ids}
    found = [name for name in names if name.casefold() in declared]
    for like in _LIKE_KEYS:
        found += [name for name in names if like.fullmatch(name)]
    chosen = list(dict.fromkeys(found or names))[:MOST_LINES]
    return _look_ups(object_name, {name: [record[name]] for name in chosen})


def _is_searchable(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    return 0 < len(str(value)) <= LONGEST


def _look_ups(
    object_name: str,
    wanted: Mapping[str, Sequence[Any]],
    numbers: frozenset[str] = frozenset(),
) -> list[LookUp]:
    return [
        LookUp(
            field,
            tuple(str(value) for value in values),
            _soql(object_name, field, values, as_number=field in numbers),
        )
        for field, values in wanted.items()
        if values
    ]


def _soql(
    object_name: str, field: str, values: Sequence[Any], *, as_number: bool
) -> str:
    """Return a line of SOQL, or nothing for names that SOQL cannot say."""
    if not _NAME.fullmatch(object_name) or not _NAME.fullmatch(field):
        return ""
    literals = [literal(value, as_number=as_number) for value in values]
    condition = f"= {literals[0]}"
    if len(literals) > 1:
        condition = f"IN ({', '.join(literals)})"
    told = "Id, CreatedDate, LastModifiedDate"
    # For people to copy: nothing here runs it.
    return f"SELECT {told} FROM {object_name} WHERE {field} {condition}"  # nosec B608 # noqa: S608 - a text to copy; no database gets it


def literal(value: Any, *, as_number: bool = False) -> str:
    """Write a value as SOQL takes it; a text can never end its quotes."""
    if not isinstance(value, str) or (as_number and _NUMBER.fullmatch(value)):
        return str(value)
    return f"'{value.translate(_ESCAPES)}'"
