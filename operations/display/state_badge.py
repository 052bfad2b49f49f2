"""The state of an operation as pages show it."""

from functools import lru_cache

from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.templatetags.console import icon
from operations.models import Operation

State = Operation.State

# Of a state that is none of these something is being waited for. "rests" is no state:
# nothing more leaves until a person says so.
ICONS: dict[str, str] = {
    "rests": "player-pause",
    State.SUCCEEDED: "circle-check",
    State.FAILED: "circle-x",
    State.REJECTED: "circle-x",
    State.NOT_WRITTEN: "circle-x",
    State.PARTLY_FAILED: "alert-triangle",
    State.UNKNOWN: "help-circle",
    State.COMPLETED: "help-circle",
    State.CANCELLED: "ban",
    State.WAITING: "clock",
    State.HELD: "clock",
    State.SENDING: "send",
}


def state_badge(operation: Operation) -> SafeString:
    """Write the state as icon and word, never colour alone."""
    is_unknown = operation.state == State.UNKNOWN
    shown = "rests" if operation.rests else operation.state
    is_resolved = bool(is_unknown and operation.resolved_at)
    return _badge(shown, operation.state_label, is_resolved)


@lru_cache
def _badge(shown: str, label: str, is_resolved: bool) -> SafeString:
    resolved = " data-resolved" if is_resolved else ""
    return format_html(
        f'<span class="state state-{{}}"{resolved}>{{}}{{}}{{}}</span>',
        shown,
        icon(ICONS.get(shown, "loader-2")),
        label,
        ", resolved" if is_resolved else "",
    )
