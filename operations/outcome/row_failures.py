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

from files.rows.row_errors import take_apart
from operations.outcome.salesforce_errors import Explanation, explanation_of

KINDS = {"failedUpdates": "update", "failedCreates": "create"}

# An entry nested deeper than this was not meant to be read by anybody.
DEEPEST = 8
LONGEST_ERROR = 2_000
LONGEST_KEY = 255

# All codes of rows have an underscore; "Error:" and "HTTP:" are none.
ROW_CODE = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+:"
ROW_ERROR = re.compile(rf"(?:^|[\s:;,(])({ROW_CODE}.*--)$", re.DOTALL)
BETWEEN_ERRORS = re.compile(rf"(?<=--)[\s;,]+(?={ROW_CODE})")


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

    The grammar stands in `files.rows.row_errors`. Job-level errors read
    `Code : message`. Any other text is a message without a code.
    """
    return RowError(*take_apart(text))


def loose_errors(raws: Iterable[Any]) -> list[str]:
    """Return the errors in log entries, given as they came, that name no keys.

    Those are row errors on a line of their own (`CODE:message:Fields --`, several may
    stand in one text) and whatever else an entry calls its `error`. A text counts once
    in an entry; one that also stands over a group of keys is told already.
    """
    raws = list(raws)
    told = {group.error for group in failure_groups(raws)}
    found: list[str] = []
    for raw in raws:
        texts = dict.fromkeys(
            error for name, text in _texts(raw) for error in _errors(name, text)
        )
        found += [text for text in texts if text not in told]
    return found


def _errors(name: str, text: str) -> list[str]:
    """Return the row errors in a text; the text itself where it is an error at all."""
    pieces = BETWEEN_ERRORS.split(text.rstrip())
    matches = (ROW_ERROR.search(piece) for piece in pieces if piece.endswith("--"))
    found = [match[1][:LONGEST_ERROR] for match in matches if match]
    if found or name != "error" or not text.strip():
        return found
    return [text.strip()[:LONGEST_ERROR]]


def _texts(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield every text outside the reports of failed rows, and the name it has."""
    if depth > DEEPEST:
        return
    value = _unpacked(value)
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, dict) and not value.keys() & KINDS.keys():
        for inner, item in value.items():
            yield from _texts(item, inner, depth + 1)


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


def unfolded(value: Any, depth: int = 0) -> Any:
    """Return `value` with the JSON inside its texts as JSON, for people to read."""
    if depth > DEEPEST:
        return value
    value = _unpacked(value)
    if isinstance(value, dict):
        return {name: unfolded(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return [unfolded(item, depth + 1) for item in value]
    return value


def _unpacked(value: Any) -> Any:
    """Return the JSON inside a string that looks like an object or a list."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
