"""Which fields an object has for a customer.

Source: "getObjectMetadataForInstallation" of Ampersand's OpenAPI document of August
2026. Names of nested fields are paths, as `$['billingaddress']['city']`.
"""

from dataclasses import dataclass
from typing import Any

from ampersand.answers import Answer, problem_of, success_of_read
from ampersand.building import integration_url, not_blank, segment
from ampersand.errors import OutcomeUnknown
from ampersand.schemas import Request, dict_or_empty, list_or_empty, text_of


@dataclass(frozen=True, kw_only=True)
class FieldMetadata:
    """One field. `value_type` is one of Ampersand's words: string, boolean,
    singleSelect, multiSelect, date, datetime, int, float, reference, other; "" where it
    tells none. `provider_type` is the provider's own. `values` are the choices, the
    value before what people see of it.
    """

    name: str
    display_name: str
    value_type: str
    provider_type: str
    is_read_only: bool
    is_required: bool
    references: tuple[str, ...]
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class ObjectMetadata:
    """An object with its fields, in the order told."""

    name: str
    display_name: str
    fields: tuple[FieldMetadata, ...]


def get_object_metadata(
    base_url: str, *, project: str, integration: str, object_name: str, group_ref: str
) -> Request:
    """Build the question. Raises: RequestInvalid for a blank part."""
    not_blank(group_ref, "group reference")
    url = integration_url(base_url, project, integration)
    name = segment(object_name, "object name")
    return Request(
        action="read",
        method="GET",
        url=f"{url}/objects/{name}/metadata?groupRef={segment(group_ref, 'group')}",
    )


def read_object_metadata(answer: Answer) -> ObjectMetadata:
    """Read the fields. Raises: Refused for any status but 2xx; OutcomeUnknown for an
    answer without a list of fields.
    """
    body = dict_or_empty(success_of_read(answer))
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise OutcomeUnknown("The answer does not tell fields", problem_of(answer))
    return ObjectMetadata(
        name=text_of(body.get("name")) or "",
        display_name=text_of(body.get("displayName")) or "",
        fields=tuple(
            _field(name, dict_or_empty(each)) for name, each in fields.items()
        ),
    )


def _field(name: str, raw: dict[str, Any]) -> FieldMetadata:
    choices = (dict_or_empty(each) for each in list_or_empty(raw.get("values")))
    references = (text_of(each) for each in list_or_empty(raw.get("referenceTo")))
    return FieldMetadata(
        name=text_of(raw.get("fieldName")) or name,
        display_name=text_of(raw.get("displayName")) or "",
        value_type=text_of(raw.get("valueType")) or "",
        provider_type=text_of(raw.get("providerType")) or "",
        is_read_only=raw.get("readOnly") is True,
        is_required=raw.get("isRequired") is True,
        references=tuple(filter(None, references)),
        values=tuple(
            (value, text_of(choice.get("displayValue")) or value)
            for choice in choices
            if (value := text_of(choice.get("value")))
        ),
    )
