"""The fields of an object: what its columns may hold."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Type = Literal[
    "string",
    "textarea",
    "picklist",
    "multipicklist",
    "email",
    "phone",
    "url",
    "int",
    "double",
    "currency",
    "percent",
    "boolean",
    "date",
    "datetime",
    "time",
    "reference",
    "id",
    "other",
]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field, as a Salesforce describe tells it, or guessed from a column.

    `length` is in characters for texts, 0 where there is no limit; `digits` and `scale`
    are a number's digits before and after the point, 0 and 0 where they are not known.
    `relationship` is the name before the dot of a relationship column, as "Account".
    `is_inferred` says that nobody declared it: findings about it only warn.
    """

    name: str
    label: str = ""
    type: Type = "string"
    length: int = 0
    digits: int = 0
    scale: int = 0
    is_required: bool = False
    is_creatable: bool = True
    is_updateable: bool = True
    is_external_id: bool = False
    is_restricted: bool = False
    values: tuple[str, ...] = ()
    relationship: str = ""
    references: tuple[str, ...] = ()
    is_inferred: bool = False

    @property
    def is_read_only(self) -> bool:
        """Whether Salesforce refuses any value for it."""
        return not (self.is_creatable or self.is_updateable)

    @cached_property
    def allowed(self) -> frozenset[str]:
        """The values of a picklist, to be looked up a million times."""
        return frozenset(self.values)

    @cached_property
    def spellings(self) -> dict[str, str]:
        """The values of a picklist by their trimmed lower-case spelling."""
        return {value.strip().lower(): value for value in self.values}
