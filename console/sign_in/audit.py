"""Who signed in and who tried to, for the audit trail."""

from dataclasses import replace
from typing import Any

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
        action="user.signed_in", subject=user.get_username(), actor=Actor.of(request)
    )


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
        actor=_nobody(request),
    )


def record_lock(request: HttpRequest, name: str, lock: Locked) -> None:
    """Record that too many tries were made, the last with `name`: once a lock."""
    AuditEvent.record(
        action="user.sign_in_locked",
        subject=name,
        actor=_nobody(request),
        detail={"until": lock.until.isoformat()},
    )


def _nobody(request: HttpRequest | None) -> Actor:
    actor = Actor.of(request) if request else SYSTEM
    return replace(actor, name="not signed in")
