r"""A field list as lines for people to write, one field a line.

    Name                                     a text without a limit
    CloseDate "Close date": date required
    Amount: currency(16,2)                   digits before and after the point
    Code__c: string(80) external
    tier__c: picklist restricted = Gold | Silver | Bronze
    AccountId: reference:Account             relationship columns begin Account.
    WhoId: reference:Contact,Lead
    Boss__c: reference:Contact via Boss_Of__r
    # a comment

The flags are in `FLAGS`. In values and labels a backslash stands before a |, a " and a
backslash; \n is a line end, and \s a space at the beginning or end of a value, where it
would not count otherwise.
"""

import re
from collections.abc import Sequence
from typing import get_args

from files.field import Field, Type
from files.fields.describe import TEXTS
from files.fields.invalid_fields import (
    InvalidFields,
    first_repeated,
    need_no_more,
    need_size,
    storable,
)
from files.lines import text_lines
from files.shown import shown
from files.values.numbers import TYPES as NUMBERS

# "unique" is what people know of External IDs; no check needs it, so it is not kept.
FLAGS = (
    "required",
    "readonly",
    "createonly",
    "updateonly",
    "external",
    "unique",
    "restricted",
)
TYPES: tuple[Type, ...] = get_args(Type)

_LINE = re.compile(
    # Possessive, and the blanks before a label are looked at from behind: otherwise a
    # long run of blanks would be tried from each of them.
    r'(?P<name>[^:="|]++)(?:(?<=[ \t])"(?P<label>(?:[^"\\]|\\.)*+)")?'
    r"[ \t]*(?::[ \t]*(?P<is>.*))?"
)
_IS = re.compile(
    r"(?P<type>\w+)(?::(?P<targets>\w+(?:,\w+)*))?"
    r"(?:\((?P<length>[0-9]{1,9})(?:,\s*(?P<scale>[0-9]{1,9}))?\))?"
    r"(?P<flags>(?:[ \t]+\w+)*?)(?:[ \t]+via[ \t]+(?P<via>\w+|-))?"
    r"[ \t]*(?:=(?P<values>.*))?"
)
_BLANKS = " \t"
_VALUE = re.compile(r"(?:[^|\\]|\\.)+")
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MEANT = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
_ESCAPED = re.compile(r"\\(.)")


def from_lines(text: str) -> list[Field]:
    """Return the fields that lines declare. Raises `InvalidFields` for all lines."""
    fields: list[Field] = []
    numbers: list[int] = []
    problems: list[str] = []
    for number, line in enumerate(text_lines(text), start=1):
        line = line.strip(_BLANKS)
        if not line or line.startswith("#"):
            continue
        need_no_more(len(fields) + len(problems) + 1)
        try:
            fields.append(_field(line))
            numbers.append(number)
        except InvalidFields as error:
            problems.append(f"Line {number:,}: {error}")
    repeated = first_repeated([field.name for field in fields])
    if repeated is not None:
        name = fields[repeated].name
        problems.append(
            f"Line {numbers[repeated]:,}: {shown(name)} is there already. Remove one."
        )
    if problems:
        raise InvalidFields(problems)
    need_size(fields)
    return fields


def as_lines(fields: Sequence[Field]) -> str:
    """Return the fields as lines that `from_lines` reads to the same fields."""
    return "".join(f"{_line(field)}\n" for field in fields)


def usual_relationship(name: str) -> str:
    """Return what Salesforce calls the relationship of a reference field."""
    if name.lower().endswith("__c"):
        return f"{name[:-1]}r"
    return name.removesuffix("Id") if name != "Id" else ""


def _field(line: str) -> Field:
    match = _LINE.fullmatch(storable(line, "It"))
    if match is None:
        raise InvalidFields(["A field is written as Name: type flags = values."])
    name, label = match["name"].strip(_BLANKS), _plain(match["label"] or "")
    if match["is"] is None:
        return Field(name=name, label=label)
    found = _IS.fullmatch(match["is"])
    if found is None:
        raise InvalidFields(
            [f"{shown(match['is'])} cannot be read. Write it as string(80) external."]
        )
    return _declared(name, label, found)


