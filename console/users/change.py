"""Changing users and what they may do: each change and its event in one transaction."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from console.actor import Actor
from console.environments import Environment
from console.models import AuditEvent
from console.models.grant import give, roles_of
from console.models.session import end_sessions
from console.runtime import db_lock

# What an event tells before and after, besides the roles.
TOLD = (
    *("username", "first_name", "last_name", "email"),
    *("is_active", "is_superuser"),
)


class NotChanged(ValueError):
    """Nothing was changed; the text says why, and what to do."""


OWN_ACCESS = "You cannot take or change your own access. Ask another admin to do it."
MEANWHILE = (
    "Somebody else changed these roles meanwhile. Look at them as they are now, and "
    "choose again."
)


def all_roles_of(user: User) -> dict[str, str]:
    """Return the role of `user` in each environment as it is granted; "" is none."""
    given = roles_of(user)
    return {word: given.get(word, "") for word in Environment.values}


def access_of(user: User) -> dict[str, Any]:
    """Return who a user is and what they may do, as the audit trail tells it."""
    fresh = User.objects.get(pk=user.pk)
    return {**all_roles_of(fresh), **{name: getattr(fresh, name) for name in TOLD}}


@transaction.atomic
def add_user(user: User, roles: Mapping[str, str], actor: Actor) -> None:
    """Store a new user with roles."""
    user.save()
    give(user, roles)
    detail = {
        "roles": roles_of(user),
        "is_active": user.is_active,
    }
    _record("user.created", user, actor, detail)


@transaction.atomic
def change_details(user: User, actor: Actor) -> None:
    """Store how a user is called and reached."""
    names = ["username", "first_name", "last_name", "email"]
    before = access_of(user)
    user.save(update_fields=names)
    _record_changes(user, before, actor)


@transaction.atomic
def change_access(
    user: User,
    roles: Mapping[str, str],
    *,
    is_superuser: bool,
    was: Mapping[str, str],
    actor: Actor,
) -> dict[str, list[Any]]:
    """Give a user these roles; return what changed, each before and after.

    They count from the user's next request on. `was` are the roles that whoever chose
    these had seen.

    Raises:
        NotChanged: the roles are others by now, or are those of `actor`.
        LastAdmin: nobody would be left who gives roles.
    """
    db_lock.hold(db_lock.ADMINS)
    user.refresh_from_db()
    if actor.user == user:
        raise NotChanged(OWN_ACCESS)
    if all_roles_of(user) != dict(was):
        raise NotChanged(MEANWHILE)
    before = access_of(user)
    if is_superuser:
        _make_superuser(user, True)
    give(user, roles)
    # Who loses this may have got the role of an admin by the line before.
    if not is_superuser:
        _make_superuser(user, False)
    return _record_changes(user, before, actor)


def _make_superuser(user: User, is_superuser: bool) -> None:
    if user.is_superuser != is_superuser:
        user.is_superuser = is_superuser
        user.save(update_fields=["is_superuser"])


@transaction.atomic
def set_active(user: User, is_active: bool, actor: Actor) -> bool:
    """Close an account, which ends its sessions, or open it; tell whether that is new.

    Raises:
        NotChanged: it is the account of `actor`.
        LastAdmin: nobody would be left who gives roles.
    """
    db_lock.hold(db_lock.ADMINS)
    user.refresh_from_db()
    if actor.user == user:
        raise NotChanged(OWN_ACCESS)
    if user.is_active == is_active:
        return False
    before = access_of(user)
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    _record_changes(user, before, actor)
    return True


@transaction.atomic
def set_first_password(user: User, password: str, actor: Actor) -> None:
    """Set a password that its user must change; their sessions end."""
    user.set_password(password)
    user.save(update_fields=["password"])
    _record("user.password_set", user, actor, {})


@transaction.atomic
def end_all_sessions(user: User, actor: Actor) -> int:
    """Sign a user out everywhere; return of how many sessions."""
    count = end_sessions(user)
    _record("user.sessions_ended", user, actor, {"sessions": count})
    return count


def _record_changes(
    user: User, before: Mapping[str, Any], actor: Actor
) -> dict[str, list[Any]]:
    """Record what is not as `before`, if anything is, and return it."""
    after = access_of(user)
    changed = {
        name: [value, after[name]]
        for name, value in before.items()
        if value != after[name]
    }
    if changed:
        _record("user.changed", user, actor, changed)
    return changed


def _record(action: str, user: User, actor: Actor, detail: dict[str, Any]) -> None:
    AuditEvent.record(
        action=action, subject=user.get_username(), actor=actor, detail=detail
    )
