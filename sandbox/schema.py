"""The objects and fields of the sandbox's Salesforce, read from fields.yaml."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FIELD = re.compile(
    r"(?P<type>\w+)(?::(?P<target>\w+))?"
    r"(?:\((?P<length>\d+)(?:,(?P<scale>\d+))?\))?"
    r"(?P<flags>(?: \w+)*)(?: = (?P<values>.+))?"
)

DEFAULT_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    `length` counts characters for text and digits before the decimal point for
    numbers, `scale` those after it; `target` is the object a reference points to, for
    example Account.
    """

    name: str
    type: str
    length: int = DEFAULT_LENGTH
    scale: int = 0
    target: str = ""
    values: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """What error texts call the field: its name in words."""
        return re.sub(r"__c$", "", self.name).replace("_", " ").strip()

    @property
    def is_key(self) -> bool:
        """Whether an upsert may match records by this field."""
        return self.type == "id" or "external" in self.flags

    @property
    def relationship(self) -> str:
        """What a column with a foreign External ID starts with, as in Account.X__c."""
        if self.name.endswith("__c"):
            return f"{self.name[:-1]}r"
        return self.name.removesuffix("Id")


@dataclass(frozen=True, slots=True)
class SObject:
    """One object; `fields` is keyed by lower-case name, as names ignore case."""

    key: str
    name: str
    prefix: str
    fields: dict[str, Field] = field(default_factory=dict)

    def field(self, name: str) -> Field | None:
        """The field of that name in any case, or None."""
        return self.fields.get(name.lower())

    def related(self, column: str) -> tuple[Field, Field] | None:
        """The reference and the foreign key field a column like Account.X__c names."""
        relationship, dot, foreign = column.lower().partition(".")
        for reference in self.fields.values() if dot else ():
            if not reference.target or reference.relationship.lower() != relationship:
                continue
            target = find(reference.target)
            key = target.field(foreign) if target else None
            return (reference, key) if key and "external" in key.flags else None
        return None

    @property
    def external_ids(self) -> list[Field]:
        """The fields records are found by, besides Id."""
        return [each for each in self.fields.values() if "external" in each.flags]

    @property
    def required(self) -> list[Field]:
        """The fields every record must have."""
        return [each for each in self.fields.values() if "required" in each.flags]


def find(name: str) -> SObject | None:
    """The object of that name in any case, or None; fault_…__c objects all exist."""
    return _objects().get(name.lower()) or _fault_object(name.lower())


def _parse(name: str, text: str) -> Field:
    match = _FIELD.fullmatch(text)
    if match is None:
        raise ValueError(f"fields.yaml: {name}: cannot read {text!r}")
    values = (match["values"] or "").split("|")
    return Field(
        name=name,
        type=match["type"],
        length=int(match["length"] or DEFAULT_LENGTH),
        scale=int(match["scale"] or 0),
        target=match["target"] or "",
        values=tuple(value.strip() for value in values if value.strip()),
        flags=frozenset(match["flags"].split()),
    )


@cache
def _document() -> dict[str, Any]:
    text = Path(__file__).with_name("fields.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document


def _build(key: str, description: dict[str, Any]) -> SObject:
    texts = {"Id": "id", **description["fields"], **_document()["_system"]}
    fields = {name.lower(): _parse(name, text) for name, text in texts.items()}
    return SObject(key, description.get("name", key), description["prefix"], fields)


@cache
def _objects() -> dict[str, SObject]:
    return {
        key: _build(key, description)
        for key, description in _document().items()
        if not key.startswith("_")
    }


@cache
def _fault_object(key: str) -> SObject | None:
    if not (key.startswith("fault_") and key.endswith("__c")):
        return None
    return _build(key, _document()["_fault"])
