"""Whether a refusal tells of a failure that may have come after the data was written.

Ampersand writes to the SaaS through a connector, and hands on what that says when it
fails. Some of those texts say that the SaaS, or the way to it, broke while or after it
wrote: a 5xx, a time-out, an answer that could not be read. That Ampersand answers 422
with them is inferred; the texts are those of its public connector library (errors of
`common/` and of Go's net/http), and begin with `HTTP status NNN: ` since 2025.
"""

import re
from collections.abc import Iterator
from typing import Any

from ampersand.answers import Answer

# These are answered before a write begins, unless their text names a 5xx.
BEFORE_ANY_WRITE = frozenset({401, 403, 404, 405, 411, 413, 414, 415, 429, 431})

# "HTTP status 503", "status code: 502", "HTTP/1.1 504", "http error 500"
_STATUS = re.compile(
    r"\b(?:http(?:/\d(?:\.\d)?)?(?:[ _-]?(?:status|error))?|status)(?:[ _-]?code)?"
    r"[\s:=\"'(#]{1,4}([1-5]\d\d)\b",
    re.IGNORECASE,
)
_SIGNS = re.compile(
    r"\bserver error\b|\bbad gateway\b|\bgateway time-?out\b"
    r"|\bservice unavailable\b|\bretryable error\b|\bunmarshal"
    r"|\bnot (?:valid )?json\b|\bempty record id\b|\bcontext cancell?ed\b"
    r"|\b(?:deadline|time limit) exceeded\b|\btime[ -]?outs?\b|\btimed[ -]out\b"
    r"|\bconnection (?:was )?(?:reset|closed|aborted)\b|\breset by peer\b"
    r"|\bbroken pipe\b|\bunexpected end\b|\bEOF\b",
    re.IGNORECASE,
)
# Said of HubSpot's 502 and 504 as well as of its 429, and of its 503.
_SIGNS_OF_HUBSPOT = re.compile(
    r"\brequest limit exceeded\b|\bapi disabled\b", re.IGNORECASE
)
# Where it is not said who was written to, it may be HubSpot.
_MAY_BE_HUBSPOT = frozenset({"", "hubspot"})
# The SaaS gave up waiting for the request: perhaps in the middle of it.
_REQUEST_TIMEOUT = 408
# What was written comes back under this name; it is no word about the failure.
_ECHO = "data"


def tells_of_doubt(answer: Answer) -> bool:
    """Whether any text of `answer` says that something may have been written."""
    before = answer.status in BEFORE_ANY_WRITE or 300 <= answer.status < 400
    texts = _texts(answer.body) if answer.readable else [answer.text]
    return any(
        is_doubtful(text, only_status=before, provider=answer.provider)
        for text in texts
    )


def is_doubtful(text: str, *, only_status: bool = False, provider: str = "") -> bool:
    """Whether one text says so; with `only_status` only by the status that it names."""
    named = {int(status) for status in _STATUS.findall(text)}
    if any(status >= 500 or status == _REQUEST_TIMEOUT for status in named):
        return True
    if only_status or any(400 <= status < 500 for status in named):
        return False
    if provider in _MAY_BE_HUBSPOT and _SIGNS_OF_HUBSPOT.search(text):
        return True
    return _SIGNS.search(text) is not None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != _ECHO:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
