"""Seeks in the table of rows: the next few from a place, one way or the other.

Each query is one equality or range in an index, in the order of that index. What would
be one comparison of pairs, (key, row) > (?, ?), is two queries: SQLite would walk all
rows of one key.
"""

import sqlite3
import sys
from dataclasses import dataclass, field
from typing import Any

_COLUMNS = (
    "rows.row, rows.sent_row, rows.key, rows.state, rows.grp, rows.others, rows.start,"
    " rows.length, groups.error, groups.kind, rows.record"
)
# Where a page begins or ends: a key ("" where none is sought) and a row.
Place = tuple[str, int]
# What `str.strip` takes off.
WHITESPACE = "".join(c for c in map(chr, range(0x3001)) if c.isspace())
# The largest number that SQLite stores.
END = 2**63 - 1


@dataclass(frozen=True)
class Seek:
    """One way through the rows: by number, or by key and number below a beginning."""

    database: sqlite3.Connection
    filters: dict[str, int] = field(default_factory=dict)
    key: str = ""

    def rows(self, place: Place, limit: int, *, backwards: bool = False) -> list[Any]:
        """Return the next rows from a place, which is not among them."""
        key, row = place
        way, order = ("<", "DESC") if backwards else (">", "ASC")
        if not self.key:
            return self._read(f"row {way} ?", f"row {order}", [row], limit)
        found = self._read(
            f"key = ? AND row {way} ?", f"row {order}", [key, row], limit
        )
        if len(found) == limit:
            return found
        bounds = (self.key, key) if backwards else (key, _next(self.key))
        low = ">=" if backwards else ">"
        return found + self._read(
            f"key {low} ? AND key < ?",
            f"key {order}, row {order}",
            list(bounds),
            limit - len(found),
        )

    def carrying(self, spellings: list[str], limit: int) -> list[Any]:
        """Return the first rows with one of these keys; else with one of these ids.

        The last look, at all of them without the spaces around, reads every row.
        """
        marks = ",".join("?" * len(spellings))
        for where in ("key = ?", "record = ?"):
            found = [
                row
                for spelling in spellings
                for row in self._read(where, "row", [spelling], limit)
            ]
            if found:
                return sorted(found)[:limit]
        values = [WHITESPACE, *spellings]
        where = " OR ".join(
            f"trim({name}, ?) IN ({marks})" for name in ("key", "record")
        )
        return self._read(f"({where})", "row", values * 2, limit)

    def _read(self, where: str, order: str, values: list[Any], limit: int) -> list[Any]:
        filters = "".join(f"rows.{name} = ? AND " for name in self.filters)
        return self.database.execute(
            f"SELECT {_COLUMNS} FROM rows LEFT JOIN groups ON groups.id = rows.grp"  # nosec B608 # noqa: S608 - our words
            f" WHERE {filters}{where} ORDER BY {order} LIMIT ?",
            [*self.filters.values(), *values, limit],
        ).fetchall()


def _next(beginning: str) -> str:
    """Return the first text after all that begin so, in the order of code points."""
    kept = beginning.rstrip(chr(sys.maxunicode))
    if not kept:
        return chr(sys.maxunicode) * (len(beginning) + 256)
    code = ord(kept[-1]) + 1
    # Halves of surrogate pairs are no characters.
    return kept[:-1] + chr(0xE000 if code == 0xD800 else code)
