"""Number formats of Excel: what a cell shows, and what goes out for it.

Formats that only write the same number otherwise, with separators, a currency or a
colour, leave it as it is. Percent goes out as the number before the sign, padded and
parted digits (00000, 000-00-0000, "ID-"0000) as shown. Of all others the number goes
out that is stored, and that it is shown otherwise is told.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property
from typing import Literal, NamedTuple

from files.reading.cells import number

Kind = Literal["general", "plain", "percent", "digits", "date", "hidden", "other"]

# ECMA-376 part 1, 18.8.30: formats that are not written out.
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%",
    11: "0.00E+00", 12: "# ?/?", 13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy",
    16: "d-mmm", 17: "mmm-yy", 18: "h:mm", 19: "h:mm:ss", 20: "h:mm", 21: "h:mm:ss",
    22: "m/d/yy h:mm", 37: "#,##0", 38: "#,##0", 39: "#,##0.00", 40: "#,##0.00",
    41: "#,##0", 42: "#,##0", 43: "#,##0.00", 44: "#,##0.00", 5: "#,##0", 6: "#,##0",
    7: "#,##0.00", 8: "#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    48: "##0.0E+0", 49: "@",
}  # fmt: skip

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)[^\]]*\]'
    r"|\[(?P<bracket>[^\]]*)\]|(?P<general>General)|(?P<exponent>E[+-])"
    r"|(?P<am>AM/PM|A/P)|(?P<char>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[0-9]+(?:\.[0-9]+)?)")
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_HOLDS = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "=": lambda a, b: a == b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
    "<>": lambda a, b: a != b,
}
# With room for every digit of the largest number, and of the smallest.
_EXACT = Context(prec=1_000, rounding=ROUND_HALF_UP)
_PLACES = "0#?"
_DATE_LETTERS = "ymdhsgeb"
# What stands beside a number without making another text of it.
_BESIDE = re.compile(
    r"[\s()+\-$€£¥₹₽₩₪₺฿\xa0]*|\s*[A-Z]{3}\s*|\s*(?:Fr\.|kr\.?|zł|Kč|R\$)\s*"
)


class Shown(NamedTuple):
    """What goes out for a number, and what Excel shows if that is something else.

    `shown` is "" where they are the same, None where they differ in a way that is not
    worked out here.
    """

    text: str
    shown: str | None = ""


@dataclass(frozen=True)
class Section:
    """One part of a format, as for negative numbers: its pieces in order.

    A piece is a place for a digit, "." or ",", "%", "E", "/", "@", a letter of a date
    or a literal text, each with its kind.
    """

    pieces: tuple[tuple[str, str], ...]
    condition: tuple[str, float] | None = None

    @cached_property
    def kind(self) -> Kind:
        kinds = [kind for kind, _ in self.pieces]
        if "date" in kinds:
            return "date"
        if not kinds:
            return "hidden"
        if "general" in kinds or "text" in kinds:
            return "plain" if self.is_bare else "other"
        if "place" not in kinds or "exponent" in kinds or "fraction" in kinds:
            return "other"
        if "percent" in kinds:
            is_one = kinds.count("percent") == 1 and not self._is_scaled
            return "percent" if is_one and self.is_bare else "other"
        if self._is_scaled:
            return "other"
        is_whole = "point" not in kinds and "comma" not in kinds
        if is_whole and self._is_padded:
            return "digits"
        return "plain" if self.is_bare else "other"

    @property
    def is_bare(self) -> bool:
        """Whether its texts are signs of a currency, brackets and the like."""
        return all(_BESIDE.fullmatch(t) for kind, t in self.pieces if kind == "literal")

    @property
    def _is_padded(self) -> bool:
        """Whether digits are filled up with zeros, or parted by a text."""
        places = [i for i, (kind, _) in enumerate(self.pieces) if kind == "place"]
        zeros = sum(text == "0" for kind, text in self.pieces if kind == "place")
        return zeros > 1 or places[-1] - places[0] >= len(places)

    @property
    def _is_scaled(self) -> bool:
        """Whether a comma after the last place divides by a thousand."""
        kinds = [kind for kind, _ in self.pieces if kind in ("place", "comma", "point")]
        ends = [i for i, kind in enumerate(kinds) if kind == "point"] or [len(kinds)]
        return bool(kinds) and (kinds[-1] == "comma" or kinds[ends[0] - 1] == "comma")

    @cached_property
    def is_general(self) -> bool:
        """Whether a number is shown as it is."""
        return any(kind in ("general", "text") for kind, _ in self.pieces)

    def shows_all_of(self, value: float) -> bool:
        """Whether it shows the number itself, with no digit less."""
        if self.kind != "plain":
            return False
        return self.is_general or round(value, self.decimals) == value

    @cached_property
    def decimals(self) -> int:
        kinds = [kind for kind, _ in self.pieces if kind in ("place", "point")]
        return len(kinds) - kinds.index("point") - 1 if "point" in kinds else 0

    @cached_property
    def letters(self) -> str:
        """The letters of a date, in lower case."""
        return "".join(text.lower() for kind, text in self.pieces if kind == "date")

    def filled(self, digits: str) -> str:
        """Return whole digits in their places, with all texts between."""
        rest, written = list(digits), []
        first = next(i for i, (kind, _) in enumerate(self.pieces) if kind == "place")
        for index in range(len(self.pieces) - 1, -1, -1):
            kind, text = self.pieces[index]
            if kind == "literal":
                written.append(text)
            elif kind == "place":
                written.append(_digit(text, rest))
                if index == first:
                    written.append("".join(rest))
        return "".join(reversed(written))


def _digit(place: str, rest: list[str]) -> str:
    if rest:
        return rest.pop()
    return {"0": "0", "?": " "}.get(place, "")


class Format:
    """A number format, as "0.00%"."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.sections = [_section(text) for text in _parts(code)]
        self._has_conditions = any(s.condition for s in self.sections[:3])
        self.is_general = code.strip().lower() in ("", "general", "@")

    @cached_property
    def rewrites(self) -> bool:
        """Whether another number or text may go out than the one that is stored."""
        return any(section.kind in ("percent", "digits") for section in self.sections)

    @cached_property
    def letters(self) -> str:
        """The letters of a date or time that it shows, "" where it shows a number."""
        return self.sections[0].letters

    @cached_property
    def is_elapsed(self) -> bool:
        """Whether it shows a time that passed, as [h]:mm, which may be below zero."""
        return bool(_ELAPSED.search(self.code))

    def write(self, value: float) -> Shown:
        """Return what goes out for a number."""
        text = number(value)
        section, is_negated = self._section_for(value)
        # Nearly all cells: without the way through decimals.
        if section is not None and section.shows_all_of(value):
            return Shown(text)
        if section is None or section.kind in ("date", "other"):
            return Shown(text, self._by_hand(section, value))
        if section.kind == "hidden":
            return Shown(text, None)
        exact = Decimal(text)
        if section.kind == "digits":
            is_whole = exact == exact.to_integral_value()
            if is_whole and (exact >= 0 or is_negated):
                return Shown(section.filled(text.lstrip("-")))
            return Shown(text, None)
        if section.kind == "percent":
            exact = _EXACT.multiply(exact, 100)
            text = f"{_EXACT.normalize(exact):f}"
        rounded = _EXACT.quantize(exact, Decimal(1).scaleb(-section.decimals))
        return Shown(text, "" if rounded == exact else f"{rounded:f}")

    def is_percent(self, value: float) -> bool:
        """Whether it shows a number as a percentage."""
        section, _ = self._section_for(value)
        return section is not None and section.kind == "percent"

    def _by_hand(self, section: Section | None, value: float) -> str | None:
        """Return what is shown of a whole number with a text beside it."""
        if section is None or section.kind == "date":
            return None
        kinds = {kind for kind, _ in section.pieces}
        if kinds == {"literal"}:
            return "".join(text for _, text in section.pieces)
        is_whole = value >= 0 and value == int(value)
        if kinds != {"place", "literal"} or not is_whole:
            return None
        return section.filled(number(value))

    def text(self, value: str) -> str:
        """Return what is shown of a text: a format may put another one beside it."""
        last = self.sections[-1]
        if ("text", "@") not in last.pieces or len(self.sections) not in (1, 4):
            return value
        return "".join(value if kind == "text" else t for kind, t in last.pieces)

    def _section_for(self, value: float) -> tuple[Section | None, bool]:
        """Return the section for a number, and whether it stands for its sign."""
        numeric = self.sections[:3]
        if self._has_conditions:
            for section in numeric:
                condition = section.condition
                if condition is None or _HOLDS[condition[0]](value, condition[1]):
                    return section, False
            return None, False
        if value < 0 and len(numeric) > 1:
            return numeric[1], True
        if value == 0 and len(numeric) > 2:  # noqa: PLR2004  # the third is for zero
            # An accountant's "-" is a zero.
            is_bare = numeric[2].kind != "hidden" and numeric[2].is_bare
            return (_ZERO if is_bare else numeric[2]), False
        return numeric[0], False


