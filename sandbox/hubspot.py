"""One customer's HubSpot: objects whose properties are all texts, written in batches.

Texts and statuses are those that Ampersand's connector library has in its tests. Ids
are numbers, and always told and taken as texts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.salesforce import Change
from sandbox.store import Store
from sandbox.values import RowError

OBJECTS: dict[str, dict[str, str]] = {
    "contacts": {
        "email": "string",
        "firstname": "string",
        "lastname": "string",
        "phone": "phone",
        "company": "string",
        "jobtitle": "string",
        "lifecyclestage": "enumeration",
        "closedate": "date",
        "num_employees": "number",
    },
    "companies": {
        "name": "string",
        "domain": "string",
        "city": "string",
        "phone": "phone",
        "numberofemployees": "number",
    },
}
"""The properties of each object, with their types."""

FIRST_ID, STEP = 171591000198, 5044672
_ONE = {"contacts": "Contact", "companies": "Company"}


class WholeBatch(Exception):
    """The request is refused as a whole: nothing of it is written."""


@dataclass(slots=True)
class Record:
    """What one item asks for, and what became of it."""

    properties: dict[str, Any]
    record_id: str = ""
    error: dict[str, Any] | None = None
    stored: dict[str, Any] = field(default_factory=dict)

    def as_change(self) -> Change:
        """What an operation keeps of it."""
        said = self.error and RowError(self.error["category"], self.error["message"])
        return Change({}, record_id=self.record_id, error=said or None)


class Portal:
    """The HubSpot portal behind one groupRef."""

    def __init__(self, store: Store, group: str, now: str) -> None:
        self._store = store
        self._group = group
        self._now = now

    def create(
        self, name: str, items: Sequence[Any], *, all_or_none: bool
    ) -> list[Record]:
        """Create what can be created. Raises WholeBatch."""
        records = [Record(dict(item)) for item in items]
        _check_properties(name, records)
        taken = self._emails(name)
        for record in records:
            email = _folded(record.properties.get("email"))
            if email and email in taken:
                record.error = _conflict(name, taken[email])
                continue
            if not all_or_none:
                self._insert(name, record)
            taken[email] = record.record_id
        if all_or_none and any(record.error for record in records):
            raise WholeBatch(next(r.error["message"] for r in records if r.error))
        for record in records if all_or_none else ():
            self._insert(name, record)
        return records

    def update(self, name: str, items: Sequence[Any]) -> list[Record]:
        """Update what there is: always one by one. Raises WholeBatch."""
        records = [_of_id(item) for item in items]
        ids = [record.record_id for record in records]
        if twice := sorted({each for each in ids if ids.count(each) > 1}):
            text = f"Duplicate IDs found in batch input: [{', '.join(twice)}]."
            raise WholeBatch(f"{text} IDs must be unique")
        _check_properties(name, records)
        for record in records:
            self._change(name, record)
        return records

    def delete(self, name: str, item: Any) -> Record:
        """Delete one. Raises WholeBatch where it has no id."""
        record = _of_id(item)
        if self._stored(name, record) is None:
            record.error = _not_found(name)
            return record
        self._store.run("DELETE FROM keys WHERE id = ?", record.record_id)
        self._store.run("DELETE FROM records WHERE id = ?", record.record_id)
        return record

    def _emails(self, name: str) -> dict[str, str]:
        rows = self._store.rows(
            "SELECT value, id FROM keys WHERE org = ? AND object = ? AND field = ?",
            *(self._group, name, "email"),
        )
        return {row["value"]: row["id"] for row in rows}

    def _insert(self, name: str, record: Record) -> None:
        (number,) = self._store.take_numbers("hubspot", 1)
        record.record_id = str(FIRST_ID + STEP * (number - 1))
        record.stored = {
            **_texts(record.properties),
            "createdate": self._now,
            "hs_object_id": record.record_id,
        }
        self._keep(name, record)

    def _change(self, name: str, record: Record) -> None:
        stored = self._stored(name, record)
        if stored is None:
            record.error = _not_found(name)
            return
        record.stored = {**stored, **_texts(record.properties)}
        self._keep(name, record)

    def _stored(self, name: str, record: Record) -> dict[str, Any] | None:
        row = self._store.row(
            "SELECT data FROM records WHERE org = ? AND object = ? AND id = ?",
            *(self._group, name, record.record_id),
        )
        return json.loads(row["data"]) if row else None

    def _keep(self, name: str, record: Record) -> None:
        self._store.run(
            "INSERT INTO records (org, object, id, data) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET data = excluded.data",
            *(self._group, name, record.record_id, json.dumps(record.stored)),
        )
        self._store.run("DELETE FROM keys WHERE id = ?", record.record_id)
        if email := _folded(record.stored.get("email")):
            self._store.run(
                "INSERT INTO keys VALUES (?, ?, 'email', ?, ?)",
                *(self._group, name, email, record.record_id),
            )


def metadata(name: str) -> dict[str, Any]:
    """The properties of an object, as "getObjectMetadata" tells them."""
    types = {"enumeration": "singleSelect", "number": "float", "date": "date"}
    return {
        "name": name,
        "displayName": name.capitalize(),
        "fields": {
            each: {
                "fieldName": each,
                "displayName": each,
                "valueType": types.get(kind, "string"),
                "providerType": kind,
                "readOnly": False,
                "isCustom": False,
                "isRequired": False,
            }
            for each, kind in OBJECTS[name].items()
        },
    }


def _of_id(item: Any) -> Record:
    record_id = item.get("id")
    if not isinstance(record_id, str) or not record_id:
        raise WholeBatch("record id must be a string")
    rest = {name: value for name, value in item.items() if name != "id"}
    return Record(rest, record_id=record_id)


def _check_properties(name: str, records: Sequence[Record]) -> None:
    """Refuse all where one names what the object does not have."""
    for record in records:
        for each in record.properties:
            if each not in OBJECTS[name]:
                raise WholeBatch(f'Property "{each}" does not exist')


def _texts(properties: dict[str, Any]) -> dict[str, Any]:
    """Values as HubSpot keeps them: texts, an email in lower case, a phone without
    what is between its digits.
    """
    texts = {name: _text(value) for name, value in properties.items()}
    if "email" in texts:
        texts["email"] = _folded(texts["email"])
    if "phone" in texts:
        texts["phone"] = "".join(c for c in texts["phone"] if c.isdecimal() or c == "+")
    return texts


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _folded(value: Any) -> str:
    return _text(value).strip().lower()


def _conflict(name: str, record_id: str) -> dict[str, Any]:
    return {
        "status": "error",
        "category": "CONFLICT",
        "message": f"{_ONE[name]} already exists. Existing ID: {record_id}",
        "context": {"existingId": [record_id]},
    }


def _not_found(name: str) -> dict[str, Any]:
    word = _ONE[name].upper()
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {word} objects, they may be deleted or not"
        " exist. Check that ids are valid.",
    }
