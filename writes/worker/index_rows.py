"""The index of the rows of a draft: made by its check, and anew where it is missing."""

from pathlib import Path

from files.grid.row_index import Progress, write_index
from writes.columns import fields_of
from writes.display.grid import DraftRows, reading_of
from writes.models import Write
from writes.storage import NewFiles


def make_index(
    write: Write,
    target: Path,
    as_read: Path,
    findings: Path,
    *,
    progress: Progress | None = None,
) -> None:
    """Write the index of the rows of `as_read` with their findings to `target`."""
    reading = reading_of(write)
    write_index(target, as_read, findings, reading=reading, progress=progress)


def index_of(write: Write) -> Path:
    """Return where the index of a checked draft lies; one that is missing is made.

    Raises `FileNotFoundError` where its file is not checked, or is gone.
    """
    try:
        return write.path_of("row_index")
    except FileNotFoundError:
        as_read, findings = write.path_of("as_read"), write.path_of("findings")
    new_files = NewFiles()
    target = new_files.path("row-index", "sqlite3")
    try:
        make_index(write, target, as_read, findings)
    except BaseException:
        new_files.discard()
        raise
    mine = Write.objects.filter(pk=write.pk, row_index=write.row_index.name)
    if not mine.update(row_index=new_files.name_of(target)):
        new_files.discard()
    write.refresh_from_db()
    return write.path_of("row_index")


def rows_of(write: Write) -> DraftRows:
    """Return the rows of a checked draft, to be closed. Raises as `index_of`."""
    try:
        return DraftRows(write, index_of(write), fields_of)
    except FileNotFoundError:
        # A check that ended just now made others.
        write.refresh_from_db()
        return DraftRows(write, index_of(write), fields_of)
