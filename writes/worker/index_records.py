"""Indexing by its records a write of which the rows were joined before."""

from writes import record_index
from writes.models import Write
from writes.worker.progress import Progress


def index_records(write: Write, progress: Progress) -> None:
    """Have the rows of `write` find it.

    Raises `FileNotFoundError` and `sqlite3.DatabaseError` where they cannot be read,
    and `Stopped` if something newer took the place of this work.
    """
    store = write.path_of("rows_store")
    progress.step("Indexing the records", store.stat().st_size)
    record_index.fill(write, progress)
