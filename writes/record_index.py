"""Noting by keyed digests which values a write carried, and forgetting them.

What finds a write: the key of each row and the id of each record; of a single record
its id, and each of its values. It is filled when rows are joined to their outcome and
when a single record is confirmed, and deleted when the sweep takes the write's files.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from django.db import transaction

from console.fields import UnreadableSecret
from files.rows.record_digests import Digests, Packed
from files.rows.row_store import RowStore
from operations.models import Operation
from writes.models import IndexedSlice, IndexedValue, IndexKey, Write

log = logging.getLogger(__name__)

# So many values are digested between two calls of `progress`.
STEP = 100_000


def digests_of_rows(
    store: Path, progress: Callable[[int, int], None] | None = None
) -> Packed | None:
    """Return the digests of all keys and record ids of joined rows.

    None where the key of the index cannot be read, which must keep no rows from being
    joined: the write then counts as not indexed. Raises whatever `progress` does.
    """
    with RowStore(store) as rows:
        return _digests(_telling(rows.values(), progress))


def digests_of_record(write: Write) -> Packed | None:
    """Return the digests of a single record: of its id and all its values."""
    told = Operation.objects.filter(batch__write=write).values_list("record_id")
    ids = [write.record_id, *(record_id for (record_id,) in told)]
    return _digests([*ids, *values_of(write).values()])


def values_of(write: Write) -> dict[str, str]:
    """Return the fields of a single record that have a value, as texts."""
    fields = write.record_fields().items()
    return {
        name: str(value)
        for name, value in fields
        if isinstance(value, str | int | float) and not isinstance(value, bool)
    }


def fill(write: Write, progress: Callable[[int, int], None] | None = None) -> bool:
    """Note what a confirmed write carried; tell whether it is found by that now.

    Raises `FileNotFoundError` and `sqlite3.DatabaseError` where its rows cannot be
    read, and whatever `progress` does.
    """
    if write.source == Write.Source.RECORD:
        digests = digests_of_record(write)
    else:
        digests = digests_of_rows(write.path_of("rows_store"), progress)
    with transaction.atomic():
        return keep(write, digests)


def note_told(operation: Operation) -> None:
    """Have the id that was told of a single record find its write, in a transaction.

    Whatever fails of it, the answer that told the id has to be stored: then the write
    counts as not indexed.
    """
    if not operation.record_id:
        return
    single = Write.objects.filter(
        source=Write.Source.RECORD, batches__operation=operation
    )
    write = single.exclude(record_id=operation.record_id).first()
    if write is None:
        return
    try:
        with transaction.atomic():
            fill(write)
    except Exception:
        log.exception("Write %s could not be indexed", write.pk)
        single.exclude(indexed=Write.Indexed.NO_MORE).update(
            indexed=Write.Indexed.NOT_YET
        )


def keep(write: Write, digests: Packed | None) -> bool:
    """Put digests in the place of those that the write had, in a transaction.

    Not where the write is swept: tells whether they were kept.
    """
    found = Write.Indexed.NOT_YET if digests is None else Write.Indexed.YES
    mine = Write.objects.filter(
        pk=write.pk, state=Write.State.CONFIRMED, files_deleted_at=None
    )
    if not mine.update(indexed=found):
        return False
    _delete(write)
    if digests is None:
        return False
    IndexedValue.objects.bulk_create(
        IndexedValue(digest=IndexedValue.signed(digest), write=write)
        for digest in digests.few
    )
    IndexedSlice.objects.bulk_create(
        IndexedSlice(slice=number, write=write, digests=slice_)
        for number, slice_ in digests.slices
    )
    return True


def forget(write: Write) -> None:
    """Have no value find the write any more; call it with what deletes its files."""
    Write.objects.filter(pk=write.pk).update(indexed=Write.Indexed.NO_MORE)
    _delete(write)


def _delete(write: Write) -> None:
    IndexedValue.objects.filter(write=write).delete()
    IndexedSlice.objects.filter(write=write).delete()


def _digests(values: Iterable[str]) -> Packed | None:
    try:
        key = IndexKey.current()
    except UnreadableSecret:
        log.warning("The key of the record index cannot be read: FIELD_KEYS has others")
        return None
    return Digests(key).packed(values)


def _telling(
    values: Iterator[str], progress: Callable[[int, int], None] | None
) -> Iterator[str]:
    for number, value in enumerate(values, start=1):
        if progress is not None and number % STEP == 0:
            progress(0, number)
        yield value
