"""Numbers as Salesforce takes them, and what people write instead.

A number has no thousands separators, a point before its decimals, and no sign of a
currency; powers of ten (1.5E3) are documented for doubles (Bulk API 2.0 guide).
"""

import math
import re

from files.field import Field
from files.shown import shown
from files.values.problems import Problem

TYPES = ("int", "double", "currency", "percent")
# An int field is an xsd:int: 32 bits.
SMALLEST_INT, LARGEST_INT = -(2**31), 2**31 - 1

_PLAIN = re.compile(r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))")
_POWER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))[eE]([+-]?[0-9]+)")
_SEPARATED = re.compile(
    r"[+-]?[0-9]{1,3}(?:(?P<mark>[., '’\u00a0\u202f])[0-9]{3})+(?P<rest>[.,][0-9]*)?"
)
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_MARKS = re.compile(r"[$€£¥%]|\b[A-Z]{3}\b")


def is_number(text: str) -> bool:
    """Whether the text is a number as Salesforce takes it, or nearly one.

    Nearly: with separators of thousands, a decimal comma, a currency or per cent sign.
    """
    if _PLAIN.fullmatch(text) or _POWER.fullmatch(text):
        return True
    bare = _MARKS.sub("", text).strip() if len(text) <= 40 else text
    return any(form.fullmatch(bare) for form in (_PLAIN, _POWER, _SEPARATED, _COMMA))


def number_problem(field: Field, text: str) -> Problem | None:
    """Return what is wrong with a text in a field of one of `TYPES`, or None."""
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        return _power_problem(field, text)
    whole = (plain[2] or "").lstrip("0")
    decimals = plain[3] or plain[4] or ""
    if field.type == "int":
        return _int_problem(field, text, whole, "." in text)
    return _size_problem(field, text, len(whole), len(decimals.rstrip("0")))


def _int_problem(
    field: Field, text: str, whole: str, has_point: bool
) -> Problem | None:
    if has_point:
        return Problem(
            "blocks",
            "number",
            f"{shown(text)} is not a whole number, but this field accepts only those. "
            "Remove the decimals.",
        )
    value = int(text) if len(whole) <= 10 else None
    if value is None or not SMALLEST_INT <= value <= LARGEST_INT:
        return Problem(
            "blocks",
            "number-range",
            f"{shown(text)} is beyond {SMALLEST_INT:,} to {LARGEST_INT:,}, the range "
            "of a whole-number field. Correct it.",
        )
    return _size_problem(field, text, len(whole), 0)


def _size_problem(
    field: Field, text: str, digits: int, decimals: int
) -> Problem | None:
    if not field.digits and not field.scale:
        return None
    if digits > field.digits:
        return Problem(
            "blocks",
            "number-range",
            f"{shown(text)} has {digits:,} digits before the point; this field accepts "
            f"{field.digits}. Correct it.",
        )
    if decimals > field.scale and field.type != "int":
        return Problem(
            "warns",
            "number-range",
            f"{shown(text)} has {decimals:,} decimals; this field keeps"
            f" {field.scale}, so Salesforce rounds it. Round it yourself if that"
            " matters.",
        )
    return None


def _power_problem(field: Field, text: str) -> Problem | None:
    power = _POWER.fullmatch(text)
    if power is None:
        return Problem("blocks", "number", _no_number(text))
    if field.type == "int":
        return Problem(
            "blocks",
            "number",
            f"{shown(text)} is written with an exponent, but this field accepts only "
            "whole numbers. Write out all digits.",
        )
    value = abs(float(text))
    if math.isinf(value):
        return Problem(
            "blocks", "number-range", f"{shown(text)} is too large. Correct it."
        )
    if field.digits or field.scale:
        limit = 10.0 ** min(field.digits, 300)
        if value >= limit:
            return Problem(
                "blocks",
                "number-range",
                f"{shown(text)} is too large: this field accepts {field.digits} digits "
                "before the point. Correct it.",
            )
    if field.type == "double":
        return None
    return Problem(
        "warns",
        "number",
        f"{shown(text)} is written with an exponent, which is documented only for "
        "plain number fields. Write out all digits.",
    )


def _no_number(text: str) -> str:
    bare = _MARKS.sub("", text).strip() if len(text) <= 40 else text
    separated = _SEPARATED.fullmatch(bare)
    if bare != text.strip() and bare and is_number(bare):
        return (
            f"{shown(text)} has a currency or percent sign; Salesforce accepts only "
            "the number. Remove the sign."
        )
    if separated and separated["rest"] != separated["mark"]:
        return (
            f"{shown(text)} has thousands separators; Salesforce accepts only digits "
            "and a decimal point. Remove the separators."
        )
    if _COMMA.fullmatch(bare):
        return (
            f"{shown(text)} has a decimal comma; Salesforce accepts a point:"
            f" {bare.replace(',', '.')}."
        )
    return (
        f"{shown(text)} is not a number. Write digits, and a point before decimals,"
        " like 1234.5."
    )
