"""Rows that are no records, told by their key: a header again, totals, a footer.

Programs that join exports leave the header of each; reports end with totals and notes.
"""

import re
from collections.abc import Iterable

import numpy as np

from files.checking.column_cells import Cells, Mask, lower
from files.checking.purposes import WORDS, Purpose
from files.findings import ROW
from files.shown import shown
from files.values.problems import Problem

_TOTAL = re.compile(
    r"(?:(?:grand|sub|report|overall)[ -]?)?totals?(?: *[:(=].*| count| amount)?"
    r"|(?:sum|summe|(?:gesamt|zwischen)summe|gesamt|somme|average|durchschnitt)"
    r"(?: *[:(=].*)?",
    re.ASCII | re.IGNORECASE,
)
_FOOTER = re.compile(
    r"copyright (?:\(c\)|©|[12][0-9]{3}).*|confidential information\b.*"
    r"|(?:generated|filtered|sorted|exported) by ?:.*"
    r"|(?:generated|exported) (?:on|at)\b.*",
    re.ASCII | re.IGNORECASE,
)
# How every text begins that these take, in small letters; `_PREFIX` bytes of it.
_BEGINNINGS = (
    *("grand", "subtotal", "sub ", "sub-", "reporttotal", "report ", "report-"),
    *("overall", "total", "sum", "sum ", "sum:", "sum(", "sum=", "summe", "gesamt"),
    *("zwischensumme", "somme", "average", "durchschnitt", "copyright", "confid"),
    *("generated", "filtered", "sorted", "exported"),
)
_PREFIX = 4


class NoRecords:
    """Tells by its key whether a row is none; `names` are those of the key's column."""

    def __init__(self, names: Iterable[str], purpose: Purpose = "upsert") -> None:
        self._purpose: Purpose = purpose
        self._names = {_lower(name.strip()) for name in names if name.strip()}
        beginnings = [*_BEGINNINGS, *(n.replace('"', '""') for n in self._names)]
        starts = {
            text.encode(errors="surrogatepass")[:_PREFIX].ljust(_PREFIX, b"\0")
            for text in beginnings
        }
        self._starts = np.frombuffer(b"".join(sorted(starts)), np.uint32)

    def problem(self, text: str) -> Problem | None:
        """Return why a row with this key is no record, as far as that shows."""
        bare = text.strip()
        if _lower(bare) in self._names:
            message = (
                f"Row {ROW} repeats the header: its key is {shown(bare)}. "
                f"{WORDS[self._purpose].header_again}"
            )
            return Problem("blocks", "repeated-header", message)
        if not is_end_of_report(bare):
            return None
        message = (
            f"Row {ROW} looks like the footer of a report: its key is {shown(bare)}. "
            "Exclude the row, unless it is a record."
        )
        return Problem("warns", "report-end", message)

    def may_be_none(self, cells: Cells) -> Mask:
        """Tell the keys of which `problem` may say something."""
        padded = cells.padded(8)
        lower(padded)
        beginnings = padded.view(np.uint32)[:, 0]
        found: Mask = np.isin(beginnings, self._starts)
        return found


def is_end_of_report(text: str) -> bool:
    """Whether a text is that of a total, or of a note below a report."""
    return bool(_TOTAL.fullmatch(text) or _FOOTER.fullmatch(text))


def _lower(text: str) -> str:
    """Return a text with small letters for the English ones."""
    return text.encode(errors="surrogatepass").lower().decode(errors="surrogatepass")
