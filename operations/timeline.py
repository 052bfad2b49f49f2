"""What happened to an operation and when, each with who did it; pure."""

from dataclasses import dataclass
from datetime import datetime

from operations.models import Operation

State = Operation.State


@dataclass(frozen=True)
class Event:
    """One line: `at` is None where the moment was not kept."""

    at: datetime | None
    text: str


def timeline(operation: Operation) -> list[Event]:
    """Return what happened to `operation`, in order."""
    events = [Event(operation.created_at, _begun(operation))]
    if operation.sent_at:
        events.append(Event(operation.sent_at, "The console sent it to Ampersand."))
    if operation.answered_at:
        events.append(Event(operation.answered_at, _answered(operation)))
    if operation.ended_at:
        events.append(Event(operation.ended_at, _ended(operation)))
    if operation.asked_count:
        events.append(Event(operation.asked_at, _asked(operation)))
    return events


def _begun(operation: Operation) -> str:
    who = operation.started_by_name
    if operation.action == Operation.Action.FOLLOW:
        return f"{who} began to follow it."
    return f"{who} confirmed it."


def _answered(operation: Operation) -> str:
    if operation.state == State.REJECTED:
        return "It was refused."
    if operation.state == State.UNKNOWN:
        return "No readable answer came."
    if operation.remote_id:
        return "Ampersand accepted it and gave it an id."
    return "Ampersand answered."


def _ended(operation: Operation) -> str:
    return f"It ended: {operation.get_state_display().lower()}."


def _asked(operation: Operation) -> str:
    count = operation.asked_count
    times = "once" if count == 1 else f"{count:,} times"
    if operation.asked_at is None:
        return f"The console asked {times}, and got no answer."
    return f"The last answer of Ampersand; the console asked {times}."
