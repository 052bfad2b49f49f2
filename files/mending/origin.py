"""Where the rows and lines of a mended file came from."""

from array import array
from bisect import bisect_right


class Origin:
    """Turns rows and lines of the file as sent into those of the file as read.

    Only the rows at which the distance changes are kept, at most 8 bytes a row of the
    file as read, mostly none. A line is exact if it is the first of its row, or if its
    row was not changed; the other lines of a changed row are found by counting on.
    """

    def __init__(self) -> None:
        self._rows = array("I")
        self._row_shifts = array("I")
        self._line_rows = array("I")
        self._line_shifts = array("i")

    def row(self, row: int) -> int:
        """Return the row of the file as read."""
        return row + _shift(self._rows, self._row_shifts, row)

    def line(self, row: int, line: int) -> int:
        """Return the line of the file as read, given the row that the line is in."""
        return line + _shift(self._line_rows, self._line_shifts, row)

    def shift(self, row: int, *, rows: int, lines: int) -> None:
        """From this row as sent on, add so many rows and lines. Rows come in order."""
        _note(self._rows, self._row_shifts, row, rows)
        _note(self._line_rows, self._line_shifts, row, lines)


def _shift(rows: "array[int]", shifts: "array[int]", row: int) -> int:
    found = bisect_right(rows, row)
    return shifts[found - 1] if found else 0


def _note(rows: "array[int]", shifts: "array[int]", row: int, shift: int) -> None:
    if shift == (shifts[-1] if shifts else 0):
        return
    rows.append(row)
    shifts.append(shift)
