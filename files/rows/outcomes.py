"""Every row's fate, joined from what the log of each part tells, kept in one file.

A write goes out as ordered parts, each an operation of its own, whose log names failed
rows by key. A row is said to have succeeded or failed only where that is proven: what
upstream does not tell is unknown.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from files.rows.accounting import Account, Told
from files.rows.attribution import Claim, Errors, Naming
from files.rows.fates import FAILED, STATES, UNKNOWN, State, Totals
from files.rows.row_tables import RowWriter, Stored
from files.rows.sent_rows import SentRow, read_header, sent_rows
from files.splitting import Part

__all__ = ["Progress", "Told", "Totals", "join"]

Progress = Callable[[int, int], None]
# How many bytes are read between two calls of `progress`.
STEP = 4 * 2**20
# Rows of one part that are held in memory, about 40 MiB; larger ones are read again.
MOST_KEPT = 200_000

# (place of the state, group, other groups as JSON), as they are stored.
_Fate = tuple[int, int | None, str | None]


def join(
    as_sent: Path,
    *,
    key: str,
    parts: Sequence[tuple[Part, Told]],
    target: Path,
    origin: Callable[[int], int] | None = None,
    progress: Progress | None = None,
) -> Totals:
    """Join what was told of each part to its rows; write them to the file `target`.

    `key` is the name of the key's column, `origin` turns a row as sent into the row of
    the original file. What does not add up becomes an alarm. `target` is replaced when
    all is written, and left alone if anything is raised.

    Raises ValueError where the parts do not fit the file, and whatever `progress` does.
    """
    names, _ = read_header(as_sent)
    column = place_of_column(key, names)
    loose: list[str] = []
    alarms: list[str] = []
    if column is None:
        alarms.append(
            f"The file has no column “{key}”, so that its rows cannot be told apart. "
            "Check the primary key of the write."
        )
    with RowWriter(target) as writer:
        steps = _Steps(progress)
        for rows, told in parts:
            part = _Part(as_sent, key, column, rows, told, steps)
            writer.add(part.stored(writer, origin or _same))
            loose += part.naming.loose
            prefix = f"Part {rows.number:,}: " if len(parts) > 1 else ""
            alarms += [prefix + text for text in part.account.alarms(part.naming)]
        steps.report()
        totals = writer.finish(loose=loose, alarms=alarms)
    promised = sum(rows.last_row - rows.first_row + 1 for rows, _ in parts)
    fates = totals.succeeded + totals.failed + totals.unknown + totals.not_sent
    assert fates == totals.rows == promised  # nosec B101 # noqa: S101 - nothing may get lost
    return totals


class _Steps:
    """Calls `progress` every few MiB, and at the end."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._told = self._bytes = self._rows = 0

    def add(self, length: int, rows: int) -> None:
        """Count rows of so many bytes."""
        self._bytes += length
        self._rows += rows
        if self._bytes - self._told >= STEP:
            self.report()

    def report(self) -> None:
        """Tell how far it is, whoever wants to know."""
        self._told = self._bytes
        if self._progress is not None:
            self._progress(self._bytes, self._rows)


class _Part:
    """One part of the file, and what was told of it."""

    def __init__(
        self,
        as_sent: Path,
        key: str,
        column: int | None,
        rows: Part,
        told: Told,
        steps: _Steps,
    ) -> None:
        self._as_sent, self._column = as_sent, column
        self._rows, self._steps = rows, steps
        self._kept: list[SentRow] | None = None
        self._fates: dict[tuple[Errors, bool], _Fate] = {}
        self.naming = Naming(told.groups, told.loose, column=key, keys=self._keys)
        count = rows.last_row - rows.first_row + 1
        self.account = Account.of(told, count, self.naming)

    def _records(self) -> Iterable[SentRow]:
        """Return the rows; those of a part of usual size are read once and kept."""
        if self._kept is not None:
            return self._kept
        rows = self._rows
        found = sent_rows(
            self._as_sent, offset=rows.offset, length=rows.length, column=self._column
        )
        if rows.last_row - rows.first_row >= MOST_KEPT:
            return found
        self._kept = list(found)
        return self._kept

    def _keys(self) -> Iterator[str]:
        """Yield the keys, to be counted before anything is written."""
        seen = 0
        for key, _, length in self._records():
            yield key
            seen += length
            if seen >= STEP:
                seen = 0
                # Nothing is done yet, but it may be asked to stop.
                self._steps.report()

    def stored(
        self, writer: RowWriter, origin: Callable[[int], int]
    ) -> Iterator[Stored]:
        """Yield each row with its fate. Raises ValueError where rows are missing."""
        rest: _Fate | None = None
        row, claim_of = self._rows.first_row, self.naming.claim
        seen, told = 0, row
        for key, start, length in self._records():
            claim = claim_of(key)
            if claim is not None:
                fate = self._fate(claim, writer)
            else:
                fate = rest = rest or self._rest(writer)
            yield origin(row), row, key, *fate, start, length, None
            row += 1
            seen += length
            if seen >= STEP:
                self._steps.add(seen, row - told)
                seen, told = 0, row
        self._steps.add(seen, row - told)
        if row != self._rows.last_row + 1:
            found, promised = row - self._rows.first_row, self.account.rows
            raise ValueError(
                f"Part {self._rows.number} should hold {promised:,} rows and holds "
                f"{found:,}."
            )

    def _rest(self, writer: RowWriter) -> _Fate:
        """Return the fate of the rows that nobody names."""
        state, reason = self.account.rest()
        group = writer.group("", reason, state) if reason else None
        return STATES.index(state), group, None

    def _fate(self, claim: Claim, writer: RowWriter) -> _Fate:
        has_failed = self.account.has_failed(claim)
        fate = self._fates.get((claim.errors, has_failed))
        if fate is None:
            state: State = FAILED if has_failed else UNKNOWN
            group, *others = (writer.group(*error, state) for error in claim.errors)
            listed = json.dumps(others) if others else None
            fate = (STATES.index(state), group, listed)
            self._fates[claim.errors, has_failed] = fate
        return fate


def place_of_column(key: str, names: Sequence[str]) -> int | None:
    """Return the place of a column, None where there is none; case does not matter."""
    if key in names:
        return names.index(key)
    folded = [name.casefold() for name in names]
    return folded.index(key.casefold()) if key.casefold() in folded else None


def _same(row: int) -> int:
    return row
