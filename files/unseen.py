"""Characters that nobody sees, and what they are called."""

import re
import unicodedata

# Those that Unicode has no name for, and that people meet.
_CONTROLS = {
    "\t": "tab",
    "\n": "line break",
    "\x0b": "line tabulation",
    "\x0c": "form feed",
    "\r": "carriage return",
    "\x1c": "file separator",
    "\x1d": "group separator",
    "\x1e": "record separator",
    "\x1f": "unit separator",
    "\x7f": "delete",
    "\x85": "next line",
}
# They show: as a gap, or as another line.
_GAPS = "\t\n"
# All that is no space and shows nothing, as the inside of a class of a pattern: what
# controls, formats and breaks lines (Cc, Cf, Zl, Zp), and what Unicode lets programs
# pass over, as fillers and variation selectors. Tabs and line ends are none.
UNSEEN = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f"
    r"\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{UNSEEN}]")


def is_unseen(char: str) -> bool:
    """Whether a character shows nothing, or no more than a plain space would."""
    if " " <= char <= "~":
        return False
    return char in "\t\n\r" or unicodedata.category(char) == "Zs" or _is_nothing(char)


def _is_nothing(char: str) -> bool:
    return _UNSEEN.match(char) is not None


def called(char: str) -> str:
    """Return what a character is called, as "U+000B (line tabulation)"."""
    name = _CONTROLS.get(char) or unicodedata.name(char, "control character").lower()
    return f"U+{ord(char):04X} ({name})"


def marked(text: str) -> str:
    """Return the text with each unseen character by its number, as "Na·U+000B·me"."""
    if text.isascii() and text.isprintable():
        return text
    pieces = "".join(f"·U+{ord(c):04X}·" if is_unseen(c) else c for c in text)
    return pieces.replace("··", "·").removesuffix("·") if pieces != text else text


def bare(text: str) -> str:
    """Return the text without unseen characters, and without spaces at its ends.

    Tabs and line breaks within it stay; of other spaces a plain one is left.
    """
    if text.isascii() and text.isprintable():
        return text.strip(" ")
    kept = (_instead(char) if is_unseen(char) else char for char in text)
    return "".join(kept).strip(" " + _GAPS)


def without(text: str) -> str:
    """Return the text without any character that shows nothing; spaces stay."""
    return _UNSEEN.sub("", text)


def _instead(char: str) -> str:
    if char in _GAPS:
        return char
    return "" if _is_nothing(char) else " "
