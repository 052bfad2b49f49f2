"""Reading amp.yaml: which integrations a project has and what they may write."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from django.core.exceptions import ValidationError

from console.validators import validate_path_part

LARGEST = 1024 * 1024

# A real amp.yaml is seven levels deep, and has some hundred values for an integration.
DEEPEST = 50
MOST_VALUES = 50_000
MOST_INTEGRATIONS = 200
MOST_OBJECTS = 2_000
# Lines with a directive, as %YAML: libyaml compares each %TAG with all before it.
MOST_DIRECTIVES = 10
MOST_WARNINGS = 100

SPEC_VERSION = "1.0.0"
NAME = re.compile(r"[a-z0-9_-]{1,64}")
LONGEST_DISPLAY_NAME = 100
ACTIONS = ("read", "write", "proxy", "subscribe")

# What the columns of Integration and WriteObject hold.
LONGEST_NAME, LONGEST_PROVIDER, LONGEST_OBJECT = 100, 50, 200

# The base loader reads every scalar as text and knows no tags, so that nothing in a
# file can choose what is built. In C, where the wheel has it, it is 3 times as fast.
LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

KNOWN_KEYS = {
    "file": {"specVersion", "integrations"},
    "integration": {
        *("name", "provider", "displayName", "module"),
        *(*ACTIONS, "watchSchema"),
    },
    "write": {"objects"},
    "object": {"objectName", "inheritMapping", "valueDefaults"},
}


class ManifestInvalid(Exception):
    """The file cannot be read as an amp.yaml; the text says why, for the reader."""


@dataclass(frozen=True, kw_only=True)
class ManifestIntegration:
    """An integration of the file; `objects` are those that may be written."""

    name: str
    provider: str
    objects: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the file declares, and all that Ampersand would object to."""

    integrations: tuple[ManifestIntegration, ...]
    warnings: tuple[str, ...]


def read_manifest(content: bytes) -> Manifest:
    """Read an amp.yaml. What cannot be used is left out, with a warning.

    Raises `ManifestInvalid` when it is too large, holds more than an amp.yaml may, is
    not text, not YAML, or has no list of integrations.
    """
    fields = _mapping(_load(_text(content)))
    entries = fields.get("integrations")
    if not isinstance(entries, list):
        raise ManifestInvalid("This file has no “integrations” list.")
    if len(entries) > MOST_INTEGRATIONS:
        raise _too_many("integrations", MOST_INTEGRATIONS)
    _check_objects(entries)
    warnings = _unknown("file", fields, "The file")
    if fields.get("specVersion") != SPEC_VERSION:
        warnings.append(f"specVersion should be {SPEC_VERSION}.")
    integrations: dict[str, ManifestIntegration] = {}
    for number, entry in enumerate(entries, 1):
        integration = _integration(_mapping(entry), number, warnings)
        if integration is None:
            continue
        if integration.name in integrations:
            warnings.append(
                f"Integration “{integration.name}” occurs twice; the first is used."
            )
            continue
        integrations[integration.name] = integration
    return Manifest(
        integrations=tuple(integrations.values()), warnings=_first(warnings)
    )


def _too_many(what: str, most: int) -> ManifestInvalid:
    return ManifestInvalid(
        f"This file has more than {most:,} {what}, which is more than is read here. "
        "Nothing was added. Split it into several files."
    )


def _too_deep(line: int) -> ManifestInvalid:
    return ManifestInvalid(
        f"Line {line}: nested too deeply: more than {DEEPEST} levels. Nothing was "
        "added."
    )


def _check_objects(entries: list[Any]) -> None:
    """Refuse more objects that may be written than a project can be shown with."""
    count = 0
    for entry in entries:
        objects = _mapping(_mapping(entry).get("write")).get("objects")
        count += len(objects) if isinstance(objects, list) else 0
    if count > MOST_OBJECTS:
        raise _too_many("objects", MOST_OBJECTS)


def _first(warnings: list[str]) -> tuple[str, ...]:
    """Return the warnings, or the first of them and how many more there are."""
    rest = len(warnings) - MOST_WARNINGS
    more = [f"… and {rest:,} more."] if rest > 0 else []
    return (*warnings[:MOST_WARNINGS], *more)


