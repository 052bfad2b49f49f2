"""The fields of one record: rows of name, type and value, or JSON text.

The page has two views of the same record. Both are read here and nowhere else, so
that what is reviewed is what was typed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.http import QueryDict

from files.field import Field

# The grammar of a number in JSON (RFC 8259).
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# NUL, which PostgreSQL takes in no text, and halves of surrogate pairs.
_UNFIT = re.compile("[\0\ud800-\udfff]")
TYPES = {
    "auto": "Auto",
    "text": "Text",
    "number": "Number",
    "boolean": "True/false",
    "null": "Null (clear)",
}
# All that some program or other breaks lines at.
LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
# More rows would make a form of more fields than Django takes.
MOST_ROWS = 300
# Of a record in JSON, nested ones and names included.
MOST_VALUES = 10_000
DEEPEST = 50


class NotFlat(Exception):
    """Rows cannot show the record; the message says why, in words."""


class InvalidRecord(Exception):
    """The text is no record; the message says why, in words, `code` for programs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class FieldRow:
    """One row of the form, as typed. `error` is what is wrong with it, in words.

    `known` is the field that it names, where there is a list (`record_offer`), `kind`
    how that is written, and `choices` are its values, where there are few.
    """

    name: str = ""
    type: str = "text"
    value: str = ""
    error: str = ""
    warnings: list[str] = field(default_factory=list)
    known: Field | None = None
    kind: str = "text"
    choices: list[str] = field(default_factory=list)
    # What the customer's installation does with it of its own accord, in words.
    settings: list[str] = field(default_factory=list)
    # Whether a line end behind the one line of the value was left out.
    is_cut: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed: such rows are passed over."""
        if self.value or self.type == "null":
            return False
        # A field that is offered is left out until it has a value.
        return not self.name.strip() or self.type == "auto"


def read_rows(post: QueryDict) -> list[FieldRow]:
    """Return the rows of a submitted form, in order, blank ones included."""
    names = post.getlist("field_name")
    types = post.getlist("field_type")
    values = post.getlist("field_value")
    return [
        _row_typed(
            name,
            types[index] if index < len(types) else "text",
            values[index] if index < len(values) else "",
        )
        for index, name in enumerate(names)
    ]


def _row_typed(name: str, kind: str, text: str) -> FieldRow:
    """Return a row without the line end that Enter, or a copied cell, left behind.

    A value of one line has none: nobody would see it, and a CRM would keep it.
    """
    # Browsers send every line end of a text area as CRLF.
    text = text.replace("\r\n", "\n")
    line = text.rstrip(LINE_ENDS)
    if any(end in line for end in LINE_ENDS):
        return FieldRow(name, kind, text)
    return FieldRow(name, kind, line, is_cut=line != text)


def names_with_lines(record: Mapping[str, Any]) -> list[str]:
    """Return the names of the fields whose values have line ends."""
    return [
        name
        for name, value in record.items()
        if isinstance(value, str) and any(end in value for end in LINE_ENDS)
    ]


def record_from_rows(rows: list[FieldRow]) -> dict[str, Any]:
    """Return the record that the rows say; set `error` on each row that is wrong.

    Rows with an error are left out, so look at the errors before using the record.
    """
    record: dict[str, Any] = {}
    seen: set[str] = set()
    for row in rows:
        if row.is_blank:
            continue
        try:
            name = _name(row.name.strip(), seen)
            record[name] = _whole(_value(row))
        except InvalidRecord as error:
            row.error = str(error)
    return record


def _name(name: str, seen: set[str]) -> str:
    if not name:
        raise InvalidRecord("no-name", "This value has no field name.")
    if name.casefold() in seen:
        raise InvalidRecord(
            "twice",
            f"“{name}” is here twice. Salesforce ignores upper and lower case.",
        )
    seen.add(name.casefold())
    return str(_whole(name))


def _whole(value: Any, depth: int = 0) -> Any:
    """Return `value`, if all of it can be stored and sent. Raises `InvalidRecord`."""
    if isinstance(value, str):
        if _UNFIT.search(value):
            raise InvalidRecord(
                "text",
                "This contains a NUL character or half of a surrogate pair, which "
                "cannot be sent.",
            )
    elif depth > DEEPEST:
        raise InvalidRecord("too-deep", "This JSON is nested too deeply.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _whole(name)
            _whole(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _whole(inner, depth + 1)
    return value


def _value(row: FieldRow) -> Any:
    kind = row.kind if row.type == "auto" else row.type
    if kind == "text":
        return row.value
    if kind == "null":
        if row.value:
            raise InvalidRecord("null", "Null clears the field: leave the value empty.")
        return None
    if kind == "boolean":
        word = row.value.strip().lower()
        if word not in ("true", "false"):
            raise InvalidRecord("boolean", "Write true or false.")
        return word == "true"
    if kind == "number":
        return number(row.value.strip())
    raise InvalidRecord("type", "This type is not known.")


def number(text: str) -> int | float:
    """Return the number that `text` writes in JSON. Raises `InvalidRecord`.

    A number that would not arrive as it was typed is refused rather than rounded.
    """
    if not _NUMBER.fullmatch(text):
        raise InvalidRecord(
            "number",
            "This is not a JSON number: use digits, a point for decimals and no "
            "thousands separators.",
        )
    if len(text) > 400:
        raise InvalidRecord("too-long", "This number is too long.")
    if re.fullmatch(r"-?[0-9]+", text):
        return int(text)
    value = float(text)
    try:
        exact = Decimal(text) == Decimal(repr(value))
    except InvalidOperation:
        exact = False
    if not exact:
        raise InvalidRecord(
            "not-exact",
            "This number has more digits than can be sent exactly. Send it as text.",
        )
    return value


def rows_from_record(record: Mapping[str, Any]) -> list[FieldRow]:
    """Return the rows that say `record`. Raises `NotFlat` for what they cannot show."""
    if len(record) > MOST_ROWS:
        raise NotFlat(f"This record has over {MOST_ROWS} fields: JSON can show them.")
    return [_row(name, value) for name, value in record.items()]


def _row(name: str, value: Any) -> FieldRow:
    # A browser changes these: no line in a name comes back, and no CR by itself.
    # And none behind a value of one line, which `read_rows` leaves out.
    if not name.isprintable() or (isinstance(value, str) and _changes(value)):
        raise NotFlat("This record has line breaks that only JSON can show.")
    if value is None:
        return FieldRow(name, "null")
    if isinstance(value, bool):
        return FieldRow(name, "boolean", "true" if value else "false")
    if isinstance(value, int | float):
        return FieldRow(name, "number", json.dumps(value))
    if isinstance(value, str):
        return FieldRow(name, "text", value)
    raise NotFlat("This record has lists or objects, which only JSON can show.")


def _changes(value: str) -> bool:
    return "\r" in value or _row_typed("", "text", value).is_cut


def record_from_json(text: str) -> dict[str, Any]:
    """Return the record that a JSON text says. Raises `InvalidRecord`, in words."""
    try:
        record = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=number,
            parse_int=number,
            parse_constant=_not_a_number,
        )
    except json.JSONDecodeError as error:
        raise InvalidRecord(
            "not-json",
            f"This is not JSON: line {error.lineno}, column {error.colno}: "
            f"{error.msg}.",
        ) from None
    except RecursionError:
        raise InvalidRecord("too-deep", "This JSON is nested too deeply.") from None
    if not isinstance(record, dict):
        raise InvalidRecord("no-object", "A record is a JSON object: { … }.")
    _need_few(record)
    return dict(_whole(record))


def _need_few(record: dict[str, Any]) -> None:
    """Refuse more values than any record has: a page would have to show them all."""
    count = 0
    inner: list[Any] = [record]
    while inner:
        value = inner.pop()
        count += len(value)
        if count > MOST_VALUES:
            raise _too_many()
        values = value.values() if isinstance(value, dict) else value
        inner += [each for each in values if isinstance(each, dict | list)]


def _too_many() -> InvalidRecord:
    return InvalidRecord(
        "too-many", f"This record has more than {MOST_VALUES:,} values. Send fewer."
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_VALUES:
        raise _too_many()
    seen: set[str] = set()
    for name, _ in pairs:
        if _whole(name) != name.strip():
            raise InvalidRecord(
                "spaces", f"The name “{name}” has leading or trailing spaces."
            )
        _name(name, seen)
    return dict(pairs)


def _not_a_number(word: str) -> Any:
    raise InvalidRecord("number", f"{word} is not a valid JSON number.")


def json_from_record(record: Mapping[str, Any]) -> str:
    """Return the record as the JSON view shows it."""
    return json.dumps(record, indent=2, ensure_ascii=False)
