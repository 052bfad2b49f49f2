"""The fields of an object for one customer, fetched from Ampersand and kept."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from django.utils import timezone

from ampersand import FieldMetadata
from ampersand import ObjectMetadata as Told
from console.connections.ask import NotAnswered, ask
from console.models import Group, ObjectMetadata, WriteObject
from files.field import Field, Type
from files.fields.field_lists import as_json

MOST_FIELDS = 5_000
MOST_VALUES = 2_000
LONGEST = 255

# Ampersand's words for the kinds of values.
_TYPES: dict[str, Type] = {
    "string": "string",
    "boolean": "boolean",
    "singleSelect": "picklist",
    "multiSelect": "multipicklist",
    "date": "date",
    "datetime": "datetime",
    "int": "int",
    "float": "double",
    "reference": "reference",
}
# Salesforce's own word says more than that.
_FINER: dict[str, Type] = {
    "textarea": "textarea",
    "email": "email",
    "phone": "phone",
    "url": "url",
    "currency": "currency",
    "percent": "percent",
    "time": "time",
    "id": "id",
}


def fetch_fields(write_object: WriteObject, group: Group) -> ObjectMetadata:
    """Ask Ampersand for the fields, and keep them in place of those kept before.

    Raises `NotAnswered`; what was kept stays then, with the problem beside it.
    """
    integration = write_object.integration
    kept, _ = ObjectMetadata.objects.get_or_create(
        write_object=write_object, group=group
    )
    try:
        told = ask(
            integration.project,
            lambda client: client.get_object_metadata(
                project=integration.project.remote_id,
                integration=integration.remote_id,
                object_name=write_object.name,
                group_ref=group.group_ref,
            ),
        )
        kept.fields = as_json(_fields(told))
    except NotAnswered as error:
        kept.problem = str(error)
        kept.save(update_fields=["problem"])
        raise
    kept.sha256 = hashlib.sha256(json.dumps(kept.fields).encode()).hexdigest()
    kept.fetched_at = timezone.now()
    kept.problem = ""
    kept.save()
    return kept


def _fields(told: Told) -> list[Field]:
    if len(told.fields) > MOST_FIELDS:
        raise NotAnswered(
            f"Ampersand reports {len(told.fields):,} fields, more than the "
            f"{MOST_FIELDS:,} that are kept. Import fewer from a describe file."
        )
    return [_field(each) for each in told.fields if 0 < len(each.name) <= LONGEST]


def _field(told: FieldMetadata) -> Field:
    kind = _TYPES.get(told.value_type, "other")
    finer = _FINER.get(told.provider_type)
    is_named = kind in ("string", "double", "other")
    return Field(
        name=told.name,
        label=told.display_name[:LONGEST],
        type=finer if finer and is_named else kind,
        is_required=told.is_required,
        is_creatable=not told.is_read_only,
        is_updateable=not told.is_read_only,
        values=tuple(value for value, _ in told.values[:MOST_VALUES]),
        references=told.references,
    )


def fields_for(write_object: WriteObject, group: Group | None) -> tuple[Field, ...]:
    """Return the fields to write an object of one customer with, () if none are kept.

    What Ampersand told for the customer decides which there are; the object's own list
    adds lengths and External IDs to those, and stands alone where nothing was told.
    """
    own = write_object.field_list()
    told = ObjectMetadata.objects.filter(
        write_object=write_object, group=group, fetched_at__isnull=False
    ).first()
    if told is None:
        return own
    return _joined(told.field_list(), {each.name.casefold(): each for each in own})


def _joined(told: Sequence[Field], own: dict[str, Field]) -> tuple[Field, ...]:
    return tuple(
        replace(
            known,
            label=each.label or known.label,
            is_required=each.is_required,
            is_creatable=known.is_creatable and each.is_creatable,
            is_updateable=known.is_updateable and each.is_updateable,
            values=each.values or known.values,
        )
        if (known := own.get(each.name.casefold()))
        else each
        for each in told
    )
