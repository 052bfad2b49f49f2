"""The CSV of a bulk job: what Salesforce checks before it looks at any row.

Texts are those of the Bulk API 2.0 (Salesforce Bulk API 2.0 guide and the fixtures of
Ampersand's connector, which declares every job's line ending to be LF).
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.schema import Field, SObject

LINE_ENDING = (
    "ClientInputError : LineEnding is invalid on user data."
    " Current LineEnding setting is LF"
)
STRAY_QUOTE = (
    "InvalidBatch : Failed to parse CSV. Found unescaped quote."
    " A value with quote should be within a quote"
)
NO_RECORDS = "InvalidBatch : Records not found"
NO_FIELD = "InvalidBatch : Field name not found : "

_QUOTED = re.compile(r'(?:(?<=[,\n])|\A)"[^"]*+(?:""[^"]*+)*+"(?=[,\n]|\Z)')


class JobError(Exception):
    """The whole job fails; the text is the job's errorMessage."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `foreign` is the parent's External ID of a relationship column."""

    index: int
    field: Field
    foreign: Field | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV whose form is right: every row has one cell per column."""

    text: str
    columns: tuple[Column, ...]
    key: Column

    def rows(self) -> Iterator[list[str]]:
        """The rows below the header; blank lines are none."""
        reader = _reader(self.text)
        next(reader)
        return (row for row in reader if row)


def header(text: str) -> list[str]:
    """The column names of a CSV, empty when there are none."""
    try:
        return next(_reader(text), [])
    except csv.Error:
        return []


def read(text: str, sobject: SObject, primary_key: str) -> Table:
    """Check a job's key and CSV, in Salesforce's order."""
    key = sobject.field(primary_key)
    if key is None or not key.is_key:
        raise JobError(
            f"InvalidJob : Field name provided, {primary_key} does not match an"
            f" External ID, Salesforce Id, or indexed field for {sobject.name}"
        )
    if "\r" in text:
        raise JobError(LINE_ENDING)
    # Take every well-formed quoted cell away: no quote may be left. One by one, since
    # a single call for all would keep every other thread waiting.
    in_cells = sum(cell[0].count('"') for cell in _QUOTED.finditer(text))
    if text.count('"') != in_cells:
        raise JobError(STRAY_QUOTE)
    names = header(text)
    if not names:
        raise JobError(NO_RECORDS)
    columns = tuple(_column(index, name, sobject) for index, name in enumerate(names))
    keys = [column for column in columns if column.field is key and not column.foreign]
    if not keys:
        raise JobError(NO_FIELD + primary_key)
    table = Table(text, columns, keys[-1])
    _check_rows(table)
    return table


MOST_CHARACTERS = 4_000
"""A deletion by an External ID asks Salesforce for the ids first, in one question."""


def need_key_alone(table: Table) -> None:
    """Check what a deletion needs besides: one column, and few characters of keys."""
    if len(table.columns) != 1:
        raise JobError("InvalidJob : a delete takes the primary key alone")
    if table.key.field.type == "id":
        return
    if sum(len(row[0]) for row in table.rows()) >= MOST_CHARACTERS:
        raise JobError("InvalidJob : the query for the records to delete is too long")


def _column(index: int, name: str, sobject: SObject) -> Column:
    if found := sobject.field(name):
        return Column(index, found)
    if related := sobject.related(name):
        return Column(index, *related)
    raise JobError(NO_FIELD + name)


def _check_rows(table: Table) -> None:
    """Refuse rows that are longer or shorter than the header.

    Salesforce loses its place then and takes a value for a column's name.
    """
    is_empty = True
    try:
        for row in table.rows():
            is_empty = False
            if len(row) != len(table.columns):
                raise JobError(NO_FIELD + row[0])
    except csv.Error as error:
        raise JobError(f"InvalidBatch : Failed to parse CSV. {error}") from error
    if is_empty:
        raise JobError(NO_RECORDS)


def _reader(text: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), strict=True)
