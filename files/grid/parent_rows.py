"""Of a retry: which row of its parent each of its rows was, as a file of numbers."""

from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path

# Four bytes a row, from row 2 on.
_TYPE, _BYTES, _FIRST = "I", 4, 2


def write_parent_rows(target: Path, rows: Iterable[int]) -> None:
    """Write the parent's row of each row, in order; the first is row 2."""
    with target.open("wb") as file:
        array(_TYPE, rows).tofile(file)


def read_parent_rows(path: Path, rows: Sequence[int]) -> dict[int, int]:
    """Return the parent's row of each of these rows that there is."""
    found = {}
    with path.open("rb") as file:
        for row in rows:
            if row < _FIRST:
                continue
            file.seek(_BYTES * (row - _FIRST))
            number = array(_TYPE, file.read(_BYTES))
            if number:
                found[row] = number[0]
    return found
