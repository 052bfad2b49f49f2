"""What programs made of a value on its way: wrong in a column of any kind."""

import re
from collections.abc import Iterator

from files import unseen
from files.field import Field
from files.shown import shown
from files.unseen import UNSEEN
from files.values.invisible import needless
from files.values.misread import CANDIDATE, reread
from files.values.placeholders import ERRORS, WORDS, placeholder
from files.values.problems import Problem

LISTED = 5
# How a value is guarded so that Excel takes it for text: ="00123", '00123.
_FORMULA_OF_TEXT = re.compile(r'=\s*"((?:[^"]|"")*)"')
_FORMULA = re.compile(r"=\s*[A-Za-z0-9(\"'+\-@.$\[{]", re.DOTALL)
_APOSTROPHE = re.compile(
    r"'([=+@\-].*|(?!\d\ds?$)\d[\d ()./\-]*|(?!\d\ds?$)\d[\w.:+\-]*)", re.DOTALL
)
# What an ASCII text begins with of which there may be something to say.
_STARTS = frozenset(" ='?#") | frozenset(chr(key[0]) for key in WORDS | ERRORS)
_STARTS |= frozenset(start.upper() for start in _STARTS)
# U+FFFD, and what it looks like when it was misread in turn.
_LOST = ("\ufffd", "锟斤拷")
_ODD = re.compile(f"[{UNSEEN}]|{CANDIDATE.pattern}|{'|'.join(_LOST)}")


def damage(field: Field | None, text: str) -> tuple[Problem, ...]:
    """Return what is wrong with a value whatever its column holds; it is not blank."""
    if text[0] not in _STARTS and text.isascii() and text.isprintable():
        return ()
    return () if field and text in field.allowed else tuple(_damage(text))


def _damage(text: str) -> Iterator[Problem]:
    bare = text.strip()
    stands_for = placeholder(bare) if bare else None
    if stands_for == "error":
        yield _error(text)
    elif stands_for:
        yield _word(text)
    elif text[0] in "='":
        yield from _guarded(text)
    if text.isascii() and text.isprintable():
        return
    yield from _beyond_ascii(text)


def bare_value(text: str) -> str | None:
    """Return a value without the guard that makes Excel take it for text, if it has."""
    formula = _FORMULA_OF_TEXT.fullmatch(text)
    if formula:
        return formula[1].replace('""', '"')
    apostrophe = _APOSTROPHE.fullmatch(text)
    return apostrophe[1] if apostrophe else None


def repaired(text: str) -> str:
    """Return a value without its guard, and read as it was meant."""
    bare = bare_value(text)
    if bare is not None:
        text = bare
    again = reread(text)
    return text if again is None or _is_lost(again) else again


def _error(text: str) -> Problem:
    return Problem(
        "blocks",
        "cell-error",
        f"{shown(text)} is an Excel error, not a value. Fix the formula in Excel, or "
        "send these cells blank.",
    )


def _word(text: str) -> Problem:
    return Problem(
        "warns",
        "placeholder",
        f"{shown(text)} looks like a placeholder and would be written as text. Send it "
        "blank or as #N/A, unless it is a real value.",
    )


def _guarded(text: str) -> Iterator[Problem]:
    bare = bare_value(text)
    if bare is not None:
        yield Problem(
            "warns",
            "formula-text",
            f"{shown(text)} would be sent with the characters that make Excel treat it "
            f"as text. Send {shown(bare)}.",
        )
    elif _FORMULA.match(text):
        yield Problem(
            "warns",
            "formula-text",
            f"{shown(text)} looks like a formula and would be sent as text. Replace it "
            "by its result.",
        )


def _beyond_ascii(text: str) -> Iterator[Problem]:
    if not _ODD.search(text):
        return
    again = reread(text)
    if _is_lost(text) or (again and _is_lost(again)):
        yield Problem(
            "warns",
            "lost-characters",
            f"{shown(text)} has lost characters before it was uploaded. Export it from "
            "the source again.",
        )
    elif again is not None:
        yield Problem(
            "warns",
            "misread",
            f"{shown(text)} was garbled by a wrong encoding before it was uploaded. "
            f"Send {shown(again)}.",
        )
    chars = needless(text.strip())
    if chars:
        yield unseen_problem(text, chars)


def unseen_problem(text: str, chars: list[str]) -> Problem:
    """Return what is to be said of a value with characters that nobody sees."""
    return Problem(
        "warns",
        "unseen",
        f"{shown(text)} contains invisible characters ({unseen_names(chars)}): "
        "searches will not find it. Trim the column.",
    )


def unseen_names(chars: list[str]) -> str:
    """Name the characters, or the first of them."""
    more = ", …" if len(chars) > LISTED else ""
    return ", ".join(map(unseen.called, chars[:LISTED])) + more


def _is_lost(text: str) -> bool:
    return any(mark in text for mark in _LOST)
