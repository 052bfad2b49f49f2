"""Home: what needs a person first, then what is running, then what was done."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from console.access.roles import Role, require_viewer, role_of
from console.health.workers import background
from console.http import ConsoleRequest
from console.models import Project
from console.runtime import db_clock
from console.runtime.trouble import disk_trouble
from operations import looking
from operations.display.log_archive import alarm_of
from operations.models import Gate, Operation
from operations.views.lookup import name_groups
from operations.views.report import home_plot
from writes.display.restored import restored_for
from writes.forms.address import offered_to
from writes.models import Approval, Write

SHOWN = 8
# Tiles count to here; an exact large number would cost a scan and help nobody.
MOST_COUNTED = 1000


@require_safe
@require_viewer
def home(request: ConsoleRequest) -> HttpResponse:
    """Show what needs attention."""
    now = timezone.now()
    visible = Operation.objects.visible_to(request.user)
    operations = visible.select_related("project").newest_first()
    needy = operations.needing_attention()
    unknown = list(needy[: SHOWN + 1])
    recent = looking.newest_begun(operations, request.user, SHOWN)
    name_groups([*unknown, *recent])
    # From its midnight on, as the list that the tile leads to has it.
    yesterday = timezone.localtime(now - timedelta(days=1)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    failed = operations.ended_badly().filter(created_at__gte=yesterday)
    drafts = Write.objects.visible_to(request.user).drafts()
    drafts = drafts.filter(started_by=request.user)
    approvals = _approvals(request)
    context = {
        "approvals": approvals[:SHOWN],
        "approvals_left": len(approvals) > SHOWN,
        "unknown": unknown[:SHOWN],
        "unknown_left": len(unknown) > SHOWN,
        "unknown_count": _count(needy),
        "failed_count": _count(failed),
        "yesterday": yesterday,
        "in_flight_count": _count(operations.in_flight()),
        "drafts": drafts.select_related("integration__project")[:SHOWN],
        "draft_count": _count(drafts),
        "destinations": offered_to(request.user),
        "recent": recent,
        "plot": home_plot(request.user),
        "has_projects": Project.objects.visible_to(request.user).exists(),
        "log_alarm": alarm_of(visible, db_clock.now()),
        "open_gates": _open_gates(request),
        "background": background(),
        "disk": disk_trouble(),
        "restored": restored_for(request.user),
    }
    return render(request, "writes/home.html", context)


def _approvals(request: ConsoleRequest) -> list[Approval]:
    """Return what waits for the reader's approval, what expires first."""
    if role_of(request.user) < Role.OPERATOR:
        return []
    waiting = Approval.objects.for_approver(request.user, db_clock.now())
    waiting = waiting.select_related("write__integration__project")
    return list(waiting[: SHOWN + 1])


def _open_gates(request: ConsoleRequest) -> QuerySet[Gate]:
    """Return the gates whose breaker is open, of projects that the reader may see."""
    projects = Project.objects.visible_to(request.user)
    gates = Gate.objects.with_open_breaker().filter(project__in=projects)
    return gates.select_related("project")[:SHOWN]


def _count(rows: QuerySet[Any]) -> str:
    # In no order: an index of the state tells it.
    count = rows.order_by()[:MOST_COUNTED].count()
    return f"{count:,}+" if count == MOST_COUNTED else f"{count:,}"
