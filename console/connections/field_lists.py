"""Changing the field list of an object: the change and its audit event in one."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from console.actor import Actor
from console.models import AuditEvent, WriteObject
from files.field import Field
from files.fields.field_lists import as_json

# How many names of each kind an audit event holds; the counts are always exact.
NAMES_KEPT = 100


def change_fields(
    write_object: WriteObject,
    fields: Sequence[Field],
    *,
    source: WriteObject.FieldsFrom,
    actor: Actor,
) -> bool:
    """Give an object these fields. Returns False when it had exactly them before.

    No fields at all remove the list: values are then only guessed about.
    """
    with transaction.atomic():
        row = WriteObject.objects.select_for_update().get(pk=write_object.pk)
        before, after = row.fields, as_json(fields)
        if before == after:
            return False
        row.fields = after
        row.fields_from = source if after else ""
        row.fields_at = timezone.now() if after else None
        row.save(update_fields=["fields", "fields_from", "fields_at"])
        AuditEvent.record(
            action="fields.changed",
            actor=actor,
            subject=f"{write_object} of {write_object.integration}",
            about=write_object,
            detail={"from": str(source), **_difference(before, after)},
        )
    return True


def _difference(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the count of fields before and after, and the names that differ."""
    old = {field["name"]: field for field in before}
    new = {field["name"]: field for field in after}
    names = {
        "added": [name for name in new if name not in old],
        "removed": [name for name in old if name not in new],
        "changed": [name for name in new if name in old and new[name] != old[name]],
    }
    found = {kind: each[:NAMES_KEPT] for kind, each in names.items() if each}
    return {"fields": [len(before), len(after)], **found}
