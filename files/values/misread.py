"""Text that was UTF-8 and was once read as something else, as “CafÃ©”."""

import re
from typing import NamedTuple

# What a sequence of UTF-8 begins with that stands for a character people write.
_LATIN = (0xC2, 0xC3, 0xC4, 0xC5, 0xE2)
_GREEK_AND_CYRILLIC = (0xCE, 0xCF, 0xD0, 0xD1)
_HEBREW_AND_ARABIC = (0xD7, 0xD8, 0xD9)
_WIDE = (*range(0xE0, 0xEE), 0xEF, 0xF0)
_ALL = (*_LATIN, *_GREEK_AND_CYRILLIC, *_HEBREW_AND_ARABIC, *_WIDE)
# Characters that people write; others came about by chance, as from “NESCAFÉ®”.
_PLAUSIBLE = re.compile(
    "[\u0080-\u017f\u0218-\u021b\u0386-\u045f\u0490\u0491\u05d0-\u05ea\u0620-\u064a"
    "\u0900-\u0e7f\u1e00-\u1eff\u200b-\u203a\u20a0-\u20bf\u2100-\u22ff\u2500-\u27bf"
    "\u3000-\u9fff\uac00-\ud7a3\ufe0f\ufeff\uff00-\uffef\ufffd\U0001f000-\U0001faff]"
)
# Half-way back from what was misread twice; no text ends with them.
_CONTROL = re.compile("[\x80-\x9f]")
_ASCII_LETTER = re.compile("[A-Za-z]")
_ROUNDS = 3


class _Reading(NamedTuple):
    """One wrong way to read UTF-8.

    `of_two` begin characters of two bytes, `of_more` longer ones, `continue_` follow.
    `pattern` finds a character's bytes as they were read. So many of them make it sure,
    or one beside an ASCII letter, where there is little else that is not ASCII, or
    nothing.
    """

    bytes_of: dict[str, int]
    of_two: str
    of_more: str
    continue_: str
    pattern: re.Pattern[str]
    enough: int
    may_hold_others: bool


def _reading(
    encoding: str, starts: tuple[int, ...], *, enough: int = 1, others: bool = False
) -> _Reading:
    char_of = {byte: _read_as(byte, encoding) for byte in range(0x80, 0x100)}
    then = "".join(char_of[byte] for byte in range(0x80, 0xC0))
    two, three, four = (
        "".join(char_of[byte] for byte in starts if low <= byte < high)
        for low, high in ((0xC0, 0xE0), (0xE0, 0xF0), (0xF0, 0xF8))
    )
    pattern = "|".join(
        f"[{re.escape(first)}][{re.escape(then)}]{{{count}}}"
        for count, first in enumerate((two, three, four), start=1)
        if first
    )
    bytes_of = {char: byte for byte, char in char_of.items()}
    return _Reading(
        bytes_of, two, three + four, then, re.compile(pattern), enough, others
    )


def _read_as(byte: int, encoding: str) -> str:
    """Return what a byte is read as; what an encoding lacks is left as it is."""
    try:
        return bytes([byte]).decode(encoding)
    except UnicodeDecodeError:
        return chr(byte)


_READINGS = (
    _reading("latin-1", _ALL),
    _reading("cp1252", _ALL, others=True),
    *(_reading(name, _LATIN) for name in ("mac-roman", "cp1250", "cp437", "cp850")),
    *(
        _reading(name, (*_LATIN, *_GREEK_AND_CYRILLIC), enough=2)
        for name in ("mac-roman", "cp1250", "cp437", "cp850", "cp1251")
    ),
)


def reread(text: str) -> str | None:
    """Return the text as it was before it was misread, or None if it hardly was."""
    found = None
    for _ in range(_ROUNDS):
        once = _once(found or text)
        if once is None:
            break
        found = once
    return None if found and _CONTROL.search(found) else found


def _once(text: str) -> str | None:
    if text.isascii() or not CANDIDATE.search(text):
        return None
    for reading in _READINGS:
        found = _as(reading, text)
        if found is not None:
            return found
    return None


def _as(reading: _Reading, text: str) -> str | None:
    mended = 0
    is_in_word = False

    def put(match: re.Match[str]) -> str:
        nonlocal mended, is_in_word
        char = _decoded(match[0], reading)
        if char is None:
            return match[0]
        mended += 1
        beside = text[max(match.start() - 1, 0) : match.end() + 1]
        is_in_word = is_in_word or any(
            each.isascii() and each.isalpha() for each in beside
        )
        return char

    result = reading.pattern.sub(put, text)
    if not mended or (mended < reading.enough and not is_in_word):
        return None
    # What was no sequence is there as it was; each sequence became one character.
    others = sum(not char.isascii() for char in result) - mended
    if others >= mended or (others and not reading.may_hold_others):
        return None
    return result


def _decoded(chars: str, reading: _Reading) -> str | None:
    try:
        char = bytes(reading.bytes_of[each] for each in chars).decode()
    except UnicodeDecodeError:
        return None
    return char if _PLAUSIBLE.fullmatch(char) else None


def _chars_of(places: str) -> str:
    """Return the characters that stand for the bytes of all readings at a place."""
    found = {char for reading in _READINGS for char in getattr(reading, places)}
    return "".join(sorted(found))


STARTS_OF_TWO, STARTS_OF_MORE = _chars_of("of_two"), _chars_of("of_more")
CONTINUE = _chars_of("continue_")
CANDIDATE = re.compile(
    f"[{re.escape(STARTS_OF_TWO + STARTS_OF_MORE)}][{re.escape(CONTINUE)}]"
)
