"""The field list of an object: read from a describe or from lines, kept as JSON.

describe ─┐
          ├▶ list of Field ─▶ as_json (stored) ─▶ FieldIndex (a column's field)
lines ────┘
"""

from collections.abc import Sequence
from dataclasses import MISSING
from dataclasses import fields as members
from typing import Any

from files.field import Field
from files.fields.describe import from_describe
from files.fields.field_lines import as_lines, from_lines
from files.fields.invalid_fields import InvalidFields
from files.fields.matching import FieldIndex

__all__ = [
    "FieldIndex",
    "InvalidFields",
    "as_json",
    "as_lines",
    "from_describe",
    "from_json",
    "from_lines",
]

_MEMBERS = {member.name: member for member in members(Field)}


def as_json(fields: Sequence[Field]) -> list[dict[str, Any]]:
    """Return the fields as JSON values; what is as by default is left out."""
    return [_as_dict(field) for field in fields]


def from_json(value: Any) -> list[Field]:
    """Return the fields that `as_json` gave. Raises `InvalidFields` for others."""
    if not isinstance(value, list):
        raise InvalidFields(["This is not a list of fields."])
    return [_from_dict(number, item) for number, item in enumerate(value, start=1)]


def _as_dict(field: Field) -> dict[str, Any]:
    values = {name: getattr(field, name) for name in _MEMBERS}
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in values.items()
        if value != _MEMBERS[name].default
    }


def _from_dict(number: int, item: Any) -> Field:
    if not isinstance(item, dict) or not item.get("name"):
        raise InvalidFields([f"Field {number:,} has no name."])
    for name, value in item.items():
        if name not in _MEMBERS or not _fits(name, value):
            raise InvalidFields([f"Field {number:,}: “{name}” is not as expected."])
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in item.items()
    }
    return Field(**given)


def _fits(name: str, value: Any) -> bool:
    default = _MEMBERS[name].default
    if isinstance(default, tuple):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return type(value) is (str if default is MISSING else type(default))
