"""Numbers with marks: which one comes before decimals, and which parts thousands.

`1,234` is 1234 to one person and 1.234 to another. No cell is read by guess: what the
other cells of its column prove, or what an operator names, tells which it is.
"""

import re
from typing import Literal, get_args

# What stands before the decimals.
Mark = Literal["point", "comma"]
MARKS: tuple[Mark, ...] = get_args(Mark)

_SPACES = " '’\u00a0\u202f"
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_POWER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][+-]?[0-9]{1,4}")


def _written(parts: str, before_decimals: str) -> re.Pattern[str]:
    """Return numbers with these marks between parts of thousands, or no mark."""
    return re.compile(
        rf"(?P<sign>[+-]?)"
        rf"(?P<whole>[1-9][0-9]{{0,2}}(?P<parts>[{_SPACES}{parts}])[0-9]{{3}}"
        rf"(?:(?P=parts)[0-9]{{3}})*|[0-9]*)"
        rf"(?:{before_decimals}(?P<decimals>[0-9]+))?"
    )


_WRITTEN: dict[Mark, re.Pattern[str]] = {
    "point": _written(",", r"\."),
    "comma": _written(".", ","),
}
_NO_DIGITS = re.compile("[^0-9]")


def number_of(text: str, mark: Mark) -> str | None:
    """Return a number as Salesforce takes it, None where it is not written so.

    A text that fits and needs no change comes back as it is.
    """
    if mark == "point" and (_PLAIN.fullmatch(text) or _POWER.fullmatch(text)):
        return text
    match = _WRITTEN[mark].fullmatch(text)
    if match is None or not (match["whole"] or match["decimals"]):
        return None
    decimals = f".{match['decimals']}" if match["decimals"] else ""
    return match["sign"] + _NO_DIGITS.sub("", match["whole"]) + decimals


class MarkEvidence:
    """Which mark the cells of a column can be written with, cell after cell.

    A text that is a number by neither tells nothing.
    """

    def __init__(self) -> None:
        self._possible = set(MARKS)
        self._has_two_readings = False

    def add(self, text: str) -> None:
        """Take one cell's text into account; it is not blank."""
        read = {mark: number_of(text, mark) for mark in MARKS}
        fits = {mark for mark in MARKS if read[mark] is not None}
        if not fits:
            return
        self._possible &= fits
        self._has_two_readings |= len(fits) == 2 and read["point"] != read["comma"]

    @property
    def proven(self) -> Mark | None:
        """The one mark by which every number reads, None where there are two or none.

        Where both read every cell alike it makes no difference.
        """
        if len(self._possible) == 1:
            return next(iter(self._possible))
        return "point" if self._possible and not self._has_two_readings else None

    @property
    def is_open(self) -> bool:
        """Whether every number reads by both marks, and not alike."""
        return len(self._possible) == 2 and self._has_two_readings
