"""Findings by the value at fault: what fifteen cells hold is one thing to fix."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from files.findings import LONGEST_VALUE, Finding

# So many different values of a group are counted, so many shown, in so many bytes.
MOST_VALUES, VALUES_SHOWN, VALUES_ROOM = 2_000, 20, 80_000


class FindingsByValue:
    """Counts the findings that it is given, and the rows with errors.

    `is_about_cells` and `is_about_rows` tell of a rule whether each of its findings is
    about one cell, or about one row at least.
    """

    def __init__(
        self,
        is_about_cells: Callable[[str], bool],
        is_about_rows: Callable[[str], bool],
    ) -> None:
        self._is_about_cells, self._is_about_rows = is_about_cells, is_about_rows
        self._values: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(
            Counter
        )
        self._rows: set[int] = set()

    @property
    def error_rows(self) -> int:
        """How many rows have something that blocks."""
        return len(self._rows)

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        level, rule, _, row, _, column, value = finding
        if row is None or row < 2:
            return
        if level == "blocks" and self._is_about_rows(rule):
            self._rows.add(row)
        # One that was cut is not the whole value.
        is_whole = value is not None and len(value) < LONGEST_VALUE
        if not column or not is_whole or not self._is_about_cells(rule):
            return
        counts = self._values[level, rule, column]
        if value in counts or len(counts) < MOST_VALUES:
            counts[value or ""] += 1

    def note(self, groups: list[dict[str, Any]]) -> None:
        """Note at each group of `Report.as_json` its values, the most frequent first.

        `values` are pairs of a value and its count, `distinct` says how many there are.
        """
        room = VALUES_ROOM
        for group in groups:
            key = group["level"], group["rule"], group["column"]
            counts = self._values.get(key, Counter())
            values = [list(pair) for pair in counts.most_common(VALUES_SHOWN)]
            size = len(json.dumps(values))
            group["values"] = values if size <= room else []
            room -= len(json.dumps(group["values"]))
            group["distinct"] = len(counts)
