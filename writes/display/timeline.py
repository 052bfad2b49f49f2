"""What happened to a write: its own states, and those of each of its parts."""

from dataclasses import replace

from operations.display.timeline import Event, add_decision, event_of
from operations.models import Operation, OperationTransition
from writes.models import Write

State = Write.State

MOST_SHOWN = 200

_TEXTS = {
    State.DRAFT: "{who} created the draft.",
    State.CONFIRMED: "{who} confirmed it.",
    State.DISCARDED: "{who} discarded it. Nothing was sent.",
}


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
