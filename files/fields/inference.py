"""Guessing a column's field from its values, where nobody declared it."""

from collections import Counter
from collections.abc import Sequence

from files.field import Field, Type
from files.values import record_ids
from files.values.rules import kind_of

SAMPLE = 1_000
ENOUGH = 0.9
AT_LEAST = 2


def infer(name: str, values: Sequence[str]) -> Field | None:
    """Return the field that a column seems to be, or None for plain text.

    `values` are some of its values, not blank and not `#N/A`; the first 1,000 count. A
    kind is taken when at least two values and nine of ten are of it, in any form: a
    date in US order is a date. Findings about the field only warn.
    """
    sample = values[:SAMPLE]
    if len(sample) < AT_LEAST:
        return None
    type_ = _type(name, sample)
    return Field(name=name, type=type_, is_inferred=True) if type_ else None


def _type(name: str, sample: Sequence[str]) -> Type | None:
    enough = len(sample) * ENOUGH
    if _is_id_name(name):
        shaped = sum(record_ids.has_shape(value) for value in sample)
        if shaped >= enough and any(kind_of(value) == "id" for value in sample):
            return "id"
    counts = Counter(kind_of(value) for value in sample)
    if counts["date"] + counts["datetime"] >= enough:
        return "datetime" if counts["datetime"] > counts["date"] else "date"
    if counts["number"] + counts["shortened"] >= enough:
        return _number_type(name, sample, counts)
    if counts["boolean"] >= enough:
        return "boolean"
    return "email" if counts["email"] >= enough else None


def _number_type(name: str, sample: Sequence[str], counts: Counter[str]) -> Type | None:
    """Tell amounts from digits that name something, as customer numbers do."""
    if any(_starts_with_zero(value) for value in sample):
        return None
    is_whole = all(v.isdigit() for v in sample if kind_of(v) == "number")
    if not is_whole:
        return "double"
    # Whole numbers of which Excel shortened some are names: as text, that is told.
    if counts["shortened"]:
        return "string"
    return None if _is_id_name(name) else "double"


def _starts_with_zero(value: str) -> bool:
    return len(value) > 1 and value[0] == "0" and value[1].isdigit()


def _is_id_name(name: str) -> bool:
    return name == "ID" or name.endswith("Id") or name == "id"
