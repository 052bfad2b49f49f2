"""What is known of a write whose outcome is unknown, and what it may have become."""

from dataclasses import dataclass, field
from itertools import islice
from typing import cast

from django.db.models import Q

from files.rows.sent_rows import read_header, sent_rows
from files.splitting import Part
from files.values.numbers import TYPES as NUMBERS
from operations.models import Operation
from operations.models.operation_queries import OperationQuerySet
from writes.columns import fields_of
from writes.hints import answer_ids, soql
from writes.hints.soql import LookUp
from writes.models import Batch, Write

MOST_FOLLOWED = 10


@dataclass(frozen=True)
class Hints:
    """Where a person can look: everything here is a hint and nothing is proof.

    `followed` are operations that somebody began to follow after this was sent.
    """

    operation_ids: list[str] = field(default_factory=list)
    record_ids: list[str] = field(default_factory=list)
    followed: list[Operation] = field(default_factory=list)
    look_ups: list[LookUp] = field(default_factory=list)


def gather(batch: Batch) -> Hints:
    """Return what there is to find out what became of `batch`. Asks nobody else."""
    operation = batch.operation
    said = answer_text(operation)
    if not operation.is_bulk:
        return Hints(
            record_ids=answer_ids.salesforce_ids(said), look_ups=_look_ups(batch)
        )
    return Hints(
        operation_ids=answer_ids.operation_ids(said),
        followed=list(followed_since(operation)[:MOST_FOLLOWED]),
        look_ups=_look_ups(batch),
    )


def answer_text(operation: Operation) -> str:
    """Return the body of the answer as far as it came, "" where none did."""
    return str(operation.answer.get("body", ""))


def followed_since(operation: Operation) -> OperationQuerySet:
    """Return others' operations that this one may be: followed after it was sent."""
    same = Q(object_name__iexact=operation.object_name) | Q(object_name="")
    followed = Operation.objects.filter(
        same,
        project=operation.project_id,
        action=Operation.Action.FOLLOW,
        created_at__gte=operation.sent_at,
    )
    return followed.newest_first()


def _look_ups(batch: Batch) -> list[LookUp]:
    write = batch.write
    fields = fields_of(write)
    if write.source == Write.Source.RECORD and write.record_id:
        return soql.by_record_id(write.object_name, write.record_id)
    if write.source == Write.Source.RECORD:
        external_ids = [each.name for each in fields if each.is_external_id]
        record = write.record_fields()
        return soql.by_fields(write.object_name, record, external_ids)
    if write.source == Write.Source.URL:
        return []
    types = {each.name.casefold(): each.type for each in fields}
    return soql.by_key(
        write.object_name,
        write.primary_key,
        first_keys(batch),
        is_number=types.get(write.primary_key.casefold()) in NUMBERS,
    )


def first_keys(batch: Batch) -> list[str]:
    """Return the keys of the first rows that `batch` carries; none where it is gone."""
    part = cast(Part, batch.part)
    try:
        path = batch.write.path_of("as_sent")
    except FileNotFoundError:
        return []
    columns, _ = read_header(path)
    names = [name.casefold() for name in columns]
    key = batch.write.primary_key.casefold()
    if key not in names:
        return []
    rows = sent_rows(
        path, offset=part.offset, length=part.length, column=names.index(key)
    )
    return [key for key, _, _ in islice(rows, soql.MOST_KEYS)]
