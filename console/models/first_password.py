"""Passwords that somebody else chose, as rows."""

from django.conf import settings
from django.db import models


class FirstPassword(models.Model):
    """Somebody whose password another person or a command set: they must change it.

    `console.sign_in.passwords` makes it and takes it away.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.CASCADE,
        related_name="first_password",
    )

    def __str__(self) -> str:
        return str(self.user)


def must_change_password(user: object) -> bool:
    """Whether `user` must choose a password of their own before anything else."""
    return hasattr(user, "first_password")
