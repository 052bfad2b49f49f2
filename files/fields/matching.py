"""Which field a column of a file stands for."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from files.field import Field

SUGGESTED = 3
_NEAR = 0.75
# Telling near names apart costs: with more columns to name nobody would read them.
_COMPARED = 100

_RELATED = re.compile(r"(?:(?P<target>\w+):)?(?P<relationship>\w+)\.(?P<foreign>\w+)")


@dataclass(frozen=True, kw_only=True)
class Match:
    """What a column stands for.

    `field` is the field by that name. For a relationship column as
    `Account.external_id__c` it is the reference that gets filled, and `foreign` the
    name after the dot. Without a field, `suggestions` are near names of fields.
    """

    field: Field | None = None
    foreign: str = ""
    suggestions: tuple[str, ...] = ()

    @property
    def is_relationship(self) -> bool:
        """Whether the column holds a key of another object."""
        return bool(self.foreign)


class FieldIndex:
    """The fields of an object, ready for many columns to be looked up."""

    def __init__(self, fields: Sequence[Field]) -> None:
        # Every object has an Id, whether or not the list bothers to name it.
        self._by_name = {"id": Field(name="Id", type="id")}
        self._by_name |= {field.name.lower(): field for field in fields}
        self._by_relationship: dict[str, list[Field]] = {}
        for field in fields:
            if field.relationship:
                relationship = field.relationship.lower()
                self._by_relationship.setdefault(relationship, []).append(field)
        # Near names, as somebody would type them who knows the label only.
        self._names: dict[str, str] = {}
        for field in fields:
            if not field.is_read_only:
                for text in (field.name, field.label):
                    self._names.setdefault(only_letters(text), field.name)
        self._names.pop("", None)

    def find(self, column: str) -> Match:
        """Return what the column stands for; names count in any case."""
        field = self._by_name.get(column.lower())
        if field:
            return Match(field=field)
        related = _RELATED.fullmatch(column)
        reference = self._reference(related) if related else None
        if related and reference:
            return Match(field=reference, foreign=related["foreign"])
        return Match(suggestions=self._near(column))

    def filled_by(self, column: str) -> str:
        """Return the name of the field that the column fills.

        For a relationship column of which nothing is declared, as `Account.Name` or
        `Parent__r.Name`, it is what Salesforce usually calls the reference.
        """
        match = self.find(column)
        if match.field:
            return match.field.name
        related = _RELATED.fullmatch(column)
        if not related:
            return column
        relationship = related["relationship"]
        if relationship.lower().endswith("__r"):
            return f"{relationship[:-1]}c"
        return f"{relationship}Id"

    def _reference(self, related: re.Match[str]) -> Field | None:
        target = (related["target"] or "").lower()
        for field in self._by_relationship.get(related["relationship"].lower(), ()):
            targets = {name.lower() for name in field.references}
            if not target or not targets or target in targets:
                return field
        return None

    def _near(self, column: str) -> tuple[str, ...]:
        letters = only_letters(column[:250])
        if letters in self._names:
            return (self._names[letters],)
        candidates = [name for name in self._names if name[:1] == letters[:1]]
        near = difflib.get_close_matches(
            letters, candidates[:_COMPARED], SUGGESTED, _NEAR
        )
        return tuple(dict.fromkeys(self._names[name] for name in near))


def only_letters(name: str) -> str:
    """Return the letters and digits of a name in lower case, without a final __c."""
    bare = re.sub(r"__c$", "", name, flags=re.IGNORECASE)
    return "".join(char for char in bare.lower() if char.isalnum())