def _parts(code: str) -> list[str]:
    """Return the sections of a format: at ";" outside quotes and brackets."""
    parts, start = [], 0
    for token in _TOKEN.finditer(code):
        if token["char"] == ";":
            parts.append(code[start : token.start()])
            start = token.end()
    return [*parts, code[start:]][:4]


def _section(text: str) -> Section:
    pieces: list[tuple[str, str]] = []
    condition = None
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "bracket":
            found = _CONDITION.fullmatch(token["bracket"])
            if found:
                condition = found[1], float(found[2])
            elif token["bracket"].lower().strip("hms") == "" and token["bracket"]:
                pieces.append(("date", token["bracket"]))
        elif kind in ("quoted", "escaped", "currency"):
            pieces.append(("literal", token[kind]))
        elif kind == "am":
            pieces.append(("date", "h"))
        elif kind in ("general", "exponent"):
            pieces.append((kind, token[0]))
        elif kind == "char":
            pieces.append(_piece(token[0]))
    return Section(_joined(pieces), condition)


def _piece(char: str) -> tuple[str, str]:
    if char in _PLACES:
        return "place", char
    kinds = {".": "point", ",": "comma", "%": "percent", "@": "text", "/": "slash"}
    if char in kinds:
        return kinds[char], char
    return ("date" if char.lower() in _DATE_LETTERS else "literal"), char


def _joined(pieces: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Tell a fraction's stroke from others, and join literal texts."""
    is_date = any(kind == "date" for kind, _ in pieces)
    places = [i for i, (kind, _) in enumerate(pieces) if kind == "place"]
    joined: list[tuple[str, str]] = []
    for index, (kind, text) in enumerate(pieces):
        if kind == "slash":
            is_fraction = bool(places) and places[0] < index and not is_date
            kind = "fraction" if is_fraction else "literal"
        if kind == "literal" and joined and joined[-1][0] == "literal":
            joined[-1] = ("literal", joined[-1][1] + text)
        elif kind != "literal" or text:
            joined.append((kind, text))
    return tuple(joined)


_ZERO = _section("0")
