"""One customer's Salesforce: records that are created, updated and matched."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox import ids, schema
from sandbox.schema import Field, SObject
from sandbox.store import Store
from sandbox.values import RowError, Value, check

CHUNK = 200
"""Records Salesforce works on at once; duplicates are noticed only inside a chunk."""


@dataclass(slots=True)
class Change:
    """What one row or request asks for, and what became of it.

    `record_id` is empty for a create until it is saved. `created` tells a create
    from an update also when the row failed.
    """

    values: dict[str, Value]
    key: str = ""
    record_id: str = ""
    created: bool = True
    foreign: dict[Field, tuple[Field, str]] = field(default_factory=dict)
    error: RowError | None = None


class Org:
    """The Salesforce organisation behind one groupRef."""

    def __init__(self, store: Store, name: str, now: str) -> None:
        self._store = store
        self._name = name
        self._now = now

    def matches(
        self, sobject: SObject, key: Field, values: Collection[str]
    ) -> dict[str, list[str]]:
        """Record ids by folded External ID; upper and lower case are the same."""
        folded = sorted({value.casefold() for value in values})
        found: dict[str, list[str]] = defaultdict(list)
        for row in self._store.rows(
            "SELECT value, id FROM keys WHERE org = ? AND object = ? AND field = ?"  # nosec B608 # noqa: S608 - marks only
            f" AND value IN ({_marks(folded)}) ORDER BY id",
            *(self._name, sobject.key, key.name, *folded),
        ):
            found[row["value"]].append(row["id"])
        return found

    def match_ids(self, sobject: SObject, changes: Iterable[Change]) -> None:
        """Upsert by Id: a blank key creates, an unknown or malformed one fails."""
        wanted = [change for change in changes if change.key and not change.error]
        normal = {change.key: ids.normal(change.key) for change in wanted}
        known = self._known(sobject, [value for value in normal.values() if value])
        for change in wanted:
            found = normal[change.key]
            if not found or not found.startswith(sobject.prefix):
                change.error = RowError(
                    "MALFORMED_ID",
                    f"{sobject.name} ID: id value of incorrect type: {change.key}",
                    ("Id",),
                )
            elif found not in known:
                change.error = RowError(
                    "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"
                )
            else:
                change.record_id, change.created = found, False

    def match_keys(
        self, sobject: SObject, key: Field, changes: Iterable[Change]
    ) -> None:
        """Upsert by External ID: no match creates, one updates, several fail."""
        wanted = [change for change in changes if not change.error]
        found = self.matches(sobject, key, [change.key for change in wanted])
        for change in wanted:
            matching = found.get(change.key.casefold(), [])
            if not change.key:
                change.error = RowError("MISSING_ARGUMENT", f"{key.name} not specified")
            elif len(matching) > 1:
                change.error = RowError(
                    "DUPLICATE_EXTERNAL_ID",
                    f"{key.label}: more than one record found for external id field: "
                    f"[{', '.join(matching)}]",
                )
            elif matching:
                change.record_id, change.created = matching[0], False

    def save(
        self, sobject: SObject, changes: list[Change], *, all_or_none: bool = False
    ) -> None:
        """Write what can be written and set `error` on the others, at most a chunk.

        With `all_or_none` nothing is written where any has an error.
        """
        self._resolve_foreign(changes)
        for change in changes:
            self._check(sobject, change)
        self._check_references(sobject, changes)
        self._check_unique(sobject, changes)
        good = [change for change in changes if not change.error]
        if all_or_none and len(good) < len(changes):
            return
        self._insert(sobject, [change for change in good if change.created])
        self._update([change for change in good if not change.created])
        self._index(sobject, good)

    def delete(self, record_id: str) -> None:
        """Take a record away, and what it is found by."""
        self._store.run("DELETE FROM keys WHERE id = ?", record_id)
        self._store.run("DELETE FROM records WHERE id = ?", record_id)

    def _check(self, sobject: SObject, change: Change) -> None:
        if change.error:
            return
        try:
            _check_access(sobject, change)
            _check_required(sobject, change)
            for name, value in change.values.items():
                check(sobject.fields[name.lower()], value)
        except RowError as error:
            change.error = error

    def _resolve_foreign(self, changes: list[Change]) -> None:
        """Replace a parent's External ID by the parent's record id."""
        wanted: dict[tuple[Field, Field], list[Change]] = defaultdict(list)
        for change in changes:
            for reference, (key, _) in change.foreign.items():
                wanted[reference, key].append(change)
        for (reference, key), children in wanted.items():
            target = schema.find(reference.target)
            if target is None:
                continue
            values = [child.foreign[reference][1] for child in children]
            found = self.matches(target, key, values)
            for child, value in zip(children, values, strict=True):
                parents = found.get(value.casefold(), [])
                if len(parents) == 1:
                    child.values[reference.name] = parents[0]
                else:
                    child.error = child.error or RowError(
                        "INVALID_FIELD",
                        f"Foreign key external ID: {value} not found for field"
                        f" {key.name} in entity {target.name}",
                    )

    def _check_references(self, sobject: SObject, changes: list[Change]) -> None:
        """Fail what points to records that do not exist; users are taken as given."""
        for reference in sobject.fields.values():
            target = schema.find(reference.target)
            if target is None:
                continue
            wanted = {
                str(change.values[reference.name])
                for change in changes
                if change.values.get(reference.name)
            }
            unknown = wanted - self._known(target, wanted)
            for change in changes:
                if change.values.get(reference.name) in unknown and not change.error:
                    change.error = RowError(
                        "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"
                    )

    def _check_unique(self, sobject: SObject, changes: list[Change]) -> None:
        for key in sobject.external_ids:
            if "unique" not in key.flags:
                continue
            wanted = [
                (change, str(change.values[key.name]))
                for change in changes
                if change.values.get(key.name) and not change.error
            ]
            found = self.matches(sobject, key, [value for _, value in wanted])
            seen: dict[str, Change] = {}
            for change, value in wanted:
                owners = found.get(value.casefold(), [])
                first = seen.setdefault(value.casefold(), change)
                if owners and owners != [change.record_id]:
                    change.error = _duplicate(key, owners[0])
                elif first is not change:
                    change.error = _duplicate(key, "<unknown>")

    def _known(self, sobject: SObject, record_ids: Collection[str]) -> set[str]:
        rows = self._store.rows(
            "SELECT id FROM records WHERE org = ? AND object = ?"  # nosec B608 # noqa: S608 - marks only
            f" AND id IN ({_marks(record_ids)})",
            *(self._name, sobject.key, *record_ids),
        )
        return {row["id"] for row in rows}

    def _insert(self, sobject: SObject, changes: list[Change]) -> None:
        numbers = self._store.take_numbers(sobject.prefix, len(changes))
        stamps = {"CreatedDate": self._now, "LastModifiedDate": self._now}
        rows = []
        for number, change in zip(numbers, changes, strict=True):
            change.record_id = ids.record_id(sobject.prefix, number)
            data = {"Id": change.record_id, **stamps, **change.values}
            rows.append((self._name, sobject.key, change.record_id, json.dumps(data)))
        self._store.run_many(
            "INSERT INTO records (org, object, id, data) VALUES (?, ?, ?, ?)", rows
        )

    def _update(self, changes: list[Change]) -> None:
        targets = [change.record_id for change in changes]
        rows = self._store.rows(
            f"SELECT id, data FROM records WHERE id IN ({_marks(targets)})",  # nosec B608 # noqa: S608 - marks only
            *targets,
        )
        data: dict[str, dict[str, Any]] = {
            row["id"]: json.loads(row["data"]) for row in rows
        }
        for change in changes:
            data[change.record_id].update(
                {**change.values, "LastModifiedDate": self._now}
            )
        self._store.run_many(
            "UPDATE records SET data = ? WHERE id = ?",
            [(json.dumps(values), record_id) for record_id, values in data.items()],
        )

    def _index(self, sobject: SObject, changes: list[Change]) -> None:
        """Keep the External IDs of saved records findable."""
        for key in sobject.external_ids:
            set_ = [change for change in changes if key.name in change.values]
            self._store.run_many(
                "DELETE FROM keys WHERE id = ? AND field = ?",
                [(each.record_id, key.name) for each in set_ if not each.created],
            )
            self._store.run_many(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?)",
                [
                    (
                        self._name,
                        sobject.key,
                        key.name,
                        value.casefold(),
                        each.record_id,
                    )
                    for each in set_
                    if isinstance(value := each.values[key.name], str) and value
                ],
            )


def _check_access(sobject: SObject, change: Change) -> None:
    """Refuse fields that Salesforce alone writes, naming all of them."""
    names = tuple(
        name
        for name in change.values
        if "readonly" in sobject.fields[name.lower()].flags
    )
    if names:
        raise RowError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            f"Unable to create/update fields: {', '.join(names)}. Please check the"
            " security settings of this field and verify that it is read/write for"
            " your profile or permission set.",
            names,
        )
    if "Id" in change.values:
        raise RowError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "cannot specify Id in an insert call"
            if change.created
            else "The Id field should not be specified in the sobject data.",
            ("Id",),
        )


def _check_required(sobject: SObject, change: Change) -> None:
    missing = tuple(
        each.name
        for each in sobject.required
        if change.values.get(each.name, None if change.created else True) in (None, "")
    )
    if missing:
        raise RowError(
            "REQUIRED_FIELD_MISSING",
            f"Required fields are missing: [{', '.join(missing)}]",
            missing,
        )


def _duplicate(key: Field, owner: str) -> RowError:
    return RowError(
        "DUPLICATE_VALUE",
        f"duplicate value found: {key.name} duplicates value on record with id: "
        f"{owner}",
    )


def _marks(values: Collection[str]) -> str:
    return ",".join("?" * len(values))
