"""Words that only the pages of this app need."""

from typing import Any

from django import template
from django.utils.html import format_html

from writes.display.finding_titles import title_of
from writes.display.result import result_of
from writes.models import Write

register = template.Library()
register.filter("rule_title", title_of)


@register.simple_tag(takes_context=True)
def write_link(context: dict[str, Any], write: Write) -> str:
    """Name a write, as a link where the reader may open it: not somebody's draft."""
    if not write.may_be_seen_by(context["user"]):
        return f"write {write.pk}"
    return format_html('<a href="{}">write {}</a>', write.get_absolute_url(), write.pk)


@register.filter
def result_words(write: Write) -> str:
    """Say what became of a write that was sent: "18 of 20 succeeded, 2 failed"."""
    if write.source == Write.Source.CSV:
        return result_of(write).words
    operation = write.batches.select_related("operation").get().operation
    return operation.state_label.lower()


WIDTH = 1000
# What is there is seen, however small its share; and where the next piece begins.
LEAST = 8
GAP = 3


@register.filter
def share_of(count: int, whole: int) -> int:
    """Return how long a bar of `WIDTH` units is for `count` of `whole`."""
    if not count or not whole:
        return 0
    return max(LEAST, min(WIDTH, WIDTH * count // whole))


@register.filter
def segments(totals: Any) -> list[dict[str, Any]]:
    """Return one piece of a bar for each state of rows: state, count, place, width.

    `totals` has a count for each state, and `rows` for all of them.
    """
    counts = {
        "succeeded": totals.succeeded,
        "failed": totals.failed,
        "unknown": totals.unknown,
        "not sent": totals.not_sent,
    }
    widths = {state: share_of(count, totals.rows) for state, count in counts.items()}
    # Small pieces were made wide enough to be seen: the longest one gives way.
    longest = max(widths, key=lambda state: widths[state])
    if widths[longest]:
        widths[longest] += WIDTH - sum(widths.values())
    pieces, place = [], 0
    for state, count in counts.items():
        if count:
            width = widths[state]
            end = GAP if place + width < WIDTH else 0
            pieces.append(
                {"state": state, "count": count, "place": place, "width": width - end}
            )
            place += width
    return pieces


@register.filter
def per_second(value: float) -> str:
    """Return a rate with as many digits as mean something: "1,240", "12", "0.3"."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
