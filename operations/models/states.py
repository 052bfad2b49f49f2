"""The state machine of an operation: its states, and which may follow which.

docs/states.md draws it.

The database refuses every transition that is not here (`OperationTransition`).
"""

from typing import Final

BEGINNINGS: Final = ("held", "waiting", "in_progress")

ENDED: Final = ("succeeded", "partly_failed", "failed", "completed")

# After it left, these say what became of it, whenever the answer comes.
_ANSWERED: Final = ("rejected", "in_progress", "succeeded")

# Of a run, once a person decided about its requests.
_OTHER_ENDS: Final = ("partly_failed", "failed", "completed")

LEDGER: Final = {
    "": BEGINNINGS,
    "held": ("waiting", "cancelled"),
    # Held again when somebody pauses; rejected when it was refused for an hour.
    # In progress is a run, with its first request.
    "waiting": ("sending", "cancelled", "held", "in_progress", "rejected"),
    # Back to waiting when nothing left; cancelled when it must not leave any more.
    "sending": ("waiting", "cancelled", "unknown", *_ANSWERED),
    # A late answer, or what a person found. Cancelled when it turns out late that
    # nothing left.
    "unknown": ("cancelled", "not_written", *_ANSWERED, *_OTHER_ENDS),
    # An answer that comes later still proves more than that somebody found nothing.
    "not_written": _ANSWERED,
    # A run may have a request of which nobody knows what became of it.
    "in_progress": ("unknown", *ENDED),
    # Late log entries may tell another end.
    **{state: tuple(s for s in ENDED if s != state) for state in ENDED},
}