def _text(content: bytes) -> str:
    if len(content) > LARGEST:
        raise ManifestInvalid("This file is larger than 1 MiB; an amp.yaml is smaller.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestInvalid("This file is not text in UTF-8.") from None


def _load(text: str) -> object:
    if len(re.findall("^%", text, re.MULTILINE)) > MOST_DIRECTIVES:
        raise _too_many("lines that begin with %", MOST_DIRECTIVES)
    try:
        _check_events(yaml.parse(text, Loader=LOADER))
        return yaml.load(text, Loader=LOADER)  # nosec B506 # noqa: S506 - builds only text
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if "nesting depth" in (error.problem or ""):
            # libyaml has a limit of its own.
            raise _too_deep(mark.line + 1 if mark else 0) from None
        where = f"Line {mark.line + 1}: " if mark else ""
        raise ManifestInvalid(
            f"{where}this is not valid YAML ({error.problem or error.context})."
        ) from None
    except yaml.YAMLError:
        raise ManifestInvalid("This file holds characters that YAML forbids.") from None


def _check_events(events: Iterable[yaml.Event]) -> None:
    """Refuse aliases, which can make a small file huge, and what is endless."""
    depth, values = 0, 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            raise ManifestInvalid(
                f"Line {line}: write the value out. Aliases (*) are not read here."
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise _too_deep(line)
        values += isinstance(event, yaml.NodeEvent)
        if values > MOST_VALUES:
            raise _too_many("values", MOST_VALUES)


def _integration(
    fields: dict[str, Any], number: int, warnings: list[str]
) -> ManifestIntegration | None:
    name = _word(fields.get("name"), LONGEST_NAME)
    if not name:
        warnings.append(f"Integration {number} is left out: it has no usable name.")
        return None
    label = f"Integration “{name}”"
    provider = _word(fields.get("provider"), LONGEST_PROVIDER)
    warnings += _unknown("integration", fields, label)
    warnings += _about_integration(fields, name, provider, label)
    objects = _objects(fields["write"], label, warnings) if "write" in fields else ()
    return ManifestIntegration(name=name, provider=provider, objects=objects)


def _about_integration(
    fields: dict[str, Any], name: str, provider: str, label: str
) -> list[str]:
    """Return what is wrong with an integration, its objects aside."""
    found = []
    if not NAME.fullmatch(name):
        found.append(
            f"{label}: Ampersand wants names of up to 64 lower-case letters, digits, "
            "“-” and “_”."
        )
    if len(str(fields.get("displayName", ""))) > LONGEST_DISPLAY_NAME:
        found.append(f"{label}: displayName is longer than 100 characters.")
    if not provider:
        found.append(f"{label} names no provider.")
    elif provider != "salesforce":
        found.append(f"{label}: CSV upserts work with the provider salesforce only.")
    if not any(action in fields for action in ACTIONS):
        found.append(f"{label} has no action: read, write, proxy or subscribe.")
    elif "write" not in fields:
        found.append(f"{label} has no write section, so nothing can be written.")
    return found


def _objects(write: object, label: str, warnings: list[str]) -> tuple[str, ...]:
    fields = _mapping(write)
    warnings += _unknown("write", fields, f"{label}, write")
    entries = fields.get("objects")
    if not isinstance(entries, list) or not entries:
        warnings.append(f"{label}: write.objects is empty.")
        return ()
    names: Counter[str] = Counter()
    for number, entry in enumerate(entries, 1):
        name = _word(_mapping(entry).get("objectName"), LONGEST_OBJECT)
        if not name:
            warnings.append(
                f"{label}: object {number} is left out: it has no usable objectName."
            )
            continue
        names[name] += 1
        warnings += _unknown("object", _mapping(entry), f"{label}, object “{name}”")
    warnings += [
        f"{label}: object “{name}” occurs {count} times."
        for name, count in names.items()
        if count > 1
    ]
    return tuple(names)


def _unknown(level: str, fields: dict[str, Any], label: str) -> list[str]:
    unknown = [str(key)[:100] for key in fields if key not in KNOWN_KEYS[level]]
    return [f"{label}: Ampersand ignores the unknown key “{key}”." for key in unknown]


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _word(value: object, longest: int) -> str:
    """Return a text that fits its column and an address, otherwise ""."""
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        return ""
    try:
        validate_path_part(value)
    except ValidationError:
        return ""
    return value
