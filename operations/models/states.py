"""The state machine of an operation: its states, and which may follow which.

docs/states.md draws it.

The database refuses every transition that is not here (`OperationTransition`).
"""

from typing import Final

BEGINNINGS: Final = ("held", "waiting", "in_progress")

ENDED: Final = ("succeeded", "partly_failed", "failed", "completed")

# After it left, these say what became of it, whenever the answer comes.
_ANSWERED: Final = ("rejected", "in_progress", "succeeded")

LEDGER: Final = {
    "": BEGINNINGS,
    "held": ("waiting", "cancelled"),
    # Held again when somebody pauses; rejected when it was refused for an hour.
    "waiting": ("sending", "cancelled", "held", "rejected"),
    # Back to waiting when nothing left; cancelled when it must not leave any more.
    "sending": ("waiting", "cancelled", "unknown", *_ANSWERED),
    # A late answer, or what a person found. Cancelled when it turns out late that
    # nothing left.
    "unknown": ("cancelled", "not_written", *_ANSWERED),
    # An answer that comes later still proves more than that somebody found nothing.
    "not_written": _ANSWERED,
    "in_progress": ENDED,
    # Late log entries may tell another end.
    **{state: tuple(s for s in ENDED if s != state) for state in ENDED},
}
