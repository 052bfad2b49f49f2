"""Whether a project takes notifications, and by which secret it knows them."""

from django.db import transaction

from ampersand import SecretStr
from console.actor import Actor
from console.connections.save import record
from console.models import Hook, Project


def take_notifications(project: Project, secret: SecretStr, actor: Actor) -> None:
    """Take what is signed with `secret` from now on, and nothing else.

    The secret of before is not read: a lost FIELD_KEYS must not keep a new one away.
    """
    with transaction.atomic():
        if not Hook.objects.filter(project=project).update(secret=secret):
            Hook.objects.create(project=project, secret=secret)
        record("hook.changed", project, actor)


def stop_notifications(project: Project, actor: Actor) -> None:
    """Take none any more: their address and their secret are forgotten."""
    with transaction.atomic():
        stopped, _ = Hook.objects.filter(project=project).delete()
        if stopped:
            record("hook.deleted", project, actor)
