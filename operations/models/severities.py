"""Severities of log entries: free text of the remote, and the known ones in order."""

from collections.abc import Iterable

LEVELS = {"info": 1, "warning": 2, "error": 3}
_RANKS = {
    **dict.fromkeys(("trace", "verbose", "debug"), 0),
    **dict.fromkeys(("info", "information", "notice"), 1),
    **dict.fromkeys(("warn", "warning"), 2),
    **dict.fromkeys(
        ("err", "error", "critical", "alert", "emergency", "fatal", "panic"), 3
    ),
}


def at_least(level: str, severities: Iterable[str]) -> list[str]:
    """Return those of `severities` that are not below a level of LEVELS.

    One that we do not know is never left out.
    """
    least = LEVELS[level]
    return [name for name in severities if rank(name) in (None, *range(least, 4))]


def rank(severity: str) -> int | None:
    """Return how grave a severity is, None for one that we do not know."""
    return _RANKS.get(severity.strip().casefold())
