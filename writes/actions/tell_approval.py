"""Noting that somebody asked for approval, or decided, for who wants to be told."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import F, Q

from console.runtime import db_clock
from writes.actions.tell import targets
from writes.models import Approval, Notice, Write


def tell(approval: Approval, event: str, approvers: Sequence[User] = ()) -> None:
    """Make the notices of an event; call it in the transaction of what happened.

    What waits is told to those of `approvers` who want e-mail of what concerns them,
    or of the project; anything else to who asked, and who wants it of the project.
    """
    rows = Write.objects.filter(pk=approval.write_id)
    rows.update(told_count=F("told_count") + 1)
    write = rows.select_related("integration__project").get()
    of_project = Q(project=write.project)
    wishes = of_project | Q(project=None, person=approval.requested_by_id)
    if event == Notice.Event.APPROVAL:
        wishes = Q(of_project | Q(project=None), person__in=approvers)
    now = db_clock.now()
    told = {"write": write, "number": write.told_count, "event": event, "at": now}
    Notice.objects.bulk_create(
        Notice(**told, due_at=now, **target) for target in targets(write, wishes)
    )
