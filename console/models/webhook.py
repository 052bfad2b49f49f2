"""Where notices of a project go: a webhook, as Slack and Teams have them."""

from typing import Any

from django.db import models

from ampersand import SecretStr
from console.access.scoping import OfEnvironment
from console.fields import EncryptedField
from console.models.project import Project


class Webhook(models.Model):
    """An address that is told what becomes of a project's writes.

    Whoever has the address may post there, so it is encrypted as the secret is that
    messages are signed with; pages name its host. `told_at` is when it last took a
    message, `failures` how many it did not take since, and `problem` why.
    """

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, related_name="webhook"
    )
    address: models.Field[Any, SecretStr] = EncryptedField("Address")
    secret: models.Field[Any, SecretStr] = EncryptedField("Signing secret")
    host = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)
    told_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)
    # Nothing is posted before: it is being posted to, or did not answer.
    try_at = models.DateTimeField(null=True)

    objects = OfEnvironment["Webhook"].as_manager()
    PROJECT = "project"

    def __str__(self) -> str:
        return f"Webhook of {self.project} at {self.host}"
