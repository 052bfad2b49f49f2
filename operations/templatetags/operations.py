"""Words that only the pages of this app need."""

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from operations.display.list_rows import head_cells, list_rows
from operations.display.log_display import since
from operations.display.plot import line_pieces
from operations.display.report import Line
from operations.display.sentence import again_risk
from operations.display.state_badge import state_badge
from operations.display.times import ago
from operations.outcome.log_line import log_line
from operations.outcome.row_failures import unfolded

register = template.Library()
register.filter("again_risk", again_risk)
register.filter("unfolded", unfolded)
register.filter("as_line", log_line)
register.filter("ago", ago)
register.filter("since", since)
register.simple_tag(head_cells)
register.simple_tag(list_rows)
register.simple_tag(state_badge)


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
