"""Every secret that is stored encrypted: API keys, secrets and addresses of hooks."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models

from console.fields import EncryptedField, UnreadableSecret
from console.models import ApiKey, Hook, Webhook


def stored_secrets() -> Iterator[tuple[models.Model, str]]:
    """Yield what has a secret, and its name; keys that were revoked have none.

    None of them is read yet: reading one raises `UnreadableSecret` where no key fits.
    """
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


def unreadable_secrets() -> list[str]:
    """Return the names of those that no key of FIELD_KEYS opens."""
    found = []
    for row, name in stored_secrets():
        try:
            getattr(row, name)
        except UnreadableSecret:
            found.append(name_of(row))
    return found


def name_of(row: models.Model) -> str:
    """Return what people call the row of a secret."""
    return f"{row.project}: {row}" if hasattr(row, "project") else str(row)
