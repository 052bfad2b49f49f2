"""Encrypt every stored secret anew with the first key of FIELD_KEYS."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import models

from console.audit_seal import ids_of
from console.fields import EncryptedField, UnreadableSecret
from console.models import ApiKey, AuditEvent, Hook, Webhook


def _stored() -> Iterator[tuple[models.Model, str]]:
    """Yield what has a secret, and its name; keys that were revoked have none."""
    for model in apps.get_models():
        if model not in (ApiKey, Hook, Webhook):
            yield from _secrets_of(model)
    keys = ApiKey.objects.filter(revoked_at=None).defer("value")
    yield from ((key, "value") for key in keys.select_related("project"))
    hooks = Hook.objects.defer("secret").select_related("project")
    yield from ((hook, "secret") for hook in hooks)
    webhooks = Webhook.objects.defer("address", "secret").select_related("project")
    for webhook in webhooks:
        yield webhook, "address"
        yield webhook, "secret"


def _secrets_of(model: type[models.Model]) -> Iterator[tuple[models.Model, str]]:
    """Yield the rows of a model of another app with each secret that they have."""
    for field in model._meta.concrete_fields:
        if isinstance(field, EncryptedField):
            rows = model._default_manager.defer(field.name)
            yield from ((row, field.name) for row in rows)


def _name(row: models.Model) -> str:
    return f"{row.project}: {row}" if hasattr(row, "project") else str(row)


class Command(BaseCommand):
    """`manage.py rotate_field_keys`: then the old keys may leave FIELD_KEYS."""

    help = "Encrypt every stored API key anew with the first key of FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Report how many were encrypted anew; exit 1 if some could not be read."""
        done, unreadable = 0, []
        for row, name in _stored():
            try:
                # Reading the value decrypts it, saving encrypts it with the first key.
                getattr(row, name)
                row.save(update_fields=[name])
                done += 1
            except UnreadableSecret:
                unreadable.append(_name(row))
        AuditEvent.record(
            action="key.encrypted_anew",
            subject="All API keys",
            detail={"done": done, "unreadable": len(unreadable)},
        )
        self.stdout.write(f"Encrypted anew: {done}. Unreadable: {len(unreadable)}.")
        if _seals_are_of(settings.FIELD_KEYS[1:]):
            self.stdout.write(
                "Events of the audit trail were sealed with an old key of FIELD_KEYS. "
                "Before you take that out, add it at the end of AUDIT_KEYS: they "
                "cannot be verified without it."
            )
        if unreadable:
            raise CommandError(
                "None of the keys in FIELD_KEYS opens these; they were left alone: "
                + "; ".join(unreadable)
            )


def _seals_are_of(old_keys: list[str]) -> bool:
    """Whether one of these keys sealed events, and is kept nowhere else."""
    only_here = ids_of(old_keys) - ids_of(settings.AUDIT_KEYS)
    return AuditEvent.objects.filter(key_id__in=only_here).exists()
