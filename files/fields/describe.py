"""Reading a Salesforce sObject describe.

It is what `GET /services/data/v60.0/sobjects/<Object>/describe` answers, or what
`sf sobject describe --json` prints, which wraps it as `{"status": 0, "result": {…}}`.
"""

import json
import re
from typing import Any

from files.field import Field, Type
from files.fields.invalid_fields import (
    InvalidFields,
    first_repeated,
    need_no_more,
    need_size,
    storable,
)
from files.shown import shown

_TYPES: dict[str, Type] = {
    "string": "string",
    "encryptedstring": "string",
    "combobox": "string",
    "textarea": "textarea",
    "picklist": "picklist",
    "multipicklist": "multipicklist",
    "email": "email",
    "phone": "phone",
    "url": "url",
    "int": "int",
    "long": "double",
    "double": "double",
    "currency": "currency",
    "percent": "percent",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "time": "time",
    "reference": "reference",
    "id": "id",
}
_WITH_POINT = frozenset(("double", "currency", "percent"))
# A describe of a large object with its picklists has some 200,000 values. Each takes
# hundreds of bytes once it is read, so they are counted before.
MOST_JSON_VALUES = 500_000
_NO_DESCRIBE = "This JSON is not an object's describe: it has no list “fields”."
_NAME = re.compile(r"[A-Za-z0-9_]+")
TEXTS = frozenset(
    ("string", "textarea", "picklist", "multipicklist", "email", "phone", "url")
)


def from_describe(text: str) -> list[Field]:
    """Return the fields that a describe declares, in its order.

    Inactive picklist values are left out: Salesforce refuses them in new values of
    restricted picklists. Raises `InvalidFields`.
    """
    described = _described(text)
    need_no_more(len(described))
    fields = [_field(number, each) for number, each in enumerate(described, start=1)]
    need_size(fields)
    repeated = first_repeated([field.name for field in fields])
    if repeated is not None:
        name = fields[repeated].name
        raise InvalidFields([f"The field {shown(name)} is there more than once."])
    return fields


def described_object(text: str) -> str:
    """Return the name of the object that a describe is about, "" where it has none."""
    name = _document(text).get("name")
    return storable(name, "The name") if isinstance(name, str) else ""


def _described(text: str) -> list[Any]:
    described = _document(text).get("fields")
    if not isinstance(described, list) or not described:
        raise InvalidFields([_NO_DESCRIBE])
    return described


def _document(text: str) -> dict[str, Any]:
    # Signs within texts count as well, which only makes it a little stricter.
    if sum(map(text.count, ",[{")) > MOST_JSON_VALUES:
        raise InvalidFields(
            [
                f"This JSON holds more than {MOST_JSON_VALUES:,} values, which is more "
                "than a describe has. The fields stay as they were."
            ]
        )
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise InvalidFields(
            [f"Line {error.lineno:,}: this is not JSON ({error.msg})."]
        ) from None
    except RecursionError:
        raise InvalidFields(
            ["This is not a describe: this JSON is nested too deeply."]
        ) from None
    except ValueError:
        raise InvalidFields(
            ["This is not a describe: a number has thousands of digits."]
        ) from None
    if isinstance(document, dict) and isinstance(document.get("result"), dict):
        document = document["result"]
    if not isinstance(document, dict):
        raise InvalidFields([_NO_DESCRIBE])
    return document


def _field(number: int, described: Any) -> Field:
    if not isinstance(described, dict) or not described.get("name"):
        raise InvalidFields([f"Field {number:,} of this describe has no name."])
    read = _Reader(described, f"Field {number:,}")
    type_ = _TYPES.get(read.text("type"), "other")
    scale = read.number("scale") if type_ in _WITH_POINT else 0
    creatable = read.flag("createable", default=True)
    return Field(
        name=read.name("name"),
        label=read.text("label"),
        type=type_,
        length=read.number("length") if type_ in TEXTS else 0,
        digits=_digits(type_, read, scale),
        scale=scale,
        is_required=creatable
        and not read.flag("nillable", default=True)
        and not read.flag("defaultedOnCreate"),
        is_creatable=creatable,
        is_updateable=read.flag("updateable", default=True),
        is_external_id=read.flag("externalId"),
        is_restricted=read.flag("restrictedPicklist"),
        values=_active_values(read) if type_.endswith("picklist") else (),
        relationship=read.name("relationshipName") if type_ == "reference" else "",
        references=read.names("referenceTo") if type_ == "reference" else (),
    )


def _digits(type_: Type, read: "_Reader", scale: int) -> int:
    if type_ == "int":
        return read.number("digits")
    if type_ in _WITH_POINT:
        precision = read.number("precision") or read.number("digits")
        return max(precision - scale, 0)
    return 0


def _active_values(read: "_Reader") -> tuple[str, ...]:
    values = []
    for each in read.items("picklistValues"):
        if not isinstance(each, dict) or not isinstance(each.get("value"), str):
            raise read.invalid("picklistValues")
        if each.get("active", True) and each["value"]:
            values.append(storable(each["value"], read.where))
    return tuple(values)


class _Reader:
    """Takes values of the expected kind out of one described field.

    A key that is absent or null stands for its default; another kind of value raises
    `InvalidFields`.
    """

    def __init__(self, described: dict[str, Any], where: str) -> None:
        self._described = described
        self.where = where

    def invalid(self, key: str) -> InvalidFields:
        return InvalidFields([f"{self.where}: “{key}” is not as in a describe."])

    def text(self, key: str) -> str:
        value = self._described.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.invalid(key)
        return storable(value, self.where)

    def number(self, key: str) -> int:
        value = self._described.get(key)
        if value is None:
            return 0
        if type(value) is not int or not 0 <= value < 2**31:
            raise self.invalid(key)
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self._described.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.invalid(key)
        return value

    def items(self, key: str) -> list[Any]:
        value = self._described.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.invalid(key)
        return value

    def name(self, key: str) -> str:
        text = self.text(key)
        if text and not _NAME.fullmatch(text):
            raise self.invalid(key)
        return text

    def names(self, key: str) -> tuple[str, ...]:
        values = self.items(key)
        if not all(
            isinstance(value, str) and _NAME.fullmatch(value) for value in values
        ):
            raise self.invalid(key)
        return tuple(values)
