"""What was changed on the way from the original to the file as sent."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """One kind of change: a sentence for the operator, and how often it was made.

    `undo` says what of the recipe made it, as `files.mending.undoing` takes it; () is
    what no recipe did.
    """

    what: str
    count: int
    undo: tuple[str, ...] = ()


def counted(count: int, noun: str) -> str:
    """Return "1 cell" or "1,234 cells"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def goes(count: int) -> str:
    """Return the verb for so many: "1 cell is sent", "2 cells are sent"."""
    return "is sent" if count == 1 else "are sent"
