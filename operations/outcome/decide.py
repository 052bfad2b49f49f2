"""What an operation's end means: which state, and how many rows fared how; pure.

Ampersand's words are success, failure and in_progress; in 2023 and 2024 also
BulkWriteCompleted, which proves the end of the job and nothing about its rows. A job
that touched every row is a success for Ampersand, however many rows Salesforce refused
(JobComplete in Salesforce's Bulk API 2.0). So words alone never decide.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from operations.models import Operation
from operations.outcome.row_failures import failure_groups, parse_error

State = Operation.State

SUCCESS = frozenset({"success", "succeeded", "successful"})
FAILURE = frozenset({"failure", "failed", "error", "aborted", "cancelled", "canceled"})
# These say that it ended, not how.
ENDED = frozenset(
    {"bulkwritecompleted", "completed", "complete", "finished", "done", "jobcomplete"}
)

# "Batch write completed (3 succeeded, 1 failed)"
COUNTS = re.compile(r"\(([0-9]{1,10}) succeeded, ([0-9]{1,10}) failed\)")
LARGEST_COUNT = 2_147_483_647

# The sentences of Ampersand's Salesforce connector, by their beginnings.
NONE_PROCESSED = "no records processed successfully"
SOME_FAILED = "some records are not processed successfully"

ERROR_SEVERITIES = frozenset({"error", "critical", "alert", "emergency", "fatal"})
LONGEST_REASON = 2_000


class Entry(Protocol):
    """A log entry, ours or the client's."""

    @property
    def severity(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def error(self) -> str | None: ...
    @property
    def raw(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an operation ended. A count is None where nobody proved one."""

    state: str
    rows_succeeded: int | None = None
    rows_failed: int | None = None
    reason: str = ""
    remedy: str = ""


def tells_outcome(entry: Entry) -> bool:
    """Whether an entry says anything about how the operation or its rows fared."""
    return bool(
        entry.error
        or entry.severity.casefold() in ERROR_SEVERITIES
        or COUNTS.search(entry.text)
        or _any_says([entry.text], NONE_PROCESSED)
        or _any_says([entry.text], SOME_FAILED)
        or failure_groups([entry.raw])
    )


def is_end(status: str) -> bool:
    """Whether the word says that the operation has ended.

    A word that we do not know is no end: it is asked again.
    """
    return _word(status) in SUCCESS | FAILURE | ENDED


def is_success(status: str) -> bool:
    """Whether the word says that the operation succeeded as a whole."""
    return _word(status) in SUCCESS


def _word(status: str) -> str:
    return re.sub(r"[\s_-]", "", status).casefold()


def decide(
    *, status: str, result: str, entries: Iterable[Entry], rows_sent: int | None
) -> Outcome | None:
    """Tell how an operation ended, or None while it has not.

    `status` and `result` are Ampersand's words as they came, `entries` the log so far.
    """
    if not is_end(status):
        return None
    entries = list(entries)
    told = told_counts(result, entries)
    named = sum(len(g.keys) for g in failure_groups(entry.raw for entry in entries))
    succeeded, failed = _counts(told, named)
    hints = [result, *(entry.text for entry in entries)]
    state = _state(
        word=_word(status),
        succeeded=succeeded,
        failed=failed,
        rows_sent=rows_sent,
        none_processed=_any_says(hints, NONE_PROCESSED),
        some_failed=_any_says(hints, SOME_FAILED),
    )
    error = next((entry.error for entry in entries if entry.error), "")
    notes = [_contradiction(told, named, rows_sent)]
    if state in (State.FAILED, State.PARTLY_FAILED):
        notes += ["" if COUNTS.search(result) else result, error]
    explanation = parse_error(error).explanation
    return Outcome(
        state=state,
        rows_succeeded=succeeded,
        rows_failed=failed,
        reason=" ".join(dict.fromkeys(filter(None, notes)))[:LONGEST_REASON],
        remedy=explanation.remedy if explanation else "",
    )


def told_counts(result: str, entries: Sequence[Entry]) -> tuple[int, int] | None:
    """Return (succeeded, failed) as Ampersand counts them, None where it does not.

    Its `result` comes before the log, and of that the last text that counts.
    """
    for text in [result, *(entry.text for entry in reversed(entries))]:
        if match := COUNTS.search(text):
            succeeded, failed = int(match[1]), int(match[2])
            if succeeded + failed <= LARGEST_COUNT:
                return succeeded, failed
    return None


def _counts(told: tuple[int, int] | None, named: int) -> tuple[int | None, int | None]:
    """Join the counts told with the failed rows that the log names.

    Where the log names more failures, those come off the rows told as succeeded.
    """
    if told is None:
        return None, named or None
    succeeded, failed = told
    missed = max(0, named - failed)
    return max(0, succeeded - missed), failed + missed


def _state(
    *,
    word: str,
    succeeded: int | None,
    failed: int | None,
    rows_sent: int | None,
    none_processed: bool,
    some_failed: bool,
) -> str:
    if succeeded == 0 or (succeeded is None and none_processed):
        return State.FAILED
    if word in FAILURE:
        return State.PARTLY_FAILED if succeeded else State.FAILED
    if succeeded is None and failed and failed == rows_sent:
        return State.FAILED
    if failed or (some_failed and failed is None):
        return State.PARTLY_FAILED
    if succeeded is None:
        return State.SUCCEEDED if word in SUCCESS else State.COMPLETED
    accounted = rows_sent is None or succeeded >= rows_sent
    return State.SUCCEEDED if accounted else State.COMPLETED


def _contradiction(
    told: tuple[int, int] | None, named: int, rows_sent: int | None
) -> str:
    if told and named > told[1]:
        return (
            f"Ampersand counts {told[1]:,} failed rows, but its log names {named:,}; "
            "those named are shown as failed."
        )
    total = sum(told) if told else named
    if rows_sent is not None and total > rows_sent:
        return f"Ampersand counts {total:,} rows, but {rows_sent:,} were sent."
    return ""


def _any_says(texts: Iterable[str], sentence: str) -> bool:
    return any(sentence in text.casefold() for text in texts)