def _declared(name: str, label: str, found: re.Match[str]) -> Field:
    type_ = next((each for each in TYPES if each == found["type"]), None)
    if type_ is None:
        raise InvalidFields(
            [f"{shown(found['type'])} is not a type. Types: {', '.join(TYPES)}."]
        )
    flags = found["flags"].split()
    for flag in flags:
        if flag not in FLAGS:
            raise InvalidFields(
                [f"{shown(flag)} is not a flag. Flags: {', '.join(FLAGS)}."]
            )
    _check_parts(type_, found)
    length, scale = int(found["length"] or 0), int(found["scale"] or 0)
    is_number = type_ in NUMBERS
    return Field(
        name=name,
        label=label,
        type=type_,
        length=0 if is_number else length,
        digits=length if is_number else 0,
        scale=scale,
        is_required="required" in flags,
        is_creatable=not {"readonly", "updateonly"} & set(flags),
        is_updateable=not {"readonly", "createonly"} & set(flags),
        is_external_id="external" in flags,
        is_restricted="restricted" in flags,
        values=_values(found["values"] or ""),
        relationship=_relationship(name, type_, found["via"] or ""),
        references=tuple((found["targets"] or "").split(","))
        if found["targets"]
        else (),
    )


def _check_parts(type_: Type, found: re.Match[str]) -> None:
    """Refuse what means nothing for the type, rather than ignore it."""
    if found["length"] and type_ not in TEXTS and type_ not in NUMBERS:
        raise InvalidFields([f"A {type_} has no length. Remove the brackets."])
    if found["scale"] and type_ not in ("double", "currency", "percent"):
        raise InvalidFields([f"A {type_} has no digits after a point."])
    if (found["targets"] or found["via"]) and type_ != "reference":
        raise InvalidFields([f"Only a reference names another object, not a {type_}."])
    if found["values"] and type_ not in ("picklist", "multipicklist"):
        raise InvalidFields([f"Only picklists have values, not a {type_}."])


def _relationship(name: str, type_: Type, via: str) -> str:
    if type_ != "reference" or via == "-":
        return ""
    return via or usual_relationship(name)


def _values(text: str) -> tuple[str, ...]:
    values = (_plain(value.strip(_BLANKS)) for value in _VALUE.findall(text))
    return tuple(value for value in values if value)


def _line(field: Field) -> str:
    label = f' "{_escaped(field.label, quote=True)}"' if field.label else ""
    flags = "".join(f" {flag}" for flag in _flags(field))
    values = " | ".join(_escaped(value) for value in field.values)
    return (
        f"{field.name}{label}: {field.type}{_targets(field)}{_size(field)}{flags}"
        f"{_via(field)}{f' = {values}' if values else ''}"
    )


def _targets(field: Field) -> str:
    return f":{','.join(field.references)}" if field.references else ""


def _size(field: Field) -> str:
    if field.type in NUMBERS and (field.digits or field.scale):
        scale = "" if field.type == "int" else f",{field.scale}"
        return f"({field.digits}{scale})"
    return f"({field.length})" if field.length else ""


def _flags(field: Field) -> list[str]:
    flags = ["required"] if field.is_required else []
    if field.is_read_only:
        flags.append("readonly")
    elif not field.is_updateable:
        flags.append("createonly")
    elif not field.is_creatable:
        flags.append("updateonly")
    flags += ["external"] if field.is_external_id else []
    return flags + (["restricted"] if field.is_restricted else [])


def _via(field: Field) -> str:
    if field.type != "reference":
        return ""
    if field.relationship == usual_relationship(field.name):
        return ""
    return f" via {field.relationship or '-'}"


def _escaped(text: str, *, quote: bool = False) -> str:
    for char, escaped in _ESCAPES.items():
        text = text.replace(char, escaped)
    if quote:
        return text.replace('"', '\\"')
    text = text.replace("|", "\\|")
    if text.startswith(" "):
        text = "\\s" + text[1:]
    return text[:-1] + "\\s" if text.endswith(" ") else text


def _plain(text: str) -> str:
    return _ESCAPED.sub(lambda match: _MEANT.get(match[1], match[1]), text)
