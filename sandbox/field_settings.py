"""What an installation does with some fields of its own accord, as its customer set it.

Ampersand applies that before it writes: what is sent is not what is written.
"""

import json
from typing import Any

from sandbox import ids
from sandbox.store import Store

FIELD_SETTINGS: dict[str, dict[str, dict[str, Any]]] = {
    "sample-org-id": {
        "lead": {
            "description": {"writeOnUpdate": "never"},
            "title": {"writeOnUpdate": "ifEmpty"},
            "leadsource": {
                "default": {"stringValue": "Web"},
                "writeOnCreate": "always",
                "writeOnUpdate": "never",
            },
        }
    }
}
"""By group and object: the settings of fields, in the shape of an installation."""


def of_object(group: str, name: str) -> dict[str, Any]:
    """The settings of the fields of an object."""
    return FIELD_SETTINGS.get(group, {}).get(name, {})


def applied(
    store: Store, group: str, name: str, kind: str, record: dict[str, Any]
) -> dict[str, Any]:
    """The record as the provider gets it."""
    settings = of_object(group, name)
    if not settings or kind == "delete":
        return record
    stored = _stored(store, record) if kind == "update" else {}
    word = "writeOnCreate" if kind == "create" else "writeOnUpdate"
    when = {field: each.get(word, "always") for field, each in settings.items()}
    given = {field.lower() for field in record}
    kept = {
        field: value
        for field, value in record.items()
        if _is_written(when.get(field.lower(), "always"), stored.get(field.lower()))
    }
    for field, each in settings.items():
        default = next(iter(each.get("default", {}).values()), None)
        is_written = _is_written(when[field], stored.get(field))
        if default is not None and field not in given and is_written:
            kept[field] = default
    return kept


def _is_written(when: str, stored: Any) -> bool:
    return when == "always" or (when == "ifEmpty" and stored in (None, ""))


def _stored(store: Store, record: dict[str, Any]) -> dict[str, Any]:
    record_id = ids.normal(str(record.get("id")))
    row = store.row("SELECT data FROM records WHERE id = ?", record_id)
    data = json.loads(row["data"]) if row else {}
    return {field.lower(): value for field, value in data.items()}
