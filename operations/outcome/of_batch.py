"""What became of each record of an asynchronous batch, as its operation tells; pure.

n records were sent. Ampersand's `result` counts x as succeeded and y as failed, and its
`metadata.successfulRecordIds` names those that were written, in no order:

1. It counts nothing, or x + y is not n: all are unknown. One record that is named after
   a success counts as one.
2. x = n: all succeeded. Only of a single create the id is known.
3. Some failed, and more are named than x; or an update names others than were sent:
   all are unknown.
4. y = n: all failed.
5. An update: those that are named succeeded, and the others failed where x are named.
6. Else x and y alone are known, and of no record which.

Where a reason tells of a failure that may have come after the SaaS was written to, what
4, 5 and 6 call failed is unknown.
"""

import json
from collections.abc import Sequence

from ampersand import (
    BatchResult,
    Operation,
    RowResult,
    Trust,
    is_doubtful,
    is_same_id,
)
from operations.outcome import decide

SUCCEEDED = RowResult(state="succeeded")
UNKNOWN = RowResult(state="unknown")


def decide_batch(
    remote: Operation, ids: Sequence[str], errors: Sequence[str], *, is_create: bool
) -> BatchResult | None:
    """Tell what became of the records of a batch, or None while it has not ended.

    `ids` are those of the records sent, "" where there is none or none is known;
    `errors` are the texts of its log that tell of failures.
    """
    if not decide.is_end(remote.status):
        return None
    told = decide.told_counts(remote.result or "", ()) or _of_one(remote, ids)
    errors = tuple(dict.fromkeys(filter(None, errors)))
    rows, trust = _rows(remote, ids, told, errors)
    return BatchResult(
        operation_id=remote.id,
        rows=tuple(rows),
        trust=trust,
        told=told,
        reasons=(*(_notes(remote) if is_create else ()), *_said(remote), *errors),
        status_code=200,
        request_id=None,
        raw=json.dumps(remote.raw, ensure_ascii=False),
    )


def _of_one(remote: Operation, ids: Sequence[str]) -> tuple[int, int] | None:
    """Return the counts of a request with one record, which may not be counted.

    Where that is named as written and the end is called a success, it was.
    """
    is_named = len(ids) == len(remote.successful_ids) == 1
    return (1, 0) if is_named and decide.is_success(remote.status) else None


def _rows(
    remote: Operation,
    ids: Sequence[str],
    told: tuple[int, int] | None,
    errors: Sequence[str],
) -> tuple[list[RowResult], Trust]:
    sent = len(ids)
    if told is None or sum(told) != sent:
        return [UNKNOWN] * sent, "none"
    succeeded, failed = told
    named = remote.successful_ids
    in_doubt = failed > 0 and any(map(is_doubtful, errors))
    is_against = failed > 0 and len(set(named)) > succeeded
    if is_against or (in_doubt and not succeeded):
        return [UNKNOWN] * sent, "none"
    if failed == sent:
        return [_failed("", errors)] * sent, "counts"
    if all(ids):
        return _by_id(named, ids, succeeded, errors, in_doubt)
    if failed:
        return [UNKNOWN] * sent, "none" if in_doubt else "sums"
    if sent == len(named) == 1:
        return [_succeeded(named[0])], "ids"
    return [SUCCEEDED] * sent, "counts"


def _by_id(
    named: Sequence[str],
    ids: Sequence[str],
    succeeded: int,
    errors: Sequence[str],
    in_doubt: bool,
) -> tuple[list[RowResult], Trust]:
    """Tell the records of an update apart by those that are named as written.

    Of the others it is unknown, `in_doubt`, whether they were.
    """
    written = [_is_among(each, named) for each in ids]
    is_strange = not all(_is_among(each, ids) for each in named)
    if is_strange or sum(written) > succeeded:
        return [UNKNOWN] * len(ids), "none"
    if succeeded == len(ids):
        return [_succeeded(each) for each in ids], "counts"
    is_exact = sum(written) == succeeded
    if in_doubt and not is_exact:
        return [UNKNOWN] * len(ids), "none"
    is_told = is_exact and not in_doubt
    rows = [
        _succeeded(each)
        if is_written
        else (_failed(each, errors) if is_told else UNKNOWN)
        for each, is_written in zip(ids, written, strict=True)
    ]
    return rows, "ids" if is_exact else "sums"


def _is_among(one: str, others: Sequence[str]) -> bool:
    return one in others or any(is_same_id(one, other) for other in others)


def _succeeded(record_id: str) -> RowResult:
    return RowResult(state="succeeded", record_id=record_id)


def _failed(record_id: str, errors: Sequence[str]) -> RowResult:
    """Return a failed row; which of several reasons is its own, nobody says."""
    reason = " · ".join(errors)
    if len(errors) > 1:
        reason = f"One of: {reason}"
    return RowResult(state="failed", record_id=record_id, reason=reason)


def _said(remote: Operation) -> list[str]:
    """Return what Ampersand says of the end, unless it only counts."""
    said = remote.result or ""
    return [] if not said or decide.COUNTS.search(said) else [said]


def _notes(remote: Operation) -> list[str]:
    """Return what a person has to know of a create that was tried more than once."""
    if remote.tries < 2:
        return []
    return [
        f"Ampersand tried this request {remote.tries:,} times. Where a try timed out "
        "in the customer's system, its records may be there twice. Look for duplicates."
    ]
