"""Every finding of a check in one CSV file, however many there are."""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, Self

from files.findings import LONGEST_VALUE, Finding
from files.quoting import quoted

COLUMNS = ("level", "rule", "row", "line", "column", "value", "message")


class FindingsFile:
    """Writes findings as they come; a context manager that closes its file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="", errors="replace")
        self._file.write(",".join(COLUMNS) + "\n")
        self._said: tuple[str | None, ...] = ()
        self._written = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, finding: Finding) -> None:
        """Write one finding; what it does not name stays empty.

        There may be very many, and the same is said of row after row.
        """
        level, rule, message, row, line, column, value = finding
        said = column, value, message
        if said != self._said:
            self._said, self._written = said, ",".join(map(_cell, said))
        self._file.write(f"{level},{rule},{_cell(row)},{_cell(line)},{self._written}\n")


def _cell(value: str | int | None) -> str:
    if value is None:
        return ""
    return quoted(value) if isinstance(value, str) else str(value)


def read_findings(path: Path) -> Iterator[list[str]]:
    """Yield each finding's cells in the order of COLUMNS, all as text."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        yield from reader


def rows_with(path: Path, *, level: str, rule: str, column: str | None) -> list[int]:
    """Return the rows, ascending, with a finding of this level, rule and column.

    The header is left out: it is no row that could be left out.
    """
    return sorted({row for row, _ in _places(path, level, rule, column)})


def rows_with_errors(path: Path, rules: Collection[str]) -> list[int]:
    """Return the rows, ascending, of which something that blocks was found by a rule.

    `rules` are those whose findings name the row at fault. The header is left out.
    """
    found = {
        int(row)
        for level, rule, row, *_ in read_findings(path)
        if level == "blocks" and rule in rules and row and int(row) > 1
    }
    return sorted(found)


def rows_but_one(
    path: Path,
    *,
    level: str,
    rule: str,
    column: str | None,
    kept: Literal["first", "last"],
) -> list[int]:
    """Return the rows of `rows_with`, but for the first or last one of each value.

    A value that was cut tells nothing: its rows are not among them.
    """
    of_value: defaultdict[str, set[int]] = defaultdict(set)
    for row, value in _places(path, level, rule, column):
        of_value[value].add(row)
    rows = {
        row
        for value, found in of_value.items()
        if len(value) < LONGEST_VALUE
        for row in found - {min(found) if kept == "first" else max(found)}
    }
    return sorted(rows)


def _places(
    path: Path, level: str, rule: str, column: str | None
) -> Iterator[tuple[int, str]]:
    """Yield row and value of each such finding below the header."""
    wanted = (level, rule, column or "")
    for of_level, of_rule, row, _, in_column, value, _ in read_findings(path):
        if (of_level, of_rule, in_column) == wanted and row and int(row) > 1:
            yield int(row), value


def ranges(rows: list[int]) -> list[tuple[int, int]]:
    """Return ascending rows as ranges, both ends included: 2, 3, 4, 9 as 2-4, 9-9."""
    found: list[tuple[int, int]] = []
    for row in rows:
        if found and found[-1][1] >= row - 1:
            found[-1] = (found[-1][0], row)
        else:
            found.append((row, row))
    return found
