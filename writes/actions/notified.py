"""What follows from a notification of Ampersand: that it is asked now, and no more."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from ampersand.notifications import Notification
from console.models import Group, Hook, HookMessage, Project
from operations.models import Operation
from writes.models import Call

# Long after one would be too old to be taken once more.
KEPT = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
# More of a project are put off: Ampersand sends them again.
MOST_A_MINUTE = 600


class TooMany(Exception):
    """So many came within a minute that this one has to come again."""


def take(hook: Hook, told: Notification, now: datetime) -> int:
    """Have all that a notification may be about asked about now; return how many.

    Those are the operations that are watched and the accepted requests of the customer
    and object. One that came before has no effect. Raises `TooMany`.
    """
    with transaction.atomic():
        # What lies ahead came before the clock was set back.
        within = (now - MINUTE, now + MINUTE)
        latest = hook.messages.filter(received_at__range=within)
        if latest.count() >= MOST_A_MINUTE:
            raise TooMany
        _, is_new = HookMessage.objects.get_or_create(
            hook=hook, message_id=told.id, defaults={"received_at": now}
        )
        if not is_new:
            return 0
        Hook.objects.filter(pk=hook.pk).update(told_at=now)
        return _ask_now(hook.project, told, now)


def _ask_now(project: Project, told: Notification, now: datetime) -> int:
    customers = _customers(project, told)
    watched = Operation.objects.filter(
        project=project,
        state=Operation.State.IN_PROGRESS,
        kind=Operation.Kind.REQUEST,
        group_ref__in=customers,
        object_name=told.object_name,
    )
    accepted = Call.objects.accepted().filter(
        batch__operation__project=project,
        batch__operation__group_ref__in=customers,
        batch__operation__object_name=told.object_name,
    )
    return watched.update(due_at=now) + accepted.update(due_at=now)


def _customers(project: Project, told: Notification) -> list[str]:
    """Return the groupRefs that it may be about: told, and of its installation."""
    groups = Group.objects.filter(integration__project=project)
    named = Q(group_ref=told.group_ref) & ~Q(group_ref="")
    by_installation = Q(installation_id=told.installation) & ~Q(installation_id="")
    found = groups.filter(named | by_installation).values_list("group_ref", flat=True)
    return [*found, told.group_ref] if told.group_ref else list(found)


def forget_old(now: datetime) -> None:
    """Forget the notifications that nobody could use once more."""
    HookMessage.objects.filter(received_at__lt=now - KEPT).delete()
