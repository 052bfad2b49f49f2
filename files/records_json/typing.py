"""Which kind of JSON each column of a file becomes, and what a row is then.

Kinds are chosen once, when the file is checked, and kept: what was reviewed is what is
sent, whatever a list of fields says later.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring as quoted
from typing import Literal, get_args

from files.field import Field
from files.fields.matching import FieldIndex
from files.values.numbers import TYPES as NUMBERS
from files.values.rules import NULL

Kind = Literal["text", "int", "float", "boolean"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# The grammar of numbers in JSON (RFC 8259). Digits go out as they are written.
_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": "true", "1": "true", "false": "false", "0": "false"}


class NotTyped(ValueError):
    """A cell cannot become the kind of its column; the text says what it has to be."""

    def __init__(self, column: str, text: str, wanted: str) -> None:
        super().__init__(f"{column} takes {wanted}")
        self.column = column
        self.text = text


def kinds_of(names: Sequence[str], fields: Sequence[Field]) -> dict[str, Kind]:
    """Return the kind of each column that is not text, by its name.

    Where no fields are known everything is text.
    """
    index = FieldIndex(fields)
    kinds: dict[str, Kind] = {}
    for name in names:
        match = index.find(name)
        if match.field is None or match.is_relationship:
            continue
        if match.field.type == "boolean":
            kinds[name] = "boolean"
        elif match.field.type in NUMBERS:
            kinds[name] = "int" if match.field.type == "int" else "float"
    return kinds


@dataclass(frozen=True)
class Table:
    """How the rows below a header become records.

    `id_name` is the column whose cell is the record's id, "" for new records. A name
    with a dot, as `Account.external_id__c`, becomes a record within the record.
    `cleared` is the JSON that empties a field.
    """

    names: tuple[str, ...]
    kinds: dict[str, Kind]
    id_name: str = ""
    cleared: str = "null"

    def record(self, cells: Sequence[str]) -> str:
        """Return the record of a row as JSON text. Raises `NotTyped`.

        Blank cells are left out: their fields stay as they are.
        """
        members: list[str] = []
        nested: dict[str, list[str]] = {}
        for name, text in zip(self.names, cells, strict=True):
            if text == "":
                continue
            parent, dot, child = name.partition(".")
            if name == self.id_name:
                members.insert(0, f'"id":{quoted(text)}')
            elif dot:
                value = self.cleared if text == NULL else quoted(text)
                nested.setdefault(parent, []).append(f"{quoted(child)}:{value}")
            else:
                members.append(f"{quoted(name)}:{self._value(name, text)}")
        members += [
            f"{quoted(name)}:{{{','.join(all_)}}}" for name, all_ in nested.items()
        ]
        return f"{{{','.join(members)}}}"

    def wrong(self, cells: Sequence[str]) -> list[NotTyped]:
        """Return what is wrong with the cells of a row: see `record`."""
        found = []
        for name, text in zip(self.names, cells, strict=True):
            if text == "" or "." in name or name not in self.kinds:
                continue
            try:
                self._value(name, text)
            except NotTyped as error:
                found.append(error)
        return found

    def _value(self, name: str, text: str) -> str:
        if text == NULL:
            return self.cleared
        kind = self.kinds.get(name, "text")
        return quoted(text) if kind == "text" else _TYPED[kind](name, text)


def _int(name: str, text: str) -> str:
    if not _INT.fullmatch(text):
        raise NotTyped(name, text, "a whole number without leading zeros")
    return text


def _float(name: str, text: str) -> str:
    if not _FLOAT.fullmatch(text):
        raise NotTyped(name, text, "a number with a point for decimals")
    return text


def _boolean(name: str, text: str) -> str:
    word = _BOOLEANS.get(text.lower())
    if word is None:
        raise NotTyped(name, text, "true or false")
    return word


_TYPED: dict[Kind, Callable[[str, str], str]] = {
    "int": _int,
    "float": _float,
    "boolean": _boolean,
}
