"""Writes by the SHA-256 of a file or a request, or its first digits.

By `search_term_found`. A run's requests are found by the digest of its file.
"""

import re

from writes.models import SearchTerm, Write
from writes.search.found import Asked, Found, Kind, Matched, of_writes
from writes.search.terms import DIGITS

_DIGITS = re.compile(r"(?:sha-?256:?\s*)?([0-9a-f]{8,64})", re.IGNORECASE)


def find(asked: Asked) -> Found:
    """Return the writes with a digest that begins with these digits, 8 at least."""
    match = _DIGITS.fullmatch(asked.text)
    if not match:
        return Found()
    digits = match[1].lower()
    ids, _ = SearchTerm.objects.newest(
        SearchTerm.Kind.DIGEST,
        [digits[:DIGITS]],
        environments=asked.environments,
        before=asked.before,
        limit=asked.limit + 1,
    )

    def matched(write: Write) -> Matched:
        digest, label = _of(write, digits)
        return Matched(label, "", digest[: len(digits)], digest[len(digits) :][:8])

    read = ("inspection", "check_report")
    found = of_writes(asked, ids, matched, read=read)
    found.is_exact = bool(found)
    return found


def _of(write: Write, digits: str) -> tuple[str, str]:
    """Return the digest that begins so, and of what it is."""
    named = {
        write.inspection.get("sha256") or "": "File as uploaded",
        write.check_report.get("as_sent_sha256") or "": "File as sent",
    }
    for digest, label in named.items():
        if digest.startswith(digits):
            return digest, label
    return digits, "Request or part"


KIND = Kind("digests", "SHA-256", find)
