"""Logs go after KEEP_LOGS_DAYS of their environment, where that is set.

By then the files of the write have to be gone: a log tells how rows fared, and what
could still be joined to it must find it. What it was is told by its digest.
"""

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from console.models import AuditEvent
from operations.models import LogEntry, Operation
from writes.evidence.log_lines import lines, log_of
from writes.models import SweptLog, Write
from writes.models.preservation import is_warned_of, with_files

MOST_AT_ONCE = 500
# So many rows are deleted by one statement.
PIECE = 5_000


def sweep(now: datetime) -> int:
    """Delete the logs that are past their time; return of how many operations."""
    swept = 0
    for environment, days in settings.KEEP_LOGS_DAYS.items():
        if days:
            for operation in _past(environment, now, timedelta(days=days)):
                _delete(operation, now)
                swept += 1
    return swept


def _past(environment: str, now: datetime, kept: timedelta) -> QuerySet[Operation]:
    writes = Write.objects.filter(batches__operation=OuterRef("pk"))
    logs = LogEntry.objects.filter(operation=OuterRef("pk"))
    return Operation.objects.filter(
        Exists(logs),
        ~Exists(writes.filter(with_files())),
        ~Exists(writes.filter(~is_warned_of(now))),
        project__environment=environment,
        # It began before it ended, and there is an index by when it began.
        created_at__lt=now - kept,
        ended_at__lt=now - kept,
        due_at=None,
    ).order_by("created_at")[:MOST_AT_ONCE]


def _delete(operation: Operation, now: datetime) -> None:
    """Note what it was, then delete it, all or nothing."""
    digest, count = hashlib.sha256(), 0
    for line in lines(log_of(operation)):
        digest.update(line)
        count += 1
    told = {"entries": count, "sha256": digest.hexdigest()}
    with transaction.atomic():
        SweptLog.objects.update_or_create(
            operation=operation, defaults={**told, "swept_at": now}
        )
        entries = LogEntry.objects.filter(operation=operation)
        for first in range(0, count + 1, PIECE):
            entries.filter(sequence__range=(first, first + PIECE - 1)).delete()
        entries.delete()
        AuditEvent.record(
            action="log.deleted",
            subject=f"Log of operation {operation.pk}, retention period ended",
            about=operation,
            detail={"operation": operation.pk, **told},
        )
