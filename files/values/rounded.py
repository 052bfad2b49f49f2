"""Long numbers that a spreadsheet has rounded: it keeps 15 digits, and puts zeros."""

import re

EXACT, MOST_DIGITS = 15, 40
_LONG = re.compile(rf"[0-9]{{{EXACT + 1},{MOST_DIGITS}}}")


def long_digits(text: str) -> int | None:
    """Return with how many zeros for lost digits a long number ends.

    0 where it was not rounded, None where it is no long number.
    """
    if len(text) <= EXACT or not _LONG.fullmatch(text):
        return None
    lost = text[EXACT:]
    return 0 if lost.strip("0") else len(lost)
