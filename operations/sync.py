"""Keeping our copy of operations in step with Ampersand's."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import batched

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from console.models import Project
from operations.models import Operation
from operations.tasks import watch_operations
from operations.watching import watch

__all__ = ["ask_now", "follow", "nudge_due", "validate_remote_id", "watch"]

# A nudge that got lost is repeated after this.
NUDGE_LEASE = timedelta(seconds=30)
# No more a tick: what all falls due at once, after an outage, is paced and spreads.
NUDGED_AT_ONCE = 500
# Operations that one task asks about. They share connections, and what is stored.
CHUNK = 100


def nudge_due(now: datetime) -> int:
    """Have the workers ask about what is due; return how many operations that were.

    Each is pushed ahead by a lease first, so that the clock's next tick finds it only
    if the nudge was lost. One SELECT when nothing is due.
    """
    lease = now + NUDGE_LEASE
    nudged = 0
    for chunk in _chunks(now):
        due = Operation.objects.filter(pk__in=chunk).due(*Operation.WATCHED, now=now)
        if pushed := due.update(due_at=lease):
            watch_operations.enqueue(chunk, lease.isoformat())
            nudged += pushed
    return nudged


def _chunks(now: datetime) -> Iterator[list[int]]:
    """Yield what is due, the longest first, in chunks of one project.

    Those that could not be asked last time are apart: where the remote lets us wait,
    they keep nobody else waiting.
    """
    due = Operation.objects.due(*Operation.WATCHED, now=now)
    rows = due.values_list("project_id", "watch_problem", "pk")[:NUDGED_AT_ONCE]
    alike: dict[tuple[int, bool], list[int]] = {}
    for project, problem, pk in rows:
        alike.setdefault((project, bool(problem)), []).append(pk)
    for pks in alike.values():
        yield from map(list, batched(pks, CHUNK))


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
        _nudge(operation.pk, now)
    return True


def follow(*, project: Project, remote_id: str, user: User) -> tuple[Operation, bool]:
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
                "state": Operation.State.IN_PROGRESS,
                "started_by": user,
                "started_by_name": user.get_username(),
                "created_at": now,
                "due_at": now,
            },
        )
        if is_new:
            _nudge(operation.pk, now)
    return operation, is_new


def validate_remote_id(value: str) -> None:
    """Refuse what cannot be one part of an address: blank, control characters, “/”."""
    if not value or len(value) > 200:
        raise ValidationError("An id has 1 to 200 characters.")
    if not value.isprintable() or "/" in value or value in (".", ".."):
        raise ValidationError("This cannot be an operation's id.")


def _nudge(pk: int, due_at: datetime) -> None:
    """Enqueue once it is committed. The clock repeats a nudge that fails."""
    enqueue = partial(watch_operations.enqueue, [pk], due_at.isoformat())
    transaction.on_commit(enqueue, robust=True)
