"""Who signed in and who tried to, for the audit trail."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.dispatch import receiver
from django.http import HttpRequest

from console.models import AuditEvent

LONGEST_NAME = 150


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
    """Record that somebody signed in."""
    AuditEvent.record(
        action="user.signed_in", subject=user.get_username(), request=request
    )


@receiver(user_logged_out)
def signed_out(
    request: HttpRequest, user: AbstractBaseUser | None, **kwargs: Any
) -> None:
    """Record that somebody signed out; without a session there was nobody."""
    if user is None:
        return
    AuditEvent.record(
        action="user.signed_out", subject=user.get_username(), request=request
    )


@receiver(user_login_failed)
def sign_in_failed(
    credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Record the name that was typed, cut to the length of a real one; nothing else."""
    AuditEvent.record(
        action="user.sign_in_failed",
        subject=str(credentials.get("username", ""))[:LONGEST_NAME],
        actor_name="not signed in",
        request=request,
    )
