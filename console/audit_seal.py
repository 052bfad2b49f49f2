"""The seal of an audit event: a MAC over what it says and over the seal before it.

The key is no part of the database: who may only write there can change rows, but seal
none. Keys are derived from AUDIT_KEYS, then FIELD_KEYS. The first seals, all verify, so
that a new key in front leaves old events as good as they were.
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC
from functools import lru_cache
from typing import Any

from django.conf import settings

# Names the use, so that nothing else that a key does can be taken for a seal.
_USE = b"write console: audit trail"


def keys() -> dict[str, bytes]:
    """Return the keys by their ids; the first one seals."""
    return _derived((*settings.AUDIT_KEYS, *settings.FIELD_KEYS))


def ids_of(given: Sequence[str]) -> set[str]:
    """Return the ids of the keys that are derived from these."""
    return set(_derived(tuple(given)))


@lru_cache(maxsize=8)
def _derived(given: tuple[str, ...]) -> dict[str, bytes]:
    derived = [hmac.digest(key.encode(), _USE, "sha256") for key in given]
    # The id tells which key it was, and nothing about it.
    return {hmac.digest(key, b"id", "sha256").hex()[:16]: key for key in derived}


def seal_of(event: Any) -> str | None:
    """Return the seal that a row of the trail must carry, None without its key.

    All that the row tells is in it, and all that decides who may read it. None as well
    of a row that holds what no event ever does, as a time that is none.
    """
    key = keys().get(event.key_id)
    if key is None:
        return None
    try:
        said = _said(event)
    except (AttributeError, TypeError, ValueError):
        return None
    return hmac.digest(key, said, hashlib.sha256).hex()


def _said(event: Any) -> bytes:
    content = [
        event.previous_hash,
        event.at.astimezone(UTC).isoformat(),
        event.actor_id,
        event.actor_name,
        event.action,
        event.subject,
        event.subject_url,
        event.project_name,
        event.environment,
        event.address or "",
        event.correlation_id,
        event.detail,
    ]
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode()


def sign(event: Any, previous: str) -> None:
    """Seal a row with the newest key, behind the row whose seal is `previous`."""
    event.key_id, key = next(iter(keys().items()))
    event.previous_hash = previous
    event.hash = hmac.digest(key, _said(event), hashlib.sha256).hex()


def unsealed_hash_of(event: Any) -> str:
    """Return the hash that version 0.1.0 gave a row: it had no key."""
    content = [
        event.previous_hash,
        event.at.astimezone(UTC).isoformat(),
        event.actor_name,
        event.action,
        event.subject,
        event.subject_url,
        event.project_name,
        event.address or "",
        event.correlation_id,
        event.detail,
        event.environment,
    ]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def mark_of(text: str) -> str:
    """Return what proves that a text of ours beside the database is as we wrote it."""
    key_id = next(iter(keys()))
    return f"{key_id}:{_mark(keys()[key_id], text)}"


def is_marked(text: str, mark: str) -> bool:
    """Tell whether one of our keys made `mark` for this very text."""
    key_id, _, found = mark.partition(":")
    key = keys().get(key_id)
    return key is not None and hmac.compare_digest(_mark(key, text), found)


def _mark(key: bytes, text: str) -> str:
    # A name of its own, so that no seal of an event can be taken for it.
    return hmac.digest(key, b"note: " + text.encode(), "sha256").hex()
