"""What is told of a row to programs: the same columns in the API and in exports."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet


class Kind(StrEnum):
    """What values a column has."""

    INTEGER = "integer"
    TEXT = "text"
    # A datetime with a time zone; ISO 8601 in UTC where it is written.
    MOMENT = "timestamp"
    # Any JSON; its text where a file has one value a cell.
    JSON = "json"


_SCHEMAS: dict[Kind, dict[str, Any]] = {
    Kind.INTEGER: {"type": "integer"},
    Kind.TEXT: {"type": "string"},
    Kind.MOMENT: {"type": "string", "format": "date-time"},
    Kind.JSON: {},
}


@dataclass(frozen=True)
class Column:
    """One value of each row: its name, its kind, and what it means.

    `source` is the look-up that gives it, where that is not its name. A column that is
    not `optional` is never null. `words` are all that a text can be.
    """

    name: str
    kind: Kind
    about: str
    source: str = ""
    optional: bool = False
    words: tuple[str, ...] = ()

    def in_json(self, value: Any) -> Any:
        """Return a value as the API writes it."""
        if isinstance(value, datetime):
            return in_utc(value)
        return value

    def in_cell(self, value: Any) -> Any:
        """Return a value as a file has it: a text where it is JSON, else as it is."""
        if self.kind == Kind.JSON and value is not None:
            return json.dumps(value, ensure_ascii=False)
        return value

    def schema(self) -> dict[str, Any]:
        """Return its JSON schema."""
        schema = {**_SCHEMAS[self.kind], "description": self.about}
        if self.words:
            schema["enum"] = list(self.words)
        if self.optional and "type" in schema:
            schema["type"] = [schema["type"], "null"]
        return schema


@dataclass(frozen=True)
class Table:
    """The columns of one kind of row. The first tells rows apart."""

    name: str
    about: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The names of its columns, in order."""
        return [column.name for column in self.columns]

    def rows(self, found: QuerySet[Any]) -> Iterable[tuple[Any, ...]]:
        """Return the values of rows of the database, column by column."""
        return found.values_list(*(c.source or c.name for c in self.columns))

    def in_json(self, row: Iterable[Any]) -> dict[str, Any]:
        """Return a row as the API writes it."""
        pairs = zip(self.columns, row, strict=True)
        return {column.name: column.in_json(value) for column, value in pairs}

    def in_cells(self, rows: Iterable[Iterable[Any]]) -> Iterator[list[Any]]:
        """Yield rows as files have them."""
        for row in rows:
            pairs = zip(self.columns, row, strict=True)
            yield [column.in_cell(value) for column, value in pairs]

    def schema(self) -> dict[str, Any]:
        """Return its JSON schema."""
        return {
            "type": "object",
            "description": self.about,
            "required": self.names,
            "properties": {column.name: column.schema() for column in self.columns},
        }


def in_utc(moment: datetime) -> str:
    """Return a moment as ISO 8601 in UTC, with microseconds."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text.replace("+00:00", "Z")
