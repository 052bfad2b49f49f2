"""What happened to a write: its own states, and those of each of its parts."""

from collections.abc import Iterator
from dataclasses import replace

from operations.display.timeline import Event, add_decision, event_of
from operations.models import Operation, OperationTransition
from writes.models import Approval, Write

State = Write.State

MOST_SHOWN = 200

_TEXTS = {
    State.DRAFT: "{who} created the draft.",
    State.CONFIRMED: "{who} confirmed it.",
    State.DISCARDED: "{who} discarded it. Nothing was sent.",
}


_ENDED = {
    Approval.State.APPROVED: "{who} approved it.",
    Approval.State.REFUSED: "{who} refused it. Nothing was sent.",
    Approval.State.EXPIRED: "Nobody decided in time. Nothing was sent.",
    Approval.State.WITHDRAWN: "The approval was withdrawn.",
    Approval.State.VOID: "The approval became void. Nothing was sent.",
}


def approvals_of(write: Write) -> list[Event]:
    """Return who asked that `write` be approved, and what came of it, in order."""
    return [
        event
        for approval in write.approvals.order_by("pk")
        for event in _of_approval(approval)
    ]


def _of_approval(approval: Approval) -> Iterator[Event]:
    who = approval.requested_by_name
    reason = approval.reason or approval.repeat_reason
    yield Event(approval.requested_at, f"{who} asked for approval.", why=reason)
    if approval.ended_at is not None:
        text = _ENDED[Approval.State(approval.state)]
        said = text.format(who=approval.decided_by_name)
        why = approval.note or approval.why
        yield Event(approval.ended_at, said, why=why, state=approval.state)


def before_operation(operation: Operation, events: list[Event]) -> list[Event]:
    """Put before the events of an operation who asked for and who gave approval."""
    if not operation.write_number:
        return events
    write = Write(pk=operation.write_number)
    return [*approvals_of(write), *events]


def timeline(write: Write) -> list[Event]:
    """Return what happened to `write` and to its parts: the newest 200, in order.

    In the order in which they were kept, since clocks may step back.
    """
    own = [
        Event(
            transition.at,
            _TEXTS[State(transition.to_state)].format(
                who=transition.actor_name or "The console"
            ),
            why=transition.reason,
            process=transition.process,
            state=transition.to_state,
        )
        for transition in write.transitions.all()
    ]
    # The draft came first; sending or discarding it came last.
    own[1:1] = approvals_of(write)
    told = OperationTransition.objects.filter(operation__batch__write=write)
    newest = told.select_related("operation").order_by("-pk")[:MOST_SHOWN]
    # That they were begun is one with the confirmation of the write.
    parts = [
        replace(event_of(transition), part=transition.operation.part)
        for transition in reversed(newest)
        if transition.from_state
    ]
    decided = Operation.objects.filter(batch__write=write, resolved_at__isnull=False)
    for operation in decided:
        add_decision(parts, operation, part=operation.part)
    return [*own, *parts]
