"""Which columns the file of a write has, and which fields its object."""

from pathlib import Path

from console.connections.object_metadata import fields_for
from console.models import WriteObject
from files.checking.records import Records, Unreadable, readable
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


def knows_all_fields(write: Write) -> bool:
    """Tell whether `fields_of` are all that the object has: not where people typed."""
    found = WriteObject.objects.filter(
        integration=write.integration, name=write.object_name
    ).first()
    if found is None:
        return False
    is_typed = found.fields_from == WriteObject.FieldsFrom.BY_HAND
    fields = fields_of(write)
    return bool(fields) and not (is_typed and fields == found.field_list())


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


# Samples are looked for in so many rows, cut to so many characters.
_SAMPLE_ROWS, LONGEST_SAMPLE, SAMPLES = 50, 40, 3


def samples_of(write: Write) -> list[list[str]]:
    """Return for each column of the file as read its first values, each once.

    Raises `FileNotFoundError`.
    """
    with write.path_of("as_read").open("rb") as file:
        rows = _first_rows(Records(file))
    if not rows:
        return []
    samples: list[list[str]] = [[] for _ in rows[0]]
    for cells in rows[1:]:
        for found, cell in zip(samples, cells, strict=False):
            text = cell.strip()[:LONGEST_SAMPLE]
            if text and text not in found and len(found) < SAMPLES:
                found.append(text)
    return samples


def _first_rows(records: Records) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for cells in records:
            rows.append([readable(cell[: 2 * LONGEST_SAMPLE]) for cell in cells])
            if len(rows) > _SAMPLE_ROWS:
                break
    except Unreadable:
        pass
    return rows
