"""Salesforce record ids: 15 case-sensitive characters and a 3-character suffix."""

import re

_SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE = re.compile(r"[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?")

ORGANISATION = "SB"
"""The two characters after the prefix; in Salesforce they name the server."""


def suffix(short: str) -> str:
    """The suffix of a 15-character id: which of its characters are upper case.

    Each group of five characters makes a 5-bit number, the first character being
    the least significant bit (checked against real ids in Ampersand's connector).
    """
    groups = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(
        _SUFFIX[sum(char.isupper() << bit for bit, char in enumerate(group))]
        for group in groups
    )


def record_id(prefix: str, number: int) -> str:
    """The 18-character id of the `number`-th record with a three-character prefix."""
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    short = prefix + ORGANISATION + digits.rjust(10, "0")
    return short + suffix(short)


def normal(text: str) -> str | None:
    """An id as Salesforce stores it, 18 characters; None when it is malformed."""
    if not _SHAPE.fullmatch(text):
        return None
    whole = text[:15] + suffix(text[:15])
    return whole if whole.startswith(text) else None
