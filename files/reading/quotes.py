"""Where the quoted cells of a CSV begin and end, block after block."""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Positions = NDArray[np.intp]

QUOTE, LF, CR, COMMA = 34, 10, 13, 44
_LETTER = 97


class Quotes:
    """Follows the quotes of a text as the standard `csv` module does.

    A quote opens a quoted cell only where a cell begins, closes it wherever it comes
    next, and is plain text elsewhere; a doubled one closes the cell and opens it again.
    """

    def __init__(self, delimiter: int) -> None:
        self._opens = np.zeros(256, np.bool_)
        self._opens[[delimiter, LF, CR]] = True
        self.is_inside = False
        self._before = LF

    def restart(self) -> None:
        """Forget what came before: the next block begins with a cell."""
        self.is_inside = False
        self._before = LF

    def toggles(self, data: Bytes) -> Positions:
        """Return the positions of the quotes that open or close, and pass the block."""
        marks = np.flatnonzero(data == QUOTE)
        if marks.size and not self._all_toggle(data, marks):
            marks = self._one_by_one(data, marks)
        if data.size:
            ends_with_text = data[-1] == QUOTE and not (
                marks.size and marks[-1] == data.size - 1
            )
            self._before = _LETTER if ends_with_text else int(data[-1])
        self.is_inside ^= bool(marks.size % 2)
        return marks

    def _all_toggle(self, data: Bytes, marks: Positions) -> bool:
        """Prove that no quote is plain text.

        Then every other one opens, and stands where a cell begins or right after the
        quote before it, which closed: the two are a doubled quote.
        """
        opening = marks[1 if self.is_inside else 0 :: 2]
        before = data[opening - 1]
        if opening.size and opening[0] == 0:
            before[0] = self._before
        return bool((self._opens[before] | (before == QUOTE)).all())

    def _one_by_one(self, data: Bytes, marks: Positions) -> Positions:
        inside = self.is_inside
        closed = -1 if not inside and self._before == QUOTE else -2
        found = []
        for mark in marks.tolist():
            if inside:
                inside, closed = False, mark
            else:
                before = data[mark - 1] if mark else self._before
                inside = closed == mark - 1 or bool(self._opens[before])
                if not inside:
                    continue
            found.append(mark)
        return np.array(found, np.intp)
