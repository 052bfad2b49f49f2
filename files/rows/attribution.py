"""Which rows of a part the log means: the keys that it names, and the rows behind them.

Salesforce reports a failed row by its key, in the words of its own result file: that
may fold upper and lower case, and write numbers anew, as `9.12260031E8` (seen in failed
results of Bulk API 2.0). A key may stand in several rows, and then be named for each.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from files.rows.row_errors import key_in
from files.values.record_ids import normal

# Logs are kept with keys cut to this many characters:
# operations/outcome/row_failures.py.
LONGEST_KEY = 255

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")


Errors = tuple[tuple[str, str], ...]


class FailureLike(Protocol):
    """The rows that failed with one error text, by their keys in the order told."""

    @property
    def kind(self) -> str: ...
    @property
    def error(self) -> str: ...
    @property
    def keys(self) -> Sequence[str]: ...


@dataclass(slots=True)
class Claim:
    """What the log says of one key: how often it is named, with which errors.

    `key` is in the words of the log; `held` is how many rows of the part answer to it.
    Errors are (kind, text), in the order told.
    """

    key: str
    named: int = 0
    held: int = 0
    errors: Errors = ()

    def add(self, error: tuple[str, str], *, times: int = 1) -> None:
        """Name the key this many times more, with an error."""
        self.named += times
        if error not in self.errors:
            self.errors = (*self.errors, error)

    @property
    def accounted(self) -> int:
        """How many rows failed, going by this key alone."""
        return min(self.named, self.held)


def _exact(key: str) -> str | None:
    return key


def _record_id(key: str) -> str | None:
    """Ids of 15 and of 18 characters are the same, where the suffix is right."""
    return normal(key)


def _folded(key: str) -> str | None:
    return key[:LONGEST_KEY].strip().casefold()


def _number(key: str) -> Decimal | None:
    text = key.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


Form = Callable[[str], str | Decimal | None]
# In this order, each only for the keys that no earlier one found.
FORMS: tuple[Form, ...] = (_exact, _record_id, _folded, _number)


class Naming:
    """The keys that were told for one part, joined to its rows.

    `missing` are the claims that no row answers to, `loose` the texts that belong to
    no row.
    """

    def __init__(
        self,
        groups: Sequence[FailureLike],
        texts: Sequence[str],
        *,
        column: str,
        keys: Callable[[], Iterable[str]],
    ) -> None:
        """Find the rows that the log means.

        `column` is the name of the key's column. `keys` gives the keys of all rows of
        the part; it is called once for each form in which keys have to be sought: once,
        in all but odd cases, and never when no key is told.
        """
        self._keys = keys
        self._found: list[tuple[Form, dict[str | Decimal, Claim]]] = []
        self.missing = self._match(_claims(groups))
        self.loose = self._match_loose(texts, column)

    def claim(self, key: str) -> Claim | None:
        """Return what was told of the rows with this key."""
        for form, found in self._found:
            value = form(key)
            if value is not None and (claim := found.get(value)):
                return claim
        return None

    def claims(self) -> Iterator[Claim]:
        """Yield those that rows answer to."""
        for _, found in self._found:
            yield from found.values()

    def _match(self, told: list[Claim]) -> list[Claim]:
        """Count the rows of each claim, in one form after the other; return the rest.

        A row that one claim has found is not offered to a later one.
        """
        for form in FORMS:
            wanted = _wanted(told, form)
            if not wanted:
                continue
            for key in self._keys():
                value = form(key)
                claim = wanted.get(value) if value is not None else None
                if claim is not None and self.claim(key) is None:
                    claim.held += 1
            found = {value: claim for value, claim in wanted.items() if claim.held}
            if found:
                self._found.append((form, found))
                told = [claim for claim in told if form(claim.key) not in found]
        return told

    def _match_loose(self, texts: Sequence[str], column: str) -> list[str]:
        """Do the same for texts that name a key themselves; return the others.

        Of a key that a group names too, a text is the same failure in other words.
        """
        named = [(text, key_in(text, column)) for text in texts]
        claims: dict[str, Claim] = {}
        for text, key in named:
            if key is None:
                continue
            if known := self.claim(key):
                known.add(("", text), times=0)
            else:
                claims.setdefault(key, Claim(key)).add(("", text))
        missing = {claim.key for claim in self._match(list(claims.values()))}
        return [text for text, key in named if key is None or key in missing]


def _claims(groups: Iterable[FailureLike]) -> list[Claim]:
    by_key: dict[str, Claim] = {}
    for group in groups:
        error = (group.kind, group.error)
        # One for all keys: there may be a million.
        errors = (error,)
        for key in group.keys:
            if claim := by_key.get(key):
                claim.add(error)
            else:
                by_key[key] = Claim(key, 1, 0, errors)
    return list(by_key.values())


def _wanted(told: Iterable[Claim], form: Form) -> dict[str | Decimal, Claim]:
    """Return the claims by their keys in a form; those that share one become one."""
    wanted: dict[str | Decimal, Claim] = {}
    for claim in told:
        value = form(claim.key)
        if value is not None:
            other = wanted.get(value)
            wanted[value] = claim if other is None else _joint(other, claim)
    return wanted


def _joint(one: Claim, other: Claim) -> Claim:
    errors = tuple(dict.fromkeys((*one.errors, *other.errors)))
    return Claim(one.key, one.named + other.named, 0, errors)
