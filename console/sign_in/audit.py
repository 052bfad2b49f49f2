"""Who signed in and who tried to, for the audit trail."""

from dataclasses import replace
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from console.actor import SYSTEM, Actor
from console.models import AuditEvent
from console.models.sign_in_attempt import LONGEST_NAME
from console.sign_in.kept_form import forget_others
from console.sign_in.session_expiry import begin_session
from console.sign_in.throttle import Locked


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    """Record that somebody signed in, and begin to count how long that lasts."""
    forget_others(request.session, user)
    begin_session(request, timezone.now())
    AuditEvent.record(
        action="user.signed_in",
        subject=user.get_username(),
        actor=Actor.of(request),
        detail={"by": settings.OIDC_NAME} if came_by_provider(request, user) else {},
    )


def came_by_provider(request: HttpRequest, user: AbstractBaseUser) -> bool:
    """Whether who signs in was named by the provider, not by a password."""
    records = get_authentication_records(request, user)
    return any(record["method"] == "socialaccount" for record in records)


@receiver(user_logged_out)
def signed_out(
    request: HttpRequest, user: AbstractBaseUser | None, **kwargs: Any
) -> None:
    """Record that somebody signed out, or was; without a session there was nobody."""
    if user is None:
        return
    reason = getattr(request, "signed_out_because", "")
    # Whose time is over finds what they typed again; who leaves wants it gone.
    request.signs_out = not reason  # type: ignore[attr-defined]
    AuditEvent.record(
        action="user.signed_out",
        subject=user.get_username(),
        actor=Actor.of(request),
        detail={"reason": reason} if reason else {},
    )


@receiver(user_login_failed)
def sign_in_failed(
    credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record the name that was typed, cut to the length of a real one; nothing else."""
    AuditEvent.record(
        action="user.sign_in_failed",
        subject=str(credentials.get("username", ""))[:LONGEST_NAME],
        actor=nobody(request),
    )


def record_lock(request: HttpRequest, name: str, lock: Locked) -> None:
    """Record that too many tries were made, the last with `name`: once a lock."""
    AuditEvent.record(
        action="user.sign_in_locked",
        subject=name,
        actor=nobody(request),
        detail={"until": lock.until.isoformat()},
    )


def record_about(
    request: HttpRequest, action: str, person: AbstractBaseUser, **detail: Any
) -> None:
    """Record what is done about the sign-in of `person`, by whoever is signed in."""
    AuditEvent.record(
        action=action,
        subject=person.get_username(),
        actor=who_asks(request),
        detail=detail,
    )


def who_asks(request: HttpRequest) -> Actor:
    """Return who makes a request, whether signed in or not."""
    is_in = request.user.is_authenticated
    return Actor.of(request) if is_in else nobody(request)


def nobody(request: HttpRequest | None) -> Actor:
    """Return who does something without being signed in."""
    actor = Actor.of(request) if request else SYSTEM
    return replace(actor, name="not signed in")
