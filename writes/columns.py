"""Which columns the file of a write has, and which fields its object."""

from pathlib import Path

from console.models import WriteObject
from files.checking.records import Records, Unreadable
from files.checking.structure import MOST_COLUMNS
from files.field import Field
from files.mending.recipes import column_names
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
    """Return the cells of the header of a CSV file.

    [] where it cannot be read, or has more than any header that is sent.
    """
    with path.open("rb") as file:
        try:
            cells = next(iter(Records(file)), [])
        except Unreadable:
            return []
    if len(cells) > MOST_COLUMNS:
        return []
    return [
        name.encode(errors="surrogateescape").decode(errors="replace") for name in cells
    ]
