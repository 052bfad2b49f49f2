"""A log entry for people to read: its text, and the JSON in it set apart."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from console.templatetags.console import as_json
from operations.models import LogEntry
from operations.outcome.row_failures import DEEPEST, unfolded

# What is longer is cut; the entry has a page of its own, with all of it.
LONGEST_DOCUMENT = 4_000
LONGEST_RAW = 20_000
# What takes no more room than a few lines is shown at once.
SHORT = 1_200
MOST_DOCUMENTS = 10
# A text of brackets must not be tried at each of them.
MOST_TRIES = 20

IN_MESSAGE = "JSON in the message"
SECRET = re.compile(
    r"(?i)(x-)?api[-_]?key|authorization|password|((client|access|refresh)[-_]?)?"
    r"(secret|token)"
)
_decoder = json.JSONDecoder()


@dataclass(frozen=True)
class Document:
    """JSON of an entry, set out in lines; `size` counts the characters of all of it."""

    name: str
    text: str
    size: int

    @property
    def is_cut(self) -> bool:
        """Whether only the beginning is there."""
        return len(self.text) < self.size

    @property
    def is_short(self) -> bool:
        """Whether it needs no unfolding."""
        return self.size <= SHORT


@dataclass(frozen=True)
class LogLine:
    """What the table of a log shows of an entry: untrusted text, never HTML.

    `text` has "{…}" where JSON stood, which is in `documents`; `raw` is all of it.
    """

    text: str
    documents: list[Document]
    raw: Document


def log_line(entry: LogEntry, *, whole: bool = False) -> LogLine:
    """Return `entry` for people to read; without cuts if it is to be `whole`."""
    text, found = _apart(entry.text)
    error_text, in_error = _apart(entry.error)
    named = [(IN_MESSAGE, value) for value in (*found, *in_error)]
    named += [each for each in _packed(entry.raw) if each[1] not in found]
    longest = None if whole else LONGEST_DOCUMENT
    documents = [_document(name, value, longest) for name, value in named]
    return LogLine(
        text,
        documents if whole else documents[:MOST_DOCUMENTS],
        _document("", entry.raw, None if whole else LONGEST_RAW),
    )


def masked(value: Any, depth: int = 0) -> Any:
    """Return `value` without what stands under the name of a secret."""
    if depth > DEEPEST:
        return value
    if isinstance(value, dict):
        return {
            name: "••••" if SECRET.fullmatch(name) else masked(item, depth + 1)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [masked(item, depth + 1) for item in value]
    return value


def _document(name: str, value: Any, longest: int | None) -> Document:
    text = as_json(masked(unfolded(value)))
    return Document(name, text[:longest], len(text))


def _apart(text: str) -> tuple[str, list[Any]]:
    """Return `text` with "{…}" in place of the JSON in it, and what that holds."""
    kept, found, place = [], [], 0
    starts = re.finditer(r"[{\[]", text)
    for _, start in zip(range(MOST_TRIES), starts, strict=False):
        if start.start() < place:
            continue
        try:
            value, end = _decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            continue
        if _is_document(value):
            kept.append(f"{text[place : start.start()]}{{…}}")
            found.append(value)
            place = end
    return "".join((*kept, text[place:])), found


def _is_document(value: Any) -> bool:
    """Tell `{"a": 1}` from `[403]`, which is part of a sentence."""
    if isinstance(value, list):
        return any(isinstance(item, dict) for item in value)
    return bool(value)


def _packed(value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the JSON that an entry holds inside of texts, and `failureDetails`."""
    if depth > DEEPEST:
        return
    if isinstance(value, list):
        for item in value:
            yield from _packed(item, depth + 1)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        opened = unfolded(item, DEEPEST) if isinstance(item, str) else item
        if (isinstance(item, str) and opened != item) or name == "failureDetails":
            if opened and _is_document(opened):
                yield name, opened
        else:
            yield from _packed(item, depth + 1)
