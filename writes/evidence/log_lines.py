"""JSON, one object a line, as packs have it; and the log of an operation in it."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Max

from operations.models import LogEntry, Operation

COLUMNS = (
    "operation_id",
    "sequence",
    "timestamp",
    "severity",
    "text",
    "error",
    "raw",
)


def log_of(operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield the log of an operation as it is now."""
    entries = LogEntry.objects.filter(operation=operation)
    last = entries.aggregate(last=Max("sequence"))["last"] or 0
    until_now = entries.filter(sequence__lte=last).order_by("sequence")
    yield from until_now.values(*COLUMNS).iterator()


def lines(rows: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Yield each row as a line of JSON."""
    encode = json.JSONEncoder(ensure_ascii=False, default=exact).encode
    for row in rows:
        yield encode(row).encode(errors="replace") + b"\n"


def exact(moment: datetime) -> str:
    """Return a moment as the seal of an audit event has it, to the microsecond."""
    return moment.astimezone(UTC).isoformat()
