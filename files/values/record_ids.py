"""Salesforce record ids: 15 characters whose case counts, and a suffix that guards it.

Checked against the 49 real ids in the fixtures of amp-labs/connectors: descriptions on
the web that begin at the highest bit are wrong.
"""

import re
from string import ascii_lowercase, ascii_uppercase, digits

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
LENGTHS = (15, 18)
# "U" for each upper-case letter and "l" for every other character of an id …
_CASES = str.maketrans(
    ascii_uppercase + ascii_lowercase + digits, "U" * 26 + "l" * 26 + "l" * 10
)
# … and what a group of five of them makes.
_OF_GROUP = {
    "".join("U" if number >> bit & 1 else "l" for bit in range(5)): char
    for number, char in enumerate(_SUFFIX)
}


def has_shape(text: str) -> bool:
    """Whether the text is 15 or 18 letters and digits of ASCII."""
    return _SHAPE.fullmatch(text) is not None


def suffix(short: str) -> str:
    """Return the three characters that tell which of the 15 are upper case.

    Each group of five makes a 5-bit number; its first character is the lowest bit.
    """
    cases = short.translate(_CASES)
    return _OF_GROUP[cases[:5]] + _OF_GROUP[cases[5:10]] + _OF_GROUP[cases[10:]]


def normal(text: str) -> str | None:
    """Return the id with its suffix, 18 characters; None when it cannot be an id."""
    if not has_shape(text):
        return None
    whole = text[:15] + suffix(text[:15])
    return whole if whole.startswith(text) else None


def repaired(text: str) -> str | None:
    """Return the id whose case was lost as its suffix says it was, or None.

    Right only where nothing but the case was altered, which nobody can prove: it is
    for showing, not for sending unasked.
    """
    ending = text[15:].upper()
    if len(text) != 18 or not has_shape(text) or not set(ending) <= set(_SUFFIX):
        return None
    short = "".join(
        char.upper() if _SUFFIX.index(ending[place // 5]) >> place % 5 & 1 else char
        for place, char in enumerate(text[:15].lower())
    )
    return short + ending if suffix(short) == ending else None
