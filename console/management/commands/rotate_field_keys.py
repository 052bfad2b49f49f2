"""Encrypt every stored secret anew with the first key of FIELD_KEYS."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from console.audit_seal import ids_of
from console.fields import UnreadableSecret
from console.health.factor_secrets import encrypt_anew
from console.health.stored_secrets import name_of, stored_secrets
from console.models import AuditEvent


class Command(BaseCommand):
    """`manage.py rotate_field_keys`: then the old keys may leave FIELD_KEYS."""

    help = "Encrypt every stored API key anew with the first key of FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Report how many were encrypted anew; exit 1 if some could not be read."""
        done, unreadable = encrypt_anew()
        for row, name in stored_secrets():
            try:
                done += _encrypt_anew(row, name)
            except UnreadableSecret:
                unreadable.append(name_of(row))
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


@transaction.atomic
def _encrypt_anew(row: Model, name: str) -> bool:
    """Encrypt a secret that was not read yet; tell whether it is still there.

    Raises `UnreadableSecret`.
    """
    mine = type(row)._default_manager.filter(pk=row.pk, **{f"{name}__isnull": False})
    # Who changes it or takes it away at this moment comes before or after this.
    if not mine.select_for_update().exists():
        return False
    # Reading the value decrypts it, saving encrypts it with the first key.
    getattr(row, name)
    row.save(update_fields=[name])
    return True


def _seals_are_of(old_keys: list[str]) -> bool:
    """Whether one of these keys sealed events, and is kept nowhere else."""
    only_here = ids_of(old_keys) - ids_of(settings.AUDIT_KEYS)
    return AuditEvent.objects.filter(key_id__in=only_here).exists()
