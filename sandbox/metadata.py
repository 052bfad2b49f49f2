"""What fields an object has for a customer, as "getObjectMetadata" tells it."""

from typing import Any

from sandbox.schema import Field, SObject

_TYPES = {
    "id": "string",
    "int": "int",
    "double": "float",
    "currency": "float",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "reference": "reference",
    "picklist": "singleSelect",
}


def metadata(name: str, sobject: SObject) -> dict[str, Any]:
    """The fields of an object, which its integration calls `name`."""
    return {
        "name": name,
        "displayName": sobject.name,
        "fields": {
            field.name.lower(): _field(field) for field in sobject.fields.values()
        },
    }


def _field(field: Field) -> dict[str, Any]:
    is_system = field.type == "id" or "readonly" in field.flags
    told: dict[str, Any] = {
        "fieldName": field.name.lower(),
        "displayName": field.label,
        "valueType": _TYPES.get(field.type, "string"),
        "providerType": field.type,
        "readOnly": is_system,
        "isCustom": field.name.endswith("__c"),
        "isRequired": "required" in field.flags,
    }
    if field.target:
        told["referenceTo"] = [field.target.lower()]
    if field.values:
        told["values"] = [
            {"value": value, "displayValue": value} for value in field.values
        ]
    return told
