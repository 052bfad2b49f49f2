"""Which columns the file of a write has, and which fields its object."""

from pathlib import Path

from console.connections.object_metadata import fields_for
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
    if found is None:
        return ()
    if not write.is_run:
        return found.field_list()
    # A run is made of records: what this customer's object has decides.
    groups = write.integration.groups.filter(group_ref=write.group_ref)
    return fields_for(found, groups.first())


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
