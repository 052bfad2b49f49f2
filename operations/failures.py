"""Which rows failed and why, read out of log entries; pure, and safe with any input.

Ampersand's Salesforce connector reports failed rows by the value of their key, grouped
by error text: `{"failureType": "Partial", "failedUpdates": {text: [keys]},
"failedCreates": {text: [keys]}}` (amp-labs/connectors, providers/salesforce/bulk*.go).
Where in an entry it stands is not documented, and `details` maps texts to texts, so it
may come as JSON inside a string.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from operations.explanations import Explanation, explanation_of

KINDS = {"failedUpdates": "update", "failedCreates": "create"}

# An entry nested deeper than this was not meant to be read by anybody.
DEEPEST = 8
LONGEST_ERROR = 2_000
LONGEST_KEY = 255

CODE = re.compile(r"[A-Z][A-Z0-9_]{2,60}|[A-Z][A-Za-z]{2,40}")


@dataclass(frozen=True)
class RowError:
    """An error text taken apart: `code` and `fields` are empty where it names none."""

    code: str
    message: str
    fields: tuple[str, ...] = ()

    @property
    def explanation(self) -> Explanation | None:
        """What it means in plain words, for the codes that we know."""
        return explanation_of(self.code, self.message)


@dataclass(frozen=True)
class FailureGroup:
    """The rows that failed with one error text, by their keys in the order told.

    `kind` is "create" or "update": what the row would have done.
    """

    kind: str
    error: str
    keys: tuple[str, ...]

    @property
    def parsed(self) -> RowError:
        """The error text taken apart."""
        return parse_error(self.error)


def failure_groups(raws: Iterable[Any]) -> list[FailureGroup]:
    """Return what log entries, given as they came, tell of failed rows.

    Largest group first. The same report in two entries counts once.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    seen: set[str] = set()
    for raw in raws:
        for report in _reports(raw):
            text = json.dumps(report, sort_keys=True, default=str)
            if text not in seen:
                seen.add(text)
                _collect(report, groups)
    found = [FailureGroup(*name, tuple(keys)) for name, keys in groups.items()]
    return sorted(found, key=lambda group: -len(group.keys))


def parse_error(text: str) -> RowError:
    """Take `CODE:message:Field1,Field2 --` apart; fields may be missing.

    The grammar is Salesforce's `sf__Error` of failed results (Bulk API 2.0). Job-level
    errors read `Code : message`. Any other text is a message without a code.
    """
    code, colon, rest = text.partition(":")
    code = code.strip()
    if not colon or not CODE.fullmatch(code):
        return RowError("", text.strip())
    rest = rest.strip()
    if not rest.endswith("--"):
        return RowError(code, rest)
    message, colon, names = rest[:-2].rpartition(":")
    if not colon:
        return RowError(code, names.strip())
    fields = tuple(name.strip() for name in names.split(",") if name.strip())
    return RowError(code, message.strip(), fields)


def _reports(value: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > DEEPEST:
        return
    value = _unpacked(value)
    if isinstance(value, dict):
        if value.keys() & KINDS.keys():
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _reports(item, depth + 1)


def _collect(report: dict[str, Any], groups: dict[tuple[str, str], list[str]]) -> None:
    for name, kind in KINDS.items():
        by_error = _unpacked(report.get(name))
        if not isinstance(by_error, dict):
            continue
        for error, keys in by_error.items():
            group = groups.setdefault((kind, error[:LONGEST_ERROR]), [])
            group.extend(_keys(keys))


def _keys(value: Any) -> list[str]:
    value = _unpacked(value)
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [_text(item)[:LONGEST_KEY] for item in items]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unpacked(value: Any) -> Any:
    """Return the JSON inside a string that looks like an object or a list."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
