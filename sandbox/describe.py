"""What Salesforce tells of an object: the keys of a describe that clients read."""

from typing import Any

from sandbox.schema import Field, SObject

_TEXTS = ("string", "textarea", "picklist", "email", "phone", "url")
_WITH_POINT = ("double", "currency")
# Salesforce gives ids the length of the long form.
_ID_LENGTH = 18


def describe(sobject: SObject) -> dict[str, Any]:
    """What `GET /services/data/v60.0/sobjects/<Object>/describe` answers, in short."""
    return {
        "name": sobject.name,
        "label": sobject.name,
        "keyPrefix": sobject.prefix,
        "custom": sobject.name.endswith("__c"),
        "createable": True,
        "updateable": True,
        "fields": [_field(field) for field in sobject.fields.values()],
    }


def _field(field: Field) -> dict[str, Any]:
    is_system = field.type == "id" or "readonly" in field.flags
    has_default = field.type == "boolean" or is_system
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "length": _length(field),
        "precision": field.length + field.scale if field.type in _WITH_POINT else 0,
        "scale": field.scale,
        "digits": field.length if field.type == "int" else 0,
        "nillable": not has_default and "required" not in field.flags,
        "defaultedOnCreate": has_default,
        "createable": not is_system,
        "updateable": not is_system,
        "externalId": "external" in field.flags,
        "unique": "unique" in field.flags,
        "restrictedPicklist": "restricted" in field.flags,
        "picklistValues": [
            {"value": value, "label": value, "active": True, "defaultValue": False}
            for value in field.values
        ],
        "relationshipName": field.relationship if field.target else None,
        "referenceTo": [field.target] if field.target else [],
    }


def _length(field: Field) -> int:
    if field.type in ("id", "reference"):
        return _ID_LENGTH
    return field.length if field.type in _TEXTS else 0
