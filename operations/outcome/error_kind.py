"""What kind of error a text tells of, and how many rows had it; pure."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from operations.outcome.row_failures import failure_groups, loose_errors, parse_error

LONGEST_KIND = 200
NO_REASON = "No reason reported"

# What differs from row to row: quoted values, addresses, ids, numbers.
_VALUES = re.compile(
    r"(?<=specified: ).+|(?<=email address: ).+|(?<=picklist field: ).+"
    r"|(?<=incorrect type: ).+|(?<=data value too large: ).+(?= \()"
    r"|\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)"
    r"|[^\s@:,;()]+@[^\s@:,;()]+"
    r"|\b(?=\w*[0-9])[0-9A-Za-z_-]{8,}\b"
    r"|(?<![A-Za-z_0-9])[0-9][0-9.,:/-]*"
)


def error_kind(text: str) -> str:
    """Return the text of an error without what differs from row to row: one line.

    `CODE: message`, or the message alone where it has no code.
    """
    error = parse_error(text)
    message = " ".join(_VALUES.sub("…", error.message).split())
    kind = f"{error.code}: {message}" if error.code else message
    kind = "".join(c for c in kind if c.isprintable()).strip(" :")
    if len(kind) > LONGEST_KIND:
        kind = f"{kind[: LONGEST_KIND - 1].rstrip()}…"
    return kind or NO_REASON


def errors_of(raws: Iterable[Any], reason: str, failed: int) -> Counter[str]:
    """Return for each kind of error how many rows an operation failed with it.

    `raws` are its log entries as they came, `reason` why it failed in words, and
    `failed` how many rows did. Rows that the log does not name count for what else
    it says; without rows an error counts 0, and is there.
    """
    raws = list(raws)
    found: Counter[str] = Counter()
    for group in failure_groups(raws):
        found[error_kind(group.error)] += len(group.keys)
    left = failed - found.total()
    if left > 0 or not found:
        others = loose_errors(raws)
        found[error_kind(others[0] if others else reason)] += max(left, 0)
    return found
