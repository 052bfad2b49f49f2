"""Keeping an operation's log: entries are only ever added."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db.models import Max

from ampersand import LogEntry as RemoteEntry
from operations.models import LogEntry, Operation
from operations.outcome.decide import tells_outcome

BATCH = 500


def store_entries(operation: Operation, entries: Iterable[RemoteEntry]) -> int:
    """Add those of `entries` that we do not have yet; return how many there were.

    Ampersand sends the whole log each time, in no promised order, and entries may
    arrive late: they go to the end, in the order of their times. Two equal entries
    in one answer are two. Call it in a transaction that holds the operation's row, so
    that of two workers one goes after the other.
    """
    known = set(operation.log_entries.values_list("fingerprint", flat=True))
    last: int = operation.log_entries.aggregate(last=Max("sequence"))["last"] or 0
    repetitions: Counter[str] = Counter()
    added: list[LogEntry] = []
    for entry in entries:
        fingerprint = _fingerprint(entry, repetitions)
        if fingerprint not in known:
            added.append(_row(operation, last + len(added) + 1, fingerprint, entry))
    LogEntry.objects.bulk_create(added, batch_size=BATCH)
    return len(added)


def digest(entries: Sequence[RemoteEntry]) -> str:
    """Return the SHA-256 of a whole log as it came."""
    text = json.dumps([entry.raw for entry in entries], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _fingerprint(entry: RemoteEntry, repetitions: Counter[str]) -> str:
    text = json.dumps(entry.raw, sort_keys=True)
    repetitions[text] += 1
    return hashlib.sha256(f"{repetitions[text]} {text}".encode()).hexdigest()


def _row(
    operation: Operation, sequence: int, fingerprint: str, entry: RemoteEntry
) -> LogEntry:
    return LogEntry(
        operation=operation,
        sequence=sequence,
        timestamp=entry.timestamp,
        severity=entry.severity[:50],
        text=entry.text,
        error=entry.error or "",
        raw=entry.raw,
        fingerprint=fingerprint,
        tells_outcome=tells_outcome(entry),
    )
