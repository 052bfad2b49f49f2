"""Which rows share their key with another, exactly or but for how it is spelled."""

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple, Protocol

import numpy as np

from files import unseen
from files.checking.purposes import WORDS, Purpose
from files.findings import Origin
from files.shown import shown
from files.values import record_ids
from files.values.problems import Problem

ROWS_LISTED = 10
CHARACTERS_LISTED = 3

Fold = Callable[[str], str]


def fold_text(text: str) -> str:
    """Return what keys have in common that look alike, but for their case."""
    if text.isascii():
        return text.lower()
    # One character may be written as several: an é as an e and an accent.
    return unicodedata.normalize("NFKC", unseen.without(text)).lower()


def fold_id(text: str) -> str:
    """Return what the ids of one record have in common: their first 15 characters.

    Their case counts; the other three only tell it once more.
    """
    is_long = len(text) == max(record_ids.LENGTHS) and record_ids.has_shape(text)
    return text[: min(record_ids.LENGTHS)] if is_long else text


class Keys(Protocol):
    """The keys of a table, row by row."""

    fold: Fold

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Remember the keys of some rows, in row order."""

    def shared(self) -> Mapping[str, Sequence[int]]:
        """Return the rows, ascending, of each key that is like another one folded."""


class SharedKey(NamedTuple):
    """A key that is not its row's alone: its rows, ascending, and what is wrong."""

    text: str
    rows: Sequence[int]
    problem: Problem


class KeyTexts:
    """Keys kept as they are: what the exact path uses."""

    def __init__(self, fold: Fold) -> None:
        self.fold = fold
        self._first: dict[str, int] = {}
        self._again: defaultdict[str, list[int]] = defaultdict(list)

    def add(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        """Remember the keys of some rows, in row order."""
        first = self._first
        for row, text in zip(rows, texts, strict=True):
            if first.setdefault(text, row) != row:
                self._again[text].append(row)

    def shared(self) -> dict[str, list[int]]:
        """Return the rows of each key that is like another one when folded."""
        fold, first = self.fold, self._first
        hashes = np.fromiter((hash(fold(t)) for t in first), np.int64, len(first))
        hashes.sort()
        twins = set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())
        return {
            text: [row, *self._again.get(text, ())]
            for text, row in first.items()
            if text in self._again or (twins and hash(fold(text)) in twins)
        }


def key_problems(
    shared: Mapping[str, Sequence[int]],
    fold: Fold,
    name: str,
    origin: Origin | None,
    purpose: Purpose = "upsert",
) -> list[SharedKey]:
    """Return what is wrong with keys that are not one row's alone: repeated ones first.

    `shared` may hold keys that are like no other: they are passed over. The rows in
    messages are those of `origin`.
    """
    found: list[SharedKey] = []
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for text in sorted(shared, key=lambda text: shared[text][0]):
        spellings[fold(text)].append(text)
        rows = shared[text]
        if len(rows) > 1:
            problem = _repeated(name, text, _numbers(rows, origin), purpose)
            found.append(SharedKey(text, rows, problem))
    for texts in spellings.values():
        if len(texts) == 1:
            continue
        firsts = [shared[text][0] for text in texts]
        problem = _told(fold, name, texts, firsts, origin, purpose)
        found += [SharedKey(text, shared[text], problem) for text in texts]
    return found


def nth_row(keys: Sequence[SharedKey], number: int) -> int | None:
    """Return the row of so many that stands last, None where there are not as many."""
    if sum(len(key.rows) for key in keys) <= number:
        return None
    rows = np.fromiter(chain.from_iterable(key.rows for key in keys), np.int64)
    return int(np.partition(rows, number - 1)[number - 1])


def _repeated(name: str, text: str, numbers: str, purpose: Purpose) -> Problem:
    message = f"{name} {shown(text)} is in rows {numbers}. {WORDS[purpose].repeated}"
    return Problem("blocks", "repeated-key", message)


def _told(
    fold: Fold,
    name: str,
    texts: list[str],
    rows: list[int],
    origin: Origin | None,
    purpose: Purpose,
) -> Problem:
    """Return what is to be said of spellings of one key, each with its first row."""
    listed = ", ".join(
        f"{shown(text)} (row {_number(row, origin)})"
        for text, row in zip(texts[:ROWS_LISTED], rows, strict=False)
    )
    listed += _more(len(texts))
    if fold is fold_id:
        message = (
            f"{name} {listed} are ids of the same record, with and without the last "
            f"three characters. {WORDS[purpose].repeated}"
        )
        return Problem("blocks", "repeated-key", message)
    if len({text.lower() for text in texts}) == 1:
        message = (
            f"{name} {listed} differ only by upper and lower case. Salesforce usually "
            "treats them as one; keep one spelling."
        )
        return Problem("warns", "key-twins", message)
    message = (
        f"{name} {listed} look the same, but use different characters: "
        f"{_differences(texts)}. They may be one record; keep one spelling."
    )
    return Problem("warns", "key-twins", message)


def _differences(texts: list[str]) -> str:
    """Name the characters of the first two spellings that the other one lacks."""
    told = []
    for text, other, which in (
        (texts[0], texts[1], "first"),
        (texts[1], texts[0], "second"),
    ):
        chars = [char for char in dict.fromkeys(text) if char not in other]
        if chars:
            called = ", ".join(map(unseen.called, chars[:CHARACTERS_LISTED]))
            told.append(f"{called} in the {which}")
    return ", ".join(told) or "in another order"


def _numbers(rows: Sequence[int], origin: Origin | None) -> str:
    listed = ", ".join(_number(row, origin) for row in rows[:ROWS_LISTED])
    return listed + _more(len(rows))


def _more(total: int) -> str:
    return f" and {total - ROWS_LISTED:,} more" if total > ROWS_LISTED else ""


def _number(row: int, origin: Origin | None) -> str:
    return f"{origin.row(row) if origin else row:,}"
