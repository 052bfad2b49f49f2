"""Which columns the file of a write has, and which fields its object."""

import csv
from pathlib import Path

from console.models import WriteObject
from files.field import Field
from files.mending.recipes import column_names
from files.raw_records import read_header
from writes.models import Write


def fields_of(write: Write) -> tuple[Field, ...]:
    """Return the fields of the object that is written, () where none are kept."""
    found = WriteObject.objects.filter(
        integration=write.integration, name=write.object_name
    ).first()
    return found.field_list() if found else ()


def columns_of(write: Write) -> list[str]:
    """Return how the columns of the file are called. Raises `FileNotFoundError`."""
    return column_names(header_of(write.path_of("as_read")))


def header_of(path: Path) -> list[str]:
    """Return the cells of the header of a CSV file, [] where it cannot be read."""
    text = read_header(path).decode(errors="replace")
    try:
        return next(csv.reader([*text.splitlines(keepends=True)]), [])
    except csv.Error:
        return []
