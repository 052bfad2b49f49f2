"""Words that only the pages of this app need."""

import re
from functools import lru_cache
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from console.templatetags.console import icon
from operations.display.list_cells import cells, head_cells
from operations.display.log_display import since
from operations.display.plot import line_pieces
from operations.display.report import Line
from operations.display.sentence import again_risk
from operations.display.times import ago
from operations.models import Operation
from operations.outcome.log_line import log_line
from operations.outcome.row_failures import unfolded

State = Operation.State
register = template.Library()
register.filter("again_risk", again_risk)
register.filter("unfolded", unfolded)
register.filter("as_line", log_line)
register.filter("ago", ago)
register.filter("since", since)
register.simple_tag(head_cells)
register.simple_tag(cells)


# Of a state that is none of these something is being waited for.
ICONS = {
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


@register.simple_tag
def state_badge(operation: Operation) -> SafeString:
    """Write the state as icon and word, never colour alone."""
    is_unknown = operation.state == State.UNKNOWN
    return _badge(operation.state, bool(is_unknown and operation.resolved_at))


@lru_cache
def _badge(state: str, is_resolved: bool) -> SafeString:
    resolved = " data-resolved" if is_resolved else ""
    return format_html(
        f'<span class="state state-{{}}"{resolved}>{{}}{{}}{{}}</span>',
        state,
        icon(ICONS.get(State(state), "loader-2")),
        State(state).label,
        ", resolved" if is_resolved else "",
    )


@register.filter
def marked(text: str, sought: str) -> SafeString:
    """Mark every place in a text, which is escaped, where what was sought stands."""
    if not sought:
        return conditional_escape(text)
    pieces = re.split(f"({re.escape(sought)})", text, flags=re.IGNORECASE)
    # Every second piece is a match.
    matches = (format_html("<mark>{}</mark>", match) for match in pieces[1::2])
    return format_html_join("", "{}{}", zip(pieces[::2], [*matches, ""], strict=True))


@register.filter
def pieces(line: Line, largest: int) -> list[dict[str, Any]]:
    """Return the pieces of a line's bar, beside the longest line of its table."""
    return line_pieces(line, largest)
