"""Where Ampersand may tell a project that something ended."""

import secrets
from typing import Any

from django.db import models

from ampersand import SecretStr
from console.access.scoping import OfEnvironment
from console.fields import EncryptedField
from console.models.project import Project


def new_token() -> str:
    """Return what nobody can guess of an address."""
    return secrets.token_urlsafe(32)


class Hook(models.Model):
    """An address of this console for one project, and what its messages are signed by.

    The secret is encrypted at rest and never shown. `told_at` is when the last genuine
    one came.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, related_name="hook"
    )
    token = models.CharField(
        max_length=43, unique=True, default=new_token, editable=False
    )
    secret: models.Field[Any, SecretStr] = EncryptedField("Signing secret")
    created_at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True, editable=False)

    objects = OfEnvironment["Hook"].as_manager()
    PROJECT = "project"

    def __str__(self) -> str:
        return f"Notifications of {self.project}"


class HookMessage(models.Model):
    """A notification that was taken: each has its effect once.

    The sweep forgets it, long after it would be too old to be taken.
    """

    hook = models.ForeignKey(Hook, on_delete=models.CASCADE, related_name="messages")
    message_id = models.CharField(max_length=100)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["hook", "message_id"], name="hook_message_once"
            )
        ]
        indexes = [models.Index(fields=["received_at"], name="hook_message_by_time")]

    def __str__(self) -> str:
        return f"{self.message_id} of {self.hook_id}"
