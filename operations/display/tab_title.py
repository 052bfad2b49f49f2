"""What the tab of an operation says, so that its end is seen from another one."""

from typing import Final

from operations.models import Operation

State = Operation.State

MARKS: Final = {
    **dict.fromkeys((*Operation.UNSENT, State.SENDING, State.IN_PROGRESS), "…"),
    **dict.fromkeys((State.UNKNOWN, State.COMPLETED), "?"),
    State.SUCCEEDED: "✓",
}


def title(operation: Operation) -> str:
    """Return its state and what it is: "✓ Succeeded · Upsert contact #12"."""
    mark = "‖" if operation.rests else MARKS.get(State(operation.state), "✗")
    what = f"{operation.get_action_display()} {operation.object_name}".strip()
    return f"{mark} {operation.state_label} · {what} #{operation.pk}"
