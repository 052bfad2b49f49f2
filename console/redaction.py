"""Redacting log lines, as the last net: API keys are replaced by value."""

import logging
import threading

from ampersand import SecretStr, redact

# What is shorter is no key, and stands in every other line of a log.
SHORTEST = 8

_lock = threading.Lock()
_seen: dict[str, SecretStr] = {}


def remember(secret: SecretStr) -> None:
    """Have `secret` masked in every log line of this process from now on.

    Not what was typed for one and is too short: lines could not be read any more.
    """
    if len(secret.reveal().strip()) < SHORTEST:
        return
    with _lock:
        _seen[secret.reveal()] = secret


def masked(text: str) -> str:
    """Return `text` without the keys that this process has read."""
    with _lock:
        secrets = list(_seen.values())
    return redact(text, secrets)


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and masks each key that was read."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))
