"""What is wrong with one value of a field.

The rules are Salesforce's for bulk files (Bulk API 2.0 guide). What is surely refused
blocks, what is doubtful warns; about a field that nobody declared everything only
warns.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from files import unseen
from files.field import Field, Type
from files.findings import LEVELS
from files.shown import listed, shown
from files.values import dates, moments, record_ids
from files.values.numbers import TYPES as NUMBERS
from files.values.numbers import is_number, number_problem
from files.values.problems import Problem

__all__ = ["NULL", "Problem", "holds_text", "kind_of", "problem"]

# What a cell of a bulk file holds to clear its field.
NULL = "#N/A"
ALLOWED_SHOWN = 5

_BOOLEANS = frozenset(("true", "false", "1", "0"))
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(?:\.[^@\s,;.]+)+")
_LIKE_EMAIL = re.compile(r"[^@]{1,100}@[^@]{1,100}")
# As Excel shows a number of 12 and more digits: 1.2E+17, or 1,2E+17.
# Other programs leave the plus out.
_SHORTENED = re.compile(r"[0-9](?:(?:[.,][0-9]+)?[eE]\+|[.,][0-9]+[eE])[0-9]{2,3}")


def problem(field: Field, text: str) -> Problem | None:
    """Return the first thing that is wrong with a value, or None.

    `text` is the cell's value; it is neither blank nor `NULL`. The message names the
    value, not its row or column.
    """
    found = _RULES.get(field.type, _text_problem)(field, text)
    if found is None and field.is_external_id:
        found = _shortened_problem(text)
    if found is not None and field.is_inferred:
        return replace(found, level="warns")
    return found


def holds_text(field: Field | None) -> bool:
    """Whether a field may hold digits that are a name, as those of an id."""
    return field is None or field.type in _NAMES or field.is_external_id


def kind_of(text: str) -> str:
    """Return what a value looks like, also where it is not written as Salesforce wants.

    One of "date", "datetime", "time", "boolean", "email", "id", "shortened" (a number
    as Excel shortens it), "number" and "text". A date in any order is a "date"; digits
    that begin with 0, as of postcodes and phones, and more than 15 of them are "text".
    """
    if len(text) > 250:
        return "text"
    if text.lower() in ("true", "false"):
        return "boolean"
    if _SHORTENED.fullmatch(text):
        return "shortened"
    if is_number(text):
        return "text" if _is_code(text) else "number"
    moment = moments.read(text)
    if moment:
        return "datetime" if moment.has_time else "date"
    if dates.time_fault(text) is None:
        return "time"
    if _LIKE_EMAIL.fullmatch(text):
        return "email"
    is_id = record_ids.has_shape(text) and any(char.isdigit() for char in text)
    return "id" if is_id else "text"


def _is_code(text: str) -> bool:
    digits = sum(char.isdigit() for char in text)
    starts_with_zero = len(text) > 1 and text[0] == "0" and text[1].isdigit()
    return digits > 15 or text[0] == "+" or starts_with_zero


def _dated(name: str, fault_of: Callable[[str], dates.Fault | None]) -> "_Rule":
    """Return the rule called `name` of a kind of dates or times."""

    def judge(_field: Field, text: str) -> Problem | None:
        fault = fault_of(text)
        return Problem(fault[0], name, fault[1]) if fault else None

    return judge


def _boolean_problem(_field: Field, text: str) -> Problem | None:
    if text.lower() in _BOOLEANS:
        return None
    return Problem(
        "blocks",
        "boolean",
        f"{shown(text)} is not true or false. Write true, false, 1 or 0.",
    )


def _email_problem(field: Field, text: str) -> Problem | None:
    if _EMAIL.fullmatch(text) and not any(map(unseen.is_unseen, text)):
        return _length_problem(field, text)
    return Problem(
        "blocks", "email", f"{shown(text)} is not an e-mail address. Correct it."
    )


def _text_problem(field: Field, text: str) -> Problem | None:
    return _length_problem(field, text) or _shortened_problem(text)


def _length_problem(field: Field, text: str) -> Problem | None:
    if not field.length or len(text) <= field.length:
        return None
    return Problem(
        "blocks",
        "too-long",
        f"{shown(text)} has {len(text):,} characters; this field accepts "
        f"{field.length:,}. Shorten it.",
    )


def _shortened_problem(text: str) -> Problem | None:
    if not _SHORTENED.fullmatch(text):
        return None
    return Problem(
        "warns",
        "scientific",
        f"{shown(text)} looks like a long number that Excel shortened; its last digits "
        "are lost. Export the value from the source again, as text.",
    )


def _picklist_problem(field: Field, text: str) -> Problem | None:
    if not field.is_restricted:
        return _text_problem(field, text)
    return None if text in field.allowed else _not_allowed(field, text)


def _multi_picklist_problem(field: Field, text: str) -> Problem | None:
    if not field.is_restricted:
        return _text_problem(field, text)
    found = [
        _not_allowed(field, value)
        for value in text.split(";")
        if value and value not in field.allowed
    ]
    # One that blocks tells more than one that only warns.
    return min(found, key=lambda each: LEVELS.index(each.level)) if found else None


def _not_allowed(field: Field, text: str) -> Problem:
    twin = field.spellings.get(text.strip().lower())
    if twin is not None:
        return Problem(
            "warns",
            "picklist",
            f"{shown(text)} differs from the allowed value {shown(twin)} by case or"
            " spaces only; it may be refused. Write it the same.",
        )
    return Problem(
        "blocks",
        "picklist",
        f"{shown(text)} is not a value of this restricted picklist."
        f" {_choice(field, text)}",
    )


def _choice(field: Field, text: str) -> str:
    """Tell the allowed values, or the near ones, or the first of them."""
    count = len(field.values)
    if count <= ALLOWED_SHOWN:
        allowed = listed(field.values)
        return f"Allowed: {allowed}." if allowed else "The field list allows none."
    start = text[:3].strip().lower()
    near = [value for low, value in field.spellings.items() if low.startswith(start)]
    first = tuple(near[:ALLOWED_SHOWN]) or field.values[:ALLOWED_SHOWN]
    which = "near it" if near else "the first"
    return f"Of {count:,} allowed values, {which}: {listed(first)}."


def _id_problem(_field: Field, text: str) -> Problem | None:
    shortened = _shortened_problem(text)
    if shortened:
        return shortened
    if not record_ids.has_shape(text):
        return Problem("warns", "id", _no_id(text))
    if record_ids.normal(text):
        return None
    original = record_ids.repaired(text)
    hint = (
        f"If only its case was changed, it was {original}."
        if original
        else "Export it from the source again."
    )
    return Problem(
        "blocks",
        "altered-id",
        f"{shown(text)}: this id was altered; its last three characters do not match "
        f"the others. {hint}",
    )


def _no_id(text: str) -> str:
    what = "a Salesforce id has 15 or 18 letters and digits"
    advice = "Correct it, unless this is the id of another system."
    if len(text) not in record_ids.LENGTHS:
        count = f"{len(text):,} character{'' if len(text) == 1 else 's'}"
        return f"{shown(text)} has {count}; {what}. {advice}"
    odd = next(char for char in text if not (char.isascii() and char.isalnum()))
    return f"{shown(text)} holds {shown(odd)}; {what}. {advice}"


_Rule = Callable[[Field, str], Problem | None]
_RULES: dict[Type, _Rule] = {
    "date": _dated("date", dates.date_fault),
    "datetime": _dated("date-time", dates.date_time_fault),
    "time": _dated("time", dates.time_fault),
    "boolean": _boolean_problem,
    "email": _email_problem,
    "picklist": _picklist_problem,
    "multipicklist": _multi_picklist_problem,
    "id": _id_problem,
    "reference": _id_problem,
}
_NAMES = ("string", "textarea", "phone", "url", "picklist", "reference", "id", "other")
for _type in NUMBERS:
    _RULES[_type] = number_problem  # type: ignore[index]
