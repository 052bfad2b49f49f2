"""On the page of a project: notices that its webhook did not take in time."""

from datetime import timedelta

from django.template.loader import render_to_string
from django.utils import timezone

from console.http import ConsoleRequest
from console.models import Project
from writes.models import Notice

SHOWN = 5
SHOWN_FOR = timedelta(days=7)


def notices_panel(request: ConsoleRequest, project: Project) -> str:
    """Say which writes nobody was told of, or nothing."""
    since = timezone.now() - SHOWN_FOR
    missed = Notice.objects.given_up().filter(webhook__project=project, at__gt=since)
    newest = list(missed.select_related("write")[: SHOWN + 1])
    if not newest:
        return ""
    context = {"missed": newest[:SHOWN], "are_more": len(newest) > SHOWN}
    return render_to_string("writes/notices.html", context, request)
