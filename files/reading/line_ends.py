"""Every line end becomes LF, inside cells too."""

import numpy as np

from files.changes import Change, counted, goes
from files.reading.quotes import CR, LF, Bytes, Flags, Positions, Quotes


class LineEnds:
    """Turns CRLF and CR into LF, and counts them, inside cells apart.

    A CR outside cells is a line end only where the file has no other
    (`cr_ends_lines`): else it stays, since it could be a part of a value as well.
    """

    def __init__(self, delimiter: int, *, cr_ends_lines: bool) -> None:
        self._quotes = Quotes(delimiter)
        self._cr_ends_lines = cr_ends_lines
        self._held = b""
        self._crlf = self._crlf_inside = self._cr = self._cr_inside = 0

    def feed(self, block: bytes) -> bytes:
        """Return the block with LF, but for a last CR: an LF may follow it."""
        block = self._held + block
        self._held = b"\r" if block.endswith(b"\r") else b""
        return self._turned(block[:-1] if self._held else block)

    def end(self) -> bytes:
        """Return what was held back."""
        block, self._held = self._held, b""
        return self._turned(block)

    def _turned(self, block: bytes) -> bytes:
        data = np.frombuffer(block, np.uint8)
        starts_inside = self._quotes.is_inside
        toggles = self._quotes.toggles(data)
        if b"\r" not in block:
            return block
        returns = np.flatnonzero(data == CR)
        inside = (np.searchsorted(toggles, returns) % 2 == 1) ^ starts_inside
        after = data[np.minimum(returns + 1, data.size - 1)]
        lone = after != LF
        self._crlf += int(np.count_nonzero(~lone & ~inside))
        self._crlf_inside += int(np.count_nonzero(~lone & inside))
        if lone.any():
            block = self._without_lone(data, returns[lone], inside[lone])
        return block.replace(b"\r\n", b"\n")

    def _without_lone(self, data: Bytes, lone: Positions, inside: Flags) -> bytes:
        turned = data.copy()
        turned[lone if self._cr_ends_lines else lone[inside]] = LF
        self._cr_inside += int(np.count_nonzero(inside))
        if self._cr_ends_lines:
            self._cr += int(np.count_nonzero(~inside))
        return turned.tobytes()

    def changes(self) -> list[Change]:
        """Return what was done, for the operator."""
        only = "as LF, the only line ending that Salesforce accepts here."
        told = [
            (count, f"{counted(count, 'line ending')} {end} {goes(count)} {only}")
            for count, end in ((self._crlf, "CRLF"), (self._cr, "CR"))
        ]
        inside = [
            (count, f"{count:,} {end} inside cells {goes(count)} as LF.")
            for count, end in ((self._crlf_inside, "CRLF"), (self._cr_inside, "CR"))
        ]
        told = [told[0], inside[0], told[1], inside[1]]
        return [Change(what, count) for count, what in told if count]
