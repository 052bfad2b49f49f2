"""What happened to an operation and when, each with who did it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from operations.display.sentence import times
from operations.models import Operation, OperationTransition

State = Operation.State


@dataclass(frozen=True)
class Event:
    """One line: `at` is None where the moment was not kept.

    `why` may quote the server: it is untrusted text. `process` did it, where that
    was kept.
    """

    at: datetime | None
    text: str
    why: str = ""
    process: str = ""
    # Of a write that goes in parts: which one this is about.
    part: str = ""
    # What it came into; "" where its state stayed.
    state: str = ""


# `so` tells what it means for the data: see `_so`.
# What a change of state means where no person made it.
_BY_ITSELF: dict[tuple[str, str], str] = {
    (State.HELD, State.WAITING): "Its turn came.",
    (State.WAITING, State.HELD): "Queued again{so}.",
    (State.WAITING, State.REJECTED): "The console gave up.",
    (State.WAITING, State.SENDING): "The console sent it to Ampersand.",
    (State.WAITING, State.CANCELLED): "It was cancelled{so}.",
    (State.SENDING, State.WAITING): "Nothing was written. It waits to be sent again.",
    (State.SENDING, State.CANCELLED): "It was cancelled{so}.",
    (State.SENDING, State.UNKNOWN): "No readable answer came.",
    (State.SENDING, State.REJECTED): "It was rejected.",
    (State.SENDING, State.IN_PROGRESS): "Ampersand accepted it and gave it an id.",
    (State.SENDING, State.SUCCEEDED): "Ampersand answered.",
    (State.UNKNOWN, State.CANCELLED): "It turned out later that nothing was sent.",
    (State.UNKNOWN, State.REJECTED): "A late answer came: it was rejected.",
    (State.UNKNOWN, State.IN_PROGRESS): "A late answer came: Ampersand accepted it.",
    (State.UNKNOWN, State.SUCCEEDED): "A late answer came: it was written.",
    (State.NOT_WRITTEN, State.REJECTED): "A late answer came: it was rejected.",
    (State.NOT_WRITTEN, State.IN_PROGRESS): "A late answer came: it was accepted.",
    (State.NOT_WRITTEN, State.SUCCEEDED): "A late answer came: it was written.",
}
# What it means where a person did.
_BY_PERSON: dict[tuple[str, str], str] = {
    ("", State.HELD): "{who} confirmed it.",
    ("", State.WAITING): "{who} confirmed it.",
    ("", State.IN_PROGRESS): "{who} started to follow it.",
    (State.HELD, State.WAITING): "{who} released it.",
    (State.WAITING, State.HELD): "{who} paused it{so}.",
    (State.HELD, State.CANCELLED): "{who} cancelled it{so}.",
    (State.WAITING, State.CANCELLED): "{who} cancelled it{so}.",
    (State.UNKNOWN, State.IN_PROGRESS): "{who} linked it to Ampersand's operation.",
    (State.UNKNOWN, State.SUCCEEDED): "{who} found that it was written.",
    (State.UNKNOWN, State.NOT_WRITTEN): "{who} found that it was not written.",
}


# What upper apps know that happened before an operation was there: each puts it before
# the events that it is given, and returns all (`writes.display.timeline`).
BEFORE: list[Callable[[Operation, list[Event]], list[Event]]] = []


def timeline(operation: Operation) -> list[Event]:
    """Return what happened to `operation`, in order."""
    events = [event_of(transition) for transition in operation.transitions.all()]
    for put_before in BEFORE:
        events = put_before(operation, events)
    add_decision(events, operation)
    if operation.asked_count:
        events.append(Event(operation.asked_at, _asked(operation)))
    return events


def add_decision(events: list[Event], operation: Operation, *, part: str = "") -> None:
    """Put among `events` what a person decided about an outcome that stayed unknown."""
    decided_at = operation.resolved_at
    if not (decided_at and operation.resolution):
        return
    before = [event for event in events if event.at and event.at <= decided_at]
    events.insert(len(before), Event(decided_at, operation.resolution, part=part))


def event_of(transition: OperationTransition) -> Event:
    """Return a transition in words."""
    change = (transition.from_state, transition.to_state)
    who = transition.actor_name
    said = _BY_PERSON.get(change, "") if who else _BY_ITSELF.get(change, "")
    so = _so(transition.operation)
    text = said.format(who=who, so=so) if said else _became(transition)
    # "Cancelled by olga." says no more than the line does.
    said_already = (f"Cancelled by {who}.", f"Paused by {who}.")
    is_news = not (who and transition.reason in said_already)
    why = transition.reason if is_news else ""
    return Event(
        transition.at, text, why, transition.process, state=transition.to_state
    )


def _so(operation: Operation) -> str:
    """Say that nothing was written, unless it left before a back-up was restored."""
    return "" if operation.may_have_left else "; nothing was written"


def _became(transition: OperationTransition) -> str:
    state = State(transition.to_state).label.lower()
    if transition.to_state not in Operation.ENDED:
        return f"{transition.actor_name or 'The console'}: {state}."
    if transition.from_state in Operation.ENDED:
        return f"Later log entries changed the result: {state}."
    return f"It ended: {state}."


def _asked(operation: Operation) -> str:
    count = operation.asked_count
    if operation.asked_at is None:
        return f"The console checked {times(count)} and got no answer."
    return f"Last answer from Ampersand; the console checked {times(count)}."
