"""“Has this record been written?”: every write that carried a key or a record id.

`find` asks the index of digests which writes may have carried a value, and then the
rows of those few for the row itself and what became of it. So it misses no write that
is indexed, and names none that did not carry the value.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.functional import cached_property

from console.access.roles import Person, Role, environments_for
from console.models import Integration
from files.rows.record_digests import Digests, place_of, plain
from files.rows.row_store import RowOutcome, RowStore
from operations.models import Operation
from writes import record_index
from writes.models import (
    Batch,
    IndexedSlice,
    IndexedValue,
    IndexKey,
    Write,
    WriteQuerySet,
)

# So many writes a page, so many rows of each, and no more of what is not indexed.
HITS = 25
MOST_ROWS = 5
MOST_COUNTED = 10_000
MOST_NAMED = 5
# What no list shows of a write, and may be large.
LARGE = ("check_report", "inspection", "rows_report", "lanes_packed")


@dataclass(frozen=True)
class Carried:
    """One place where a write carried the value.

    Of a file `row` is the row with its outcome and its reasons. Of a single record it
    is None, and what became of it is told by the state of the operation.
    """

    operation: Operation | None
    row: RowOutcome | None = None


@dataclass(frozen=True)
class Hit:
    """A write that carried the value, and where.

    `is_more` where the file has other rows with it. `fields` are those of a single
    record that have the value, none where its id does. `is_doubtful` where nobody can
    look it up: the index says so, and the results of its rows are missing.
    """

    write: Write
    carried: list[Carried] = field(default_factory=list)
    is_more: bool = False
    fields: list[str] = field(default_factory=list)
    is_doubtful: bool = False


@dataclass(frozen=True)
class Found:
    """What a look-up came to: `hits`, newest first; `before` begins the next page."""

    text: str
    hits: list[Hit]
    before: int | None


@dataclass(frozen=True)
class Missing:
    """What no look-up finds yet: how many writes, up to MOST_COUNTED, of `waiting`.

    `days` is for how many days each environment is covered.
    """

    count: int
    waiting: WriteQuerySet
    days: dict[str, int]

    @cached_property
    def newest(self) -> list[Write]:
        """The newest of them, without what is large."""
        pks = self.waiting.order_by("-pk").values_list("pk", flat=True)[:MOST_NAMED]
        named = Write.objects.filter(pk__in=list(pks))
        return list(named.defer(*LARGE).order_by("-pk"))

    @property
    def is_more(self) -> bool:
        """Whether there are more than were counted."""
        return self.count == MOST_COUNTED


def find(
    user: Person, text: str, *, before: int | None = None, limit: int = HITS
) -> Found:
    """Return the writes that carried `text` as a row's key or a record's id.

    Of single records, also as the value of a field. Only what `user` may see; newest
    first, at most `limit` writes, with numbers below `before` if that is given. The
    text is taken as typed, but for spaces around it; the 15 and the 18 characters of
    an id of Salesforce are one. Blank text finds nothing.

    Raises `console.fields.UnreadableSecret` where the key of the index cannot be read.
    """
    text = plain(text)
    hits: list[Hit] = []
    if not text:
        return Found(text, hits, None)
    for write in _candidates(user, text, before, limit):
        hit = _hit(write, text)
        if hit is None:
            continue
        if len(hits) == limit:
            return Found(text, hits, hits[-1].write.pk)
        hits.append(hit)
    return Found(text, hits, None)


def missing(user: Person) -> Missing:
    """Return which writes that `user` may see no look-up finds yet.

    They are still running, or the clock has not come to them yet, or their rows could
    not be read.
    """
    waiting = Write.objects.not_indexed().filter(integration__in=_integrations(user))
    days = {
        environment: settings.KEEP_DAYS[environment]
        for environment in environments_for(user, Role.VIEWER)
    }
    count = waiting.values("pk")[:MOST_COUNTED].count()
    return Missing(count, waiting, days)


def _integrations(user: Person) -> list[int]:
    """Return the integrations that `user` may look at: there are few."""
    visible = Integration.objects.visible_to(user)
    return list(visible.values_list("pk", flat=True))


def _candidates(
    user: Person, text: str, before: int | None, limit: int
) -> Iterator[Write]:
    """Yield the writes that may have carried a value, newest first, some at a time."""
    digest = Digests(IndexKey.current()).of(text)
    mine = Q(write__integration__in=_integrations(user))
    while True:
        below = mine & Q(write_id__lt=before) if before else mine
        pks = _newest(digest, text, below, limit + 1)
        writes = Write.objects.visible_to(user).filter(pk__in=pks).order_by("-pk")
        yield from writes.select_related("integration__project").defer(*LARGE)
        if len(pks) <= limit:
            return
        before = pks[-1]


def _newest(digest: int, text: str, below: Q, most: int) -> list[int]:
    """Return the numbers of the newest writes that the index names, at most so many."""
    number, kept = place_of(digest)
    values = IndexedValue.objects.filter(below, digest=IndexedValue.signed(digest))
    found = set(values.order_by("-write_id").values_list("write_id", flat=True)[:most])
    slices = IndexedSlice.objects.filter(below).with_digest(number, kept)
    found |= set(slices.order_by("-write_id").values_list("write_id", flat=True)[:most])
    return sorted(found, reverse=True)[:most]


def _hit(write: Write, text: str) -> Hit | None:
    """Return where a write carried the value, None where it did not."""
    if write.source == Write.Source.RECORD:
        return _hit_of_record(write, text)
    try:
        with RowStore(write.path_of("rows_store")) as store:
            rows = store.carrying(text, limit=MOST_ROWS + 1)
    except (FileNotFoundError, sqlite3.DatabaseError):
        return Hit(write, is_doubtful=True)
    if not rows:
        return None
    numbers = [row.sent_row for row in rows]
    batches = _batches(write).filter(
        first_row__lte=max(numbers), last_row__gte=min(numbers)
    )
    carried = [Carried(_operation_of(row, batches), row) for row in rows[:MOST_ROWS]]
    return Hit(write, carried, is_more=len(rows) > MOST_ROWS)


def _batches(write: Write) -> QuerySet[Batch]:
    return write.batches.select_related("operation").defer("body", "operation__answer")


def _operation_of(row: RowOutcome, batches: Iterable[Batch]) -> Operation | None:
    for batch in batches:
        if (batch.first_row or 0) <= row.sent_row <= (batch.last_row or 0):
            return batch.operation
    return None


def _hit_of_record(write: Write, text: str) -> Hit | None:
    batch = _batches(write).first()
    operation = batch.operation if batch else None
    told = {plain(write.record_id), plain(operation.record_id) if operation else ""}
    values = record_index.values_of(write).items()
    fields = [name for name, value in values if plain(value) == text]
    if text not in told and not fields:
        return None
    return Hit(write, [Carried(operation)], fields=fields)
