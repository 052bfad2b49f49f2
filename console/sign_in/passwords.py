"""What a password must be, and who chose it.

One that another person or a command set is a first password: whoever signs in with it
reaches nothing but the page that changes it: see `console.sign_in.first_steps`.
"""

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from console.actor import Actor
from console.models import AuditEvent, FirstPassword
from console.models.session import end_sessions


class AnotherPassword:
    """The new password is another one; and whoever sets it, sessions end with it.

    One of `AUTH_PASSWORD_VALIDATORS`: Django tells these of each password that is set.
    """

    def validate(self, password: str, user: User | None = None) -> None:
        """Refuse the password that `user` has."""
        if user is not None and user.pk and check_password(password, user.password):
            raise ValidationError(
                "This is your current password. Choose another one.",
                code="password_unchanged",
            )

    def password_changed(self, password: str, user: User | None = None) -> None:
        """Take it for one that somebody else set: `change_own` knows better."""
        if user is not None:
            FirstPassword.objects.get_or_create(user=user)
            end_sessions(user)

    def get_help_text(self) -> str:
        return "It must be another one than before."


@receiver(post_save, sender=User)
def person_saved(instance: User, *, created: bool, raw: bool, **kwargs: Any) -> None:
    """Have a new person choose a password, and end the sessions of a closed account."""
    if created and not raw and instance.has_usable_password():
        FirstPassword.objects.get_or_create(user=instance)
    if created and instance.is_superuser and not raw:
        # No page makes one, so nobody else tells of it.
        AuditEvent.record(
            action="user.created",
            subject=instance.get_username(),
            detail={"is_superuser": True},
        )
    if not instance.is_active:
        end_sessions(instance)


@transaction.atomic
def change_own(request: HttpRequest, user: User, password: str) -> None:
    """Set the password that `user` chose; their other sessions end."""
    user.set_password(password)
    user.save(update_fields=["password"])
    FirstPassword.objects.filter(user=user).delete()
    update_session_auth_hash(request, user)
    AuditEvent.record(
        action="user.password_changed",
        subject=user.get_username(),
        actor=Actor.of(request),
    )
