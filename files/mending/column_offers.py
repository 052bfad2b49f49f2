"""What would put the cells of one column right, and how many of them it would change.

Each offer is tried on every cell as its column's recipe would send it with and without
it: so its count is that of the cells that change.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from files.field import Field, Type
from files.mending.cell_mending import ColumnStep
from files.mending.column_recipes import ColumnRecipe, DateConversion, DateFormat
from files.mending.date_order import DateEvidence
from files.values.invisible import trimmed
from files.values.number_marks import MARKS, Mark, MarkEvidence
from files.values.numbers import TYPES as NUMBERS
from files.values.placeholders import placeholder, stands_for_nothing
from files.values.rules import NULL, holds_text

EXAMPLES = 3
MOST_SPELLINGS = 100
_SPACES = frozenset(("cell-spaces", "key-spaces", "unseen"))
_PLACEHOLDERS = frozenset(("placeholder", "cell-error"))
_TYPED: dict[str, Type] = {
    "date": "date",
    "number": "double",
    "boolean": "boolean",
    "picklist": "picklist",
}
_DATE_FORMATS: tuple[DateFormat, ...] = (
    "us",
    "european",
    "iso-space",
    "month-name",
    "compact",
)


@dataclass
class Offer:
    """One way to change the cells of a column: the parts of its recipe that it sets."""

    parts: dict[str, Any]
    mend: Callable[[str], str]
    count: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    is_safe: bool = True
    why: str = ""

    def try_on(self, text: str, now: str, times: int) -> None:
        """Count a cell that goes out as `now`, if this changes it."""
        after = self.mend(text)
        if after == now:
            return
        self.count += times
        if len(self.examples) < EXAMPLES:
            self.examples.append((now, after))


class ColumnOffers:
    """Looks at the cells of one column, as read, and tells what to offer for them.

    `rules` are those that something was found by, `declared` is the field that somebody
    said it fills. Without one it is guessed, and nothing about its values is safe.
    """

    def __init__(
        self,
        name: str,
        recipe: ColumnRecipe,
        rules: Collection[str],
        declared: Field | None,
    ) -> None:
        self.name = name
        self._recipe = recipe
        self._declared = declared
        self._rules = frozenset(rules)
        self._now = ColumnStep(name, recipe).mend
        spaces = not recipe.trim and not self._rules.isdisjoint(_SPACES)
        self._base = {"trim": True} if spaces else {}
        self._bare = self._step(self._base)
        self._spaces = Offer(self._base, self._bare) if spaces else None
        self._typed = self._typed_offers()
        self._words = self._words_offer()
        self._nulls = self._nulls_offer()
        self._dates, self._marks = DateEvidence(), MarkEvidence()
        self._spellings: dict[str, str] = {}

    @property
    def has_any(self) -> bool:
        """Whether there is anything to try."""
        return bool(self._all)

    @property
    def _all(self) -> list[Offer]:
        single = (self._spaces, self._words, self._nulls)
        return [*filter(None, single), *self._typed.values()]

    def look(self, texts: Sequence[str]) -> None:
        """Take cells of the file as read into account."""
        offers = self._all
        evidence = self._evidence()
        for text, times in Counter(texts).items():
            now = self._now(text)
            if evidence is not None:
                bare = self._bare(text) if self._base else now
                if bare and bare != NULL:
                    evidence.add(bare)
            if self._words is not None:
                self._judge_word(self._words, now)
            for offer in offers:
                offer.try_on(text, now, times)

    def told(self) -> list[Offer]:
        """Return what to offer, in the order in which a recipe does it."""
        typed = self._proven()
        single = [typed or self._spaces, self._words, self._nulls]
        if typed is not None and not typed.is_safe:
            single.insert(0, self._spaces)
        return [offer for offer in single if offer is not None and offer.count]

    def _step(self, parts: dict[str, Any]) -> Callable[[str], str]:
        return ColumnStep(self.name, replace(self._recipe, **parts)).mend

    def _offer(self, parts: dict[str, Any]) -> Offer:
        parts = {**self._base, **parts}
        return Offer(parts, self._step(parts))

    def _type(self) -> Type | None:
        if self._declared is not None:
            return self._declared.type
        return next((_TYPED[rule] for rule in self._rules if rule in _TYPED), None)

    def _typed_offers(self) -> dict[str, Offer]:
        recipe, kind = self._recipe, self._type()
        if self._rules.isdisjoint(_TYPED):
            return {}
        if kind == "date" and recipe.dates is None:
            # Of a date with a time nobody knows the zone, unless it is told.
            return {
                form: self._offer({"dates": DateConversion(into="date", format=form)})
                for form in _DATE_FORMATS
            }
        if kind in NUMBERS and not recipe.numbers:
            return {mark: self._offer({"numbers": mark}) for mark in MARKS}
        if kind == "boolean" and not recipe.booleans:
            return {"words": self._offer({"booleans": True})}
        field_ = self._declared
        if kind == "picklist" and field_ is not None and field_.is_restricted:
            return {"spelling": Offer(dict(self._base), self._spelled(field_))}
        return {}

    def _spelled(self, field_: Field) -> Callable[[str], str]:
        """Return what writes a value as the picklist does, where one alone is meant."""
        times = Counter(_folded(value) for value in field_.values)
        meant = {
            _folded(value): value
            for value in field_.values
            if times[_folded(value)] == 1
        }

        def spelled(text: str) -> str:
            bare = self._bare(text)
            value = meant.get(_folded(bare))
            if value is None or bare in field_.allowed:
                return bare
            if bare not in self._spellings and len(self._spellings) >= MOST_SPELLINGS:
                return bare
            self._spellings[bare] = value
            return value

        return spelled

    def _words_offer(self) -> Offer | None:
        wanted = not self._recipe.placeholders and not self._rules.isdisjoint(
            _PLACEHOLDERS
        )
        parts = {"placeholders": "blank"}
        return Offer(parts, self._step(parts)) if wanted else None

    def _nulls_offer(self) -> Offer | None:
        recipe = self._recipe
        if "nulls" not in self._rules or recipe.blank_to_null or recipe.null_to_blank:
            return None
        parts = {"null_to_blank": True}
        why = f"{NULL} may be intended: it clears the field."
        return Offer(parts, self._step(parts), is_safe=False, why=why)

    def _evidence(self) -> DateEvidence | MarkEvidence | None:
        """Return what the cells of this column prove something by."""
        if "point" in self._typed:
            return self._marks
        return self._dates if "us" in self._typed else None

    def _judge_word(self, words: Offer, text: str) -> None:
        """Note whether a word for no value could be a value of this column."""
        bare = text.strip()
        if not placeholder(bare) or bare == NULL:
            return
        is_text = self._declared is None or holds_text(self._declared)
        is_lost = not bare.strip("?") or not bare.strip("#")
        if is_lost or (is_text and not stands_for_nothing(bare)):
            words.is_safe = False
            words.why = "A placeholder may be the value here."

    def _proven(self) -> Offer | None:
        """Return the one conversion that the cells prove, None without one."""
        offer = self._best()
        least = self._spaces.count if self._spaces is not None else 0
        if offer is None or offer.count <= least:
            return None
        if self._declared is None:
            offer.is_safe = False
            offer.why = "There is no field list to tell the type of this column."
        return offer

    def _best(self) -> Offer | None:
        if "spelling" in self._typed:
            offer = self._typed["spelling"]
            taken = self._recipe.replaced
            offer.parts["replaced"] = (*taken, *self._spellings.items())
            return offer
        if "words" in self._typed:
            return self._typed["words"]
        if "point" in self._typed:
            return self._numbers()
        proven = self._dates.proven()
        offers = [self._typed[form] for form in self._typed if form in proven]
        return max(offers, key=lambda offer: offer.count, default=None)

    def _numbers(self) -> Offer | None:
        mark: Mark | None = self._marks.proven
        if mark is not None:
            return self._typed[mark]
        if not self._marks.is_open:
            return None
        offer = self._typed["point"]
        offer.is_safe = False
        offer.why = "1,234 could also be 1.234: no cell of this column tells."
        return offer


def _folded(text: str) -> str:
    return trimmed(text).lower()
