"""Logs go after KEEP_LOGS_DAYS of their environment: they quote values of records.

By then the files of the write have to be gone: a log tells how rows fared, and what
could still be joined to it must find it. What it was is told by its digest. Of
operations of other programs, which have no write, the answer goes with the log.
"""

import hashlib
import time
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from console.models import AuditEvent
from operations.actions import forget_values
from operations.models import LogEntry, Operation
from writes.evidence.log_lines import lines, log_of
from writes.models import SweptLog, Write
from writes.models.preservation import is_warned_of

MOST_AT_ONCE = 500
# So many rows are deleted by one statement.
PIECE = 5_000
OVER = (*Operation.WITHOUT_EFFECT, Operation.State.UNKNOWN)


def sweep(now: datetime, *, seconds: float) -> int:
    """Delete the logs that are past their time; return of how many operations.

    None is begun after so many seconds: the next sweep goes on.
    """
    until = time.monotonic() + seconds
    swept = 0
    for environment, days in settings.KEEP_LOGS_DAYS.items():
        if not days:
            continue
        for operation in _past(environment, now, timedelta(days=days)):
            if time.monotonic() > until:
                break
            swept += _delete(operation, now)
    return swept


def _past(environment: str, now: datetime, kept: timedelta) -> QuerySet[Operation]:
    writes = Write.objects.filter(batches__operation=OuterRef("pk"))
    # One that began otherwise has no end of its own, as what was rejected.
    is_over = Q(ended_at__lt=now - kept) | Q(ended_at=None, state__in=OVER)
    return Operation.objects.filter(
        is_over,
        ~Exists(writes.filter(values_deleted_at=None)),
        ~Exists(writes.filter(~is_warned_of(now))),
        project__environment=environment,
        # It began before it ended, and there is an index by when it began.
        created_at__lt=now - kept,
        log_deleted_at=None,
        due_at=None,
    ).order_by("created_at")[:MOST_AT_ONCE]


def _delete(operation: Operation, now: datetime) -> bool:
    """Note what it was, then delete it piece by piece, unless somebody keeps it now.

    One that a killed process left half deleted was noted while it was whole.
    """
    entries = LogEntry.objects.filter(operation=operation).order_by("sequence")
    noted = SweptLog.objects.filter(operation=operation)
    # Read before the lock: a log may have a million entries.
    told = _told(operation) if entries.exists() and not noted.exists() else None
    with transaction.atomic():
        # Who puts it on hold at this moment comes before or after this.
        mine = Write.objects.filter(batches__operation=operation)
        written = list(mine.order_by().values_list("pk", flat=True))
        list(Write.objects.select_for_update().filter(pk__in=written))
        if Write.objects.filter(~is_warned_of(now), pk__in=written).exists():
            return False
        forget_values.forget(operation, now)
        if told:
            _note(operation, now, told)
    while last := list(entries.values_list("sequence", flat=True)[:PIECE])[-1:]:
        LogEntry.objects.filter(operation=operation, sequence__lte=last[0]).delete()
    swept = Operation.objects.filter(pk=operation.pk)
    swept.update(log_deleted_at=now, log_since=None, version=F("version") + 1)
    return True


def _told(operation: Operation) -> dict[str, Any]:
    """Return what stays of a log: the number of its entries, and its digest."""
    digest, count = hashlib.sha256(), 0
    for line in lines(log_of(operation)):
        digest.update(line)
        count += 1
    return {"entries": count, "sha256": digest.hexdigest()}


def _note(operation: Operation, now: datetime, told: dict[str, Any]) -> None:
    SweptLog.objects.create(operation=operation, swept_at=now, **told)
    AuditEvent.record(
        action="log.deleted",
        subject=f"Log of operation {operation.pk}, retention period ended",
        about=operation,
        detail={"operation": operation.pk, **told},
    )
