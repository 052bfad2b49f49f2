"""Errors of one kind: texts that differ in ids, numbers and quoted values alone; pure.

"bad value 'X' in row 7" and "bad value 'Y' in row 12" are both "bad value … in row …".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from files.rows.row_errors import without_value
from operations.models import Failure, Operation
from operations.models.error_kind import ErrorKind
from operations.outcome.row_failures import failure_groups, loose_errors, parse_error

# An operation keeps so many kinds, those with most rows.
MOST_KINDS = 100
MOST_ROWS = 2_147_483_647
LONGEST = 500
GAP = "…"

# What names one record, one moment or one value; first what holds others.
_VALUES = re.compile(
    r"""
      "[^"\n]{0,300}" | “[^”\n]{0,300}” | ‘[^’\n]{0,300}’
    | (?<!\w)'[^'\n]{0,300}'(?!\w)
    | \bhttps?://\S{1,300}
    | [^\s,;:()<>@]{1,100}@[\w.-]{1,100}
    | \b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b
    | \b(?=[A-Za-z]{0,17}[0-9])[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?\b
    | \b(?=[a-f]{0,11}[0-9])[0-9a-f]{12,64}\b
    | (?<!\w)[+-]?[0-9][0-9.,:/TZ+-]{0,40}(?<![.,:])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def kind_of(text: str) -> ErrorKind:
    """Return the kind of an error text; any text is taken."""
    error = parse_error(text)
    message = _VALUES.sub(GAP, without_value(error.message, GAP)[: 4 * LONGEST])
    words = " ".join(message.replace("\0", "").split())
    return ErrorKind(error.code[:100], words[:LONGEST], ", ".join(error.fields)[:200])


def failures_of(operation: Operation, raws: Iterable[Any]) -> list[Failure]:
    """Return why an operation failed: its rows, or itself where it names none.

    `raws` are the entries of its log that tell of its outcome, as they came.
    """
    raws = list(raws)
    failed = operation.rows_failed or 0
    counts: dict[str, int] = {}
    for group in failure_groups(raws):
        counts[group.error] = counts.get(group.error, 0) + len(group.keys)
    if counts:
        return counted(counts, failed=failed)
    if operation.state not in Operation.ENDED_BADLY:
        return []
    told = list(dict.fromkeys(loose_errors(raws))) or [operation.reason]
    if operation.state == Operation.State.REJECTED:
        # Nothing was written. Of other ends only what was told is known as failed.
        rest = (operation.rows_sent or 0) - (operation.rows_succeeded or 0)
        failed = max(failed, rest)
    # Of several that name no row, nobody says which row had which.
    rows = failed if len(told) == 1 else min(failed, 1)
    return counted(dict.fromkeys(told, rows))


def counted(counts: Mapping[str, int], *, failed: int = 0) -> list[Failure]:
    """Return the kinds of error texts with the rows of each, most rows first.

    Of `failed` rows those of which no text tells have failed without a reason.
    """
    kinds: dict[ErrorKind, Failure] = {}
    rest = max(0, failed - sum(counts.values()))
    for text, rows in (*counts.items(), *([("", rest)] if rest else [])):
        kind = kind_of(text)
        failure = kinds.setdefault(kind, _failure(kind, text))
        failure.rows = min(MOST_ROWS, failure.rows + rows)
    return sorted(kinds.values(), key=lambda failure: -failure.rows)[:MOST_KINDS]


def _failure(kind: ErrorKind, text: str) -> Failure:
    example = text.replace("\0", "")[:LONGEST].encode(errors="replace").decode()
    return Failure(
        digest=kind.digest,
        code=kind.code,
        message=kind.message.encode(errors="replace").decode(),
        fields=kind.fields,
        example=example,
        rows=0,
    )
