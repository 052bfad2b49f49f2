"""Keeping our copy of operations in step with Ampersand's."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from console.actor import Actor
from console.models import Project
from operations import dispatch
from operations.models import Operation


def ask_now(operation: Operation) -> bool:
    """Have the worker ask about `operation` at once; False when no news can come.

    Works for one that we stopped asking about, too: it is asked once more.
    """
    if not operation.can_be_asked:
        return False
    now = timezone.now()
    with transaction.atomic():
        # Without the digest the log is asked for as well.
        state = operation.state
        if not operation.change(only_from=(state,), due_at=now, log_digest=""):
            return False
        dispatch.enqueue_watch(operation.pk, now)
    return True


def follow(
    *,
    project: Project,
    remote_id: str,
    actor: Actor,
    source: str = Operation.Source.FOLLOWED,
) -> tuple[Operation, bool]:
    """Watch an operation that somebody else started; return it, and whether it is new.

    An operation that we have already is returned as it is. Raises `ValidationError`
    when `remote_id` cannot be an id.
    """
    remote_id = remote_id.strip()
    validate_remote_id(remote_id)
    now = timezone.now()
    with transaction.atomic():
        operation, is_new = Operation.objects.get_or_create(
            project=project,
            remote_id=remote_id,
            defaults={
                "action": Operation.Action.FOLLOW,
                "source": source,
                "state": Operation.State.IN_PROGRESS,
                "started_by": actor.user,
                "started_by_name": actor.name,
                "created_at": now,
                "due_at": now,
            },
        )
        if is_new:
            dispatch.enqueue_watch(operation.pk, now)
    return operation, is_new


def validate_remote_id(value: str) -> None:
    """Refuse what cannot be one part of an address: blank, control characters, “/”."""
    if not value or len(value) > 200:
        raise ValidationError("An id has 1 to 200 characters.")
    if not value.isprintable() or "/" in value or value in (".", ".."):
        raise ValidationError("This cannot be an operation's id.")
