"""Forgetting the values of a write: its files, its record, what answers said of it.

In two steps, so that a process may be killed at any moment. `begin` notes it with the
write, which from then on shows and sends nothing any more; `finish` takes away, piece
by piece, what lies in other rows, and may be done again. What stays is who, when and
where to, counts, digests, the names of columns, ids of Salesforce, and the audit.
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from console.models import AuditEvent
from files.mending.column_recipes import ColumnRecipe
from operations.actions import forget_values
from operations.models import Operation
from writes import record_index
from writes.models import Batch, Call, FileJob, KeyLookup, Write
from writes.models.preservation import is_warned_of
from writes.recipe import recipe_as_json
from writes.search import terms
from writes.storage import delete

# So many rows are changed by one statement.
PIECE = 500
# What of the report of a check is a number, a digest or the name of a column.
_COUNTS = (
    "rows",
    "is_partial",
    "columns",
    "key",
    "blocks",
    "error_rows",
    "as_sent_size",
    "as_sent_sha256",
    "held_back_rows",
    "held_back_size",
    "held_back_sha256",
    "parts",
    "has_fields",
    "run",
)
_OF_GROUP = ("level", "rule", "column", "total", "listed", "distinct")


def begin(write: Write, now: datetime) -> bool:
    """Let go of the files and values of a write; tell whether it had not yet.

    A row that names a file that is gone would be worse than a file that no row names:
    that goes by and by.
    """
    names = {getattr(write, kind).name for kind in Write.FILES}
    gone = dict.fromkeys(Write.FILES, "")
    with transaction.atomic():
        # Who puts it on hold at this moment comes before or after this.
        mine = Write.objects.filter(pk=write.pk, files_deleted_at=None)
        is_there = mine.select_for_update().exists()
        if not (is_there and mine.filter(is_warned_of(now)).exists()):
            return False
        mine.update(files_deleted_at=now, **gone, **_without_values(write))
        _empty_bodies(write)
        record_index.forget(write)
        terms.forget_values_of(write)
        if write.state == Write.State.CONFIRMED:
            _audit(write)
    for name in names:
        delete(name)
    return True


def finish(write: Write, now: datetime) -> None:
    """Take away what is left of the values of a write that `begin` was called for."""
    calls = Call.objects.filter(batch__write=write).filter(
        Q(outcome__isnull=False) | Q(answer__isnull=False) | ~Q(reason="")
    )
    for pks in _pieces(calls):
        told = Call.objects.filter(pk__in=pks)
        told.update(outcome=None, answer=None, reason="")
    for pks in _pieces(KeyLookup.objects.filter(write=write)):
        KeyLookup.objects.filter(pk__in=pks).delete()
    FileJob.objects.filter(write=write).exclude(problem="").update(problem="")
    told_of = Operation.objects.filter(batch__write=write, values_deleted_at=None)
    for pks in _pieces(told_of):
        for operation in Operation.objects.filter(pk__in=pks):
            forget_values.forget(operation, now)
    # Again, since a version before this one left them where they were.
    with transaction.atomic():
        write.refresh_from_db()
        _empty_bodies(write)
        terms.forget_values_of(write)
        Write.objects.filter(pk=write.pk).update(
            values_deleted_at=now, **_without_values(write)
        )


def _pieces(rows: QuerySet[Any]) -> Any:
    """Yield the keys of `rows` piece by piece; what was done to them leaves `rows`."""
    while pks := list(rows.order_by("pk").values_list("pk", flat=True)[:PIECE]):
        yield pks


def _without_values(write: Write) -> dict[str, Any]:
    """Return what of the row of a write has other values then."""
    recipe = write.recipe
    columns = {
        name: ColumnRecipe(name=column.name) for name, column in recipe.columns.items()
    }
    bare = replace(recipe, columns=columns, constants=(), cells={})
    return {
        "record": "{}",
        "associations_json": [],
        "inspection": _inspected(write.inspection),
        "recipe_json": recipe_as_json(bare) if write.recipe_json else {},
        "check_report": _counted(write.check_report),
        "rows_report": _fates(write.rows_report),
        "remote_file": write.remote_file
        and {**write.remote_file, "findings": [], "header": []},
    }


def _inspected(told: dict[str, Any]) -> dict[str, Any]:
    """Return what a first look told, without lines of the file."""
    if not told:
        return {}
    offers = [[codec, name, []] for codec, name, _ in told.get("encodings", [])]
    return {**told, "encodings": offers, "doubts": [], "refusal": ""}


def _counted(report: dict[str, Any]) -> dict[str, Any]:
    if not report:
        return {}
    groups = [
        {name: group[name] for name in _OF_GROUP if name in group}
        | {"first": [], "values": []}
        for group in report.get("groups", [])
    ]
    kept = {name: report[name] for name in _COUNTS if name in report}
    return kept | {"preview": [], "fixes": [], "changes": [], "groups": groups}


def _fates(report: dict[str, Any]) -> dict[str, Any]:
    return report and {**report, "groups": [], "loose": [], "alarms": []}


def _empty_bodies(write: Write) -> None:
    """Leave of a request for one record what stands around that."""
    Batch.objects.filter(write=write).exclude(stopped_why="").update(stopped_why="")
    if write.source != Write.Source.RECORD:
        return
    for batch in Batch.objects.filter(write=write):
        body = json.loads(batch.body)
        around = {**body, "record": None} if "record" in body else body
        around.pop("associations", None)
        Batch.objects.filter(pk=batch.pk).update(body=json.dumps(around))


def _audit(write: Write) -> None:
    has_file = write.source == Write.Source.CSV
    AuditEvent.record(
        action="write.files_deleted" if has_file else "write.values_deleted",
        subject=f"{'Files' if has_file else 'Values'} of write {write.pk}, "
        "retention period ended",
        about=write,
        detail={
            "write": write.pk,
            "rows": write.row_count,
            "original_sha256": write.inspection.get("sha256"),
            "as_sent_sha256": write.check_report.get("as_sent_sha256"),
        },
    )
