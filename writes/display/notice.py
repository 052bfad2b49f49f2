"""What a notice says: a line for people, and fields for programs.

Counts and names alone: no cell value, no key, no id of a record, nothing that an answer
of Ampersand quotes.
"""

from html import escape
from typing import Any

from django.conf import settings

from writes.display.result import Result
from writes.models import Approval, Notice, Write


def subject(notice: Notice) -> str:
    """Return one line: what happened to what, and where."""
    write = notice.write
    where = f"{write.project.name} ({write.project.get_environment_display()})"
    what = f"{write.get_action_display()} {write.count_label} for {write.group_label}"
    # A header of e-mail has no line end.
    return " ".join(f"{_mark(notice)}: {what} in {where}".split())


def _mark(notice: Notice) -> str:
    if notice.event != Notice.Event.ENDED or not notice.counts:
        return notice.get_event_display()
    return Result("good", **notice.counts).words


_TO_DO = {
    Notice.Event.ENDED: "",
    Notice.Event.UNKNOWN: "It was sent and no readable answer came: it may or may not "
    "have been written. Find out before it is sent again.",
    Notice.Event.DECISION: "What has not left waits until somebody lets it go on or "
    "cancels it.",
    Notice.Event.APPROVAL: "Nothing is sent until another person approves it.",
    Notice.Event.APPROVED: "It was queued.",
    Notice.Event.REFUSED: "Nothing was sent.",
    Notice.Event.EXPIRED: "Nobody decided in time. Nothing was sent.",
}


def link(notice: Notice) -> str:
    """Return the address of its page, "" where nobody said how people come here.

    Of what waits for approval it is the page that who approves may see.
    """
    page: Write | Approval | None = notice.write
    if notice.event == Notice.Event.APPROVAL:
        page = notice.write.approvals.order_by("-pk").first() or page
    base = settings.CONSOLE_URL or settings.PUBLIC_URL
    return f"{base.rstrip('/')}{page.get_absolute_url()}" if base and page else ""


def text(notice: Notice) -> str:
    """Return all of it as plain text, for e-mail."""
    lines = (subject(notice) + ".", _TO_DO[Notice.Event(notice.event)])
    return "\n\n".join(filter(None, (*lines, link(notice))))


def message(notice: Notice) -> dict[str, Any]:
    """Return it as a webhook gets it: `text` as Slack and Teams show it, and fields.

    In `text` nothing is markup that somebody typed.
    """
    write, project = notice.write, notice.write.project
    return {
        "text": escape(text(notice), quote=False),
        "id": str(notice.uid),
        "event": notice.event,
        "at": notice.at.isoformat(),
        "project": project.name,
        "environment": project.environment,
        "write": write.pk,
        "action": write.action,
        "object": write.object_name,
        "customer": write.group_ref,
        "rows": notice.counts or None,
        "url": link(notice) or None,
    }
