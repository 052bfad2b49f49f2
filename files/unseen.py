"""Characters that nobody sees, and what they are called."""

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


def is_unseen(char: str) -> bool:
    """Whether a character shows nothing, or no more than a plain space would."""
    if " " <= char <= "~":
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Zs")


def called(char: str) -> str:
    """Return what a character is called, as "U+000B (line tabulation)"."""
    name = _CONTROLS.get(char) or unicodedata.name(char, "control character").lower()
    return f"U+{ord(char):04X} ({name})"


def marked(text: str) -> str:
    """Return the text with each unseen character by its number, as "Na[U+000B]me"."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[U+{ord(c):04X}]" if is_unseen(c) else c for c in text)


def bare(text: str) -> str:
    """Return the text without unseen characters, and without spaces at its ends.

    Tabs and line breaks within it stay; of other spaces a plain one is left.
    """
    if text.isascii() and text.isprintable():
        return text.strip(" ")
    kept = (_instead(char) if is_unseen(char) else char for char in text)
    return "".join(kept).strip(" " + _GAPS)


def _instead(char: str) -> str:
    if char in _GAPS:
        return char
    return " " if char == "\r" or unicodedata.category(char) == "Zs" else ""
