"""Characters in cells that nobody sees, and that mean nothing where they stand.

Some mean something: a joiner between letters of Persian or Hindi or within an emoji, a
selector behind a symbol, a mark of direction where text runs from right to left. In a
text these stay.
"""

import re

from files.unseen import UNSEEN

_SELECTORS = r"\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINERS = r"\u034f\u115f\u1160\u17b4\u17b5\u200c\u200d\u2800\u3164\uffa0"
_DIRECTIONS = (
    r"\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u200e\u200f\u202a-\u202e"
    r"\u2066-\u2069"
)
# Beyond Latin, Greek and Cyrillic, which join no letters.
_OTHER_SCRIPTS = rf"[^\0-\u058f{UNSEEN}]"
_MEANT = (
    rf"(?<=[\xa9\xae\u1800-\u18af\u2010-\U0010ffff])(?<![{UNSEEN}])[{_SELECTORS}]"
    r"|\ufe0f(?=\u20e3)"
    rf"|(?:(?<={_OTHER_SCRIPTS})|(?<=\ufe0f))[{_JOINERS}](?={_OTHER_SCRIPTS})"
    r"|(?<=\U0001f3f4)[\U000e0020-\U000e007f]+"
)
_ANY = re.compile(f"[{UNSEEN}]")
_FOUND = re.compile(f"(?P<meant>{_MEANT})|[{UNSEEN}]")
_FOUND_RIGHT_TO_LEFT = re.compile(f"(?P<meant>{_MEANT}|[{_DIRECTIONS}])|[{UNSEEN}]")
_RIGHT_TO_LEFT = re.compile(
    "[\u05d0-\u05ea\u0620-\u064a\u066e-\u06d3\u0710-\u088f\u08a0-\u08c9"
    "\ufb1d-\ufdff\ufe70-\ufefc]"
)


def needless(text: str) -> list[str]:
    """Return the characters that nobody sees and that mean nothing, each once."""
    if not _ANY.search(text):
        return []
    found = _pattern(text).finditer(text)
    return list(dict.fromkeys(each[0] for each in found if not each["meant"]))


def trimmed(text: str) -> str:
    """Return the text without what `needless` tells, and without space at its ends."""
    if not _ANY.search(text):
        return text.strip()
    before = None
    while text != before:
        before = text
        text = _pattern(text).sub(lambda each: each["meant"] or "", text).strip()
    return text


def _pattern(text: str) -> re.Pattern[str]:
    return _FOUND_RIGHT_TO_LEFT if _RIGHT_TO_LEFT.search(text) else _FOUND
