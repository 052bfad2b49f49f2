"""From text or JSON to the values Salesforce stores, and the errors on the way."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sandbox import ids
from sandbox.schema import Field

Value = str | int | float | bool | None

_INT = re.compile(r"[+-]?[0-9]+")
_DOUBLE = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?)"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})"
)
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;.]+(?:\.[^@\s,;.]+)+")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_YEARS = range(1700, 4001)
_XSD = {"datetime": "dateTime", "currency": "double"}


class NotAValueError(ValueError):
    """The text cannot be read as the field's type at all."""


@dataclass(eq=False)
class RowError(Exception):
    """Why Salesforce refuses one record."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    @property
    def sf_error(self) -> str:
        """The text of a bulk job's sf__Error column."""
        if not self.fields:
            return f"{self.code}:{self.message}:--"
        return f"{self.code}:{self.message}:{','.join(self.fields)} --"


def from_cell(field: Field, text: str, column: int) -> Value:
    """The value of a CSV cell; `column` counts from 0 and is named in the error."""
    try:
        return _PARSERS[field.type](text)
    except NotAValueError as error:
        kind = _XSD.get(field.type, field.type)
        raise RowError(
            "INVALID_FIELD",
            f"Failed to deserialize field at col {column}. Due to, '{text}' is not a"
            f" valid value for the type xsd:{kind}",
            (field.name,),
        ) from error


def from_json(field: Field, value: Any) -> Value:
    """The value of a field in a JSON record; numbers and booleans may be strings."""
    if value is None:
        return None
    try:
        return _PARSERS[field.type](_as_text(field, value))
    except NotAValueError as error:
        raise RowError(
            "JSON_PARSER_ERROR",
            f"Cannot deserialize instance of {field.type} from {_token(value)} value"
            f" {_shown(value)} or request may be missing a required field",
        ) from error


def check(field: Field, value: Value) -> None:
    """Raise RowError when a well-typed value breaks the field's own rules."""
    if isinstance(value, str):
        _check_text(field, value)
        return
    has_digits = field.type in ("int", "double", "currency")
    if value is not None and has_digits and abs(value) >= 10**field.length:
        raise RowError(
            "NUMBER_OUTSIDE_VALID_RANGE",
            f"{field.label}: value outside of valid range on numeric field: {value}",
            (field.name,),
        )


def _check_text(field: Field, value: str) -> None:
    if field.type == "reference":
        _check_reference(field, value)
    elif "restricted" in field.flags and value not in field.values:
        raise RowError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {value}",
            (field.name,),
        )
    elif field.type == "email" and not _EMAIL.fullmatch(value):
        raise RowError(
            "INVALID_EMAIL_ADDRESS",
            f"{field.label}: invalid email address: {value}",
            (field.name,),
        )
    elif field.type not in ("date", "datetime") and len(value) > field.length:
        raise RowError(
            "STRING_TOO_LONG",
            f"{field.label}: data value too large: {value} (max length={field.length})",
            (field.name,),
        )


def _check_reference(field: Field, value: str) -> None:
    if ids.normal(value) is None:
        label = f"{field.label.removesuffix('Id')} ID"
        raise RowError(
            "MALFORMED_ID",
            f"{label}: id value of incorrect type: {value}",
            (field.name,),
        )


def _as_text(field: Field, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        kinds: tuple[str, ...] = ("boolean",)
    elif isinstance(value, int | float):
        kinds = ("int", "double", "currency")
    else:
        kinds = ()
    if field.type not in kinds:
        raise NotAValueError
    return str(value)


def _token(value: Any) -> str:
    """What Salesforce's JSON parser calls the value, as in VALUE_STRING."""
    names = {str: "VALUE_STRING", int: "VALUE_NUMBER_INT", float: "VALUE_NUMBER_FLOAT"}
    if isinstance(value, bool):
        return f"VALUE_{str(value).upper()}"
    return names.get(
        type(value), "START_ARRAY" if isinstance(value, list) else "START_OBJECT"
    )


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(text: str) -> str:
    return text


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise NotAValueError
    return _BOOLEANS[text.lower()]


def _int(text: str) -> int:
    # Longer texts cannot fit an xsd:int, and int() itself refuses huge ones.
    if len(text) > 11 or not _INT.fullmatch(text) or not -(2**31) <= int(text) < 2**31:
        raise NotAValueError
    return int(text)


def _double(text: str) -> float:
    if not _DOUBLE.fullmatch(text) or math.isinf(float(text)):
        raise NotAValueError
    return float(text)


def _date(text: str) -> str:
    if not _DATE.fullmatch(text):
        raise NotAValueError
    try:
        year = date.fromisoformat(text).year
    except ValueError as error:
        raise NotAValueError from error
    if year not in _YEARS:
        raise NotAValueError
    return text


def _datetime(text: str) -> str:
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise NotAValueError
    moment, zone = match.groups()
    try:
        utc = datetime.fromisoformat(moment + zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotAValueError from error
    if utc.year not in _YEARS:
        raise NotAValueError
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03}+0000"


def _reference(text: str) -> str:
    return ids.normal(text) or text


_PARSERS: dict[str, Callable[[str], Value]] = {
    "id": _reference,
    "reference": _reference,
    "boolean": _boolean,
    "int": _int,
    "double": _double,
    "currency": _double,
    "date": _date,
    "datetime": _datetime,
    **dict.fromkeys(("string", "textarea", "email", "phone", "url", "picklist"), _text),
}
