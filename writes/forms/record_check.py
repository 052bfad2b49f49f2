"""What is wrong with a record, field by field, before it is reviewed.

By the rules of a file's cells (`files.values`), and what JSON adds to them: a number is
another thing than a text of digits.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from files.field import Field
from files.fields.matching import FieldIndex
from files.findings import Level
from files.shown import listed
from files.values.damage import damage
from files.values.numbers import TYPES as NUMBERS
from files.values.rules import problem
from writes.models import Write

# How a field of a type is written in JSON; text where it is not here.
KINDS = {**dict.fromkeys(NUMBERS, "number"), "boolean": "boolean"}


@dataclass(frozen=True)
class Remark:
    """One thing to say about a field of a record; `name` is as typed, or missing."""

    name: str
    level: Level
    message: str


def kind_of(field: Field | None) -> str:
    """Return how values of a field are written: "text", "number" or "boolean"."""
    return KINDS.get(field.type, "text") if field else "text"


def remarks(
    record: Mapping[str, Any], fields: Sequence[Field], action: str
) -> list[Remark]:
    """Return what is to be said of a record; nothing where no fields are known."""
    if not fields:
        return []
    index = FieldIndex(fields)
    found = [
        remark
        for name, value in record.items()
        for remark in _of_field(name, value, index, action)
    ]
    if action == Write.Action.CREATE:
        found += _lacking(record, fields)
    return found


def _lacking(record: Mapping[str, Any], fields: Sequence[Field]) -> list[Remark]:
    given = {
        name.casefold() for name, value in record.items() if value not in (None, "")
    }
    return [
        Remark(field.name, "warns", f"{field.name} is required for a new record.")
        for field in fields
        if field.is_required and field.is_creatable
        if field.name.casefold() not in given
    ]


def _of_field(name: str, value: Any, index: FieldIndex, action: str) -> list[Remark]:
    match = index.find(name)
    if match.field is None:
        near = (
            f" Did you mean {listed(match.suggestions)}?" if match.suggestions else ""
        )
        return [Remark(name, "warns", f"The field list has no {name}.{near}")]
    if match.is_relationship:
        return []
    if not may_be_set(match.field, action):
        by = _WITH[Write.Action(action)]
        text = f"{match.field.name} cannot be set by {by}: remove it."
        return [Remark(name, "warns", text)]
    return [
        Remark(name, level, message)
        for level, message in _of_value(match.field, value, action)
    ]


_WITH = {Write.Action.CREATE: "a create", Write.Action.UPDATE: "an update"}


def may_be_set(field: Field, action: str) -> bool:
    """Whether a record of this action may have a value of the field."""
    is_update = action == Write.Action.UPDATE
    return field.is_updateable if is_update else field.is_creatable


def _of_value(field: Field, value: Any, action: str) -> list[tuple[Level, str]]:
    if value is None or value == "":
        clears = field.is_required and action == Write.Action.UPDATE
        text = f"{field.name} is required, and this would clear it."
        return [("warns", text)] if clears else []
    if isinstance(value, dict | list):
        return []
    text = value if isinstance(value, str) else json.dumps(value)
    found = [(each.level, each.message) for each in damage(field, text)]
    if wrong := problem(field, text):
        found.append((wrong.level, wrong.message))
    wanted, given = kind_of(field), _kind_given(value)
    if not found and wanted != given:
        as_what = {"text": "text", "number": "a number", "boolean": "true or false"}
        found.append(
            ("warns", f"{field.name} takes {as_what[wanted]}, not {as_what[given]}.")
        )
    return found


def _kind_given(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "text"
