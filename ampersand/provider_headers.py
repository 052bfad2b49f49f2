"""The headers that Ampersand may hand on to Salesforce, and no others.

Its connector lets a given header overwrite its own and checks no name, so this list
decides what can be asked for. Source: "Headers" of Salesforce's REST API Developer
Guide; pairs of a header are separated by "; " there.
"""

import re
from collections.abc import Iterable

from ampersand.errors import RequestInvalid

# What Ampersand calls the providers that take them.
SALESFORCE = frozenset({"salesforce", "salesforceJWT"})

AUTO_ASSIGN = "Sforce-Auto-Assign"
DUPLICATE_RULE = "Sforce-Duplicate-Rule-Header"
MRU = "Sforce-Mru"
CALL_OPTIONS = "Sforce-Call-Options"

_FLAG = "(?:allowSave|includeRecordDetails|runAsCurrentUser)=(?:true|false)"
# By name, in the order in which they are sent.
ALLOWED = {
    AUTO_ASSIGN: re.compile(r"TRUE|FALSE|[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?"),
    DUPLICATE_RULE: re.compile(f"{_FLAG}(?:; {_FLAG}){{0,2}}"),
    MRU: re.compile(r"updateMru=(?:true|false)"),
    CALL_OPTIONS: re.compile(r"client=[A-Za-z0-9._/-]{1,100}"),
}

type Headers = tuple[tuple[str, str], ...]


def allowed(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers in the order in which they are sent.

    Raises: RequestInvalid for a name or a value that is not allowed, and for a name
    that comes twice.
    """
    given = tuple(headers)
    by_name = dict(given)
    if len(by_name) < len(given):
        raise RequestInvalid("A header for Salesforce is there twice.")
    for name, value in given:
        if not _is_allowed(name, value):
            raise RequestInvalid(f"No such header goes to Salesforce: {name}: {value}")
    return tuple((name, by_name[name]) for name in ALLOWED if name in by_name)


def _is_allowed(name: str, value: str) -> bool:
    pattern = ALLOWED.get(name)
    if pattern is None or not pattern.fullmatch(value):
        return False
    pairs = [pair.partition("=")[0] for pair in value.split("; ")]
    return len(set(pairs)) == len(pairs)
