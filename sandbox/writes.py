"""The write endpoint of generation A: create, update, the start of a bulk upsert."""

from dataclasses import dataclass
from typing import Any, Literal

from sandbox import catalog, csvjob, schema
from sandbox.catalog import Integration
from sandbox.fetching import is_web_address
from sandbox.operations import Operations
from sandbox.salesforce import Change, Org
from sandbox.schema import SObject
from sandbox.store import Store
from sandbox.values import RowError, from_json
from sandbox.web import (
    MISSING,
    BadRequest,
    Problem,
    Rejected,
    Request,
    Response,
    answer,
    not_allowed,
    rfc3339,
)

MAX_CSV = 10 * 1024 * 1024
"""Bytes of a recordsCSV, as UTF-8."""

BULK_SUFFIX = ":async"

UpdateStyle = Literal["patch", "post_type_update", "patch_id_in_path"]
"""How a record is updated. Ampersand never published it for this generation: PATCH on
the object is the likely form, POST with `type: update` and PATCH with the record id
in the path are the others."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a write is aimed at: the path, taken apart, and the fault to show."""

    integration: Integration
    object_name: str
    is_bulk: bool
    record_id: str
    fault: str


class Writes:
    """Carries out requests to the write endpoint."""

    def __init__(
        self,
        store: Store,
        operations: Operations,
        *,
        update_style: UpdateStyle,
        bulk_seconds: float,
    ) -> None:
        self._store = store
        self._operations = operations
        self._style = update_style
        self._bulk_seconds = bulk_seconds

    def handle(self, request: Request, target: Target) -> Response:
        """Answer a request to a resource that exists."""
        self._check_method(request.method, target)
        body = request.json()
        group = text_of(body, "groupRef")
        catalog.check_group(group)
        catalog.check_object(target.integration, target.object_name)
        if target.is_bulk:
            return self._start_bulk(request, target, group, body)
        with self._store.transaction():
            return self._write_one(request, target, group, body)

    def _check_method(self, method: str, target: Target) -> None:
        allowed = ["PUT"] if target.is_bulk else self._single_methods(target)
        if not allowed:
            raise Problem(404, "The requested resource does not exist.")
        if method not in allowed:
            raise not_allowed(*allowed)

    def _single_methods(self, target: Target) -> list[str]:
        if target.record_id:
            return ["PATCH"] if self._style == "patch_id_in_path" else []
        return ["POST", "PATCH"] if self._style == "patch" else ["POST"]

    def _write_one(
        self, request: Request, target: Target, group: str, body: dict[str, Any]
    ) -> Response:
        # Ignoring `type` would turn another generation's update into a create.
        allowed = {"groupRef", "record"}
        if self._style == "post_type_update":
            allowed.add("type")
        refuse_unknown(body, allowed)
        record = body.get("record")
        if not isinstance(record, dict):
            raise BadRequest(MISSING)
        sobject = sobject_of(target)
        org = Org(self._store, group, rfc3339(request.time))
        if request.method == "PATCH" or body.get("type") == "update":
            return update_one(org, sobject, record, target)
        if body.get("type", "create") != "create":
            raise BadRequest(f"unsupported write type: {body['type']}")
        return create_one(org, sobject, record, target)

    def _start_bulk(
        self, request: Request, target: Target, group: str, body: dict[str, Any]
    ) -> Response:
        sources = {"recordsCSV", "recordsURL"}
        refuse_unknown(body, {"groupRef", "primaryKey", *sources})
        key = text_of(body, "primaryKey")
        given = [name for name in sorted(sources) if name in body]
        if len(given) != 1:
            raise BadRequest("provide either recordsCSV or recordsURL")
        source = text_of(body, given[0])
        if given[0] == "recordsCSV":
            check_csv(source, key)
        elif not is_web_address(source):
            raise BadRequest("recordsURL is not an http or https address")
        with self._store.transaction():
            operation = self._operations.start(
                *(target.integration.project, target.integration.id),
                *(group, target.object_name),
                primary_key=key,
                csv=source if given[0] == "recordsCSV" else None,
                url=source if given[0] == "recordsURL" else None,
                fault=target.fault,
                now=request.time,
                seconds=self._bulk_seconds,
            )
        request.operation = operation
        return answer({"operationId": operation})


def check_csv(text: str, key: str) -> None:
    """Refuse a CSV that is too large, or has no column of that name."""
    if len(text.encode()) > MAX_CSV:
        raise Problem(
            413,
            "recordsCSV is larger than 10 MiB.",
            remedy="Split the file, or give its address as recordsURL.",
        )
    names = [name.lower() for name in csvjob.header(text)]
    # A byte order mark hides the first name; Salesforce has its own words for that.
    if key.lower() not in names and not text.startswith("\ufeff"):
        raise BadRequest(f"primaryKey '{key}' is not a column of the CSV")


def create_one(
    org: Org, sobject: SObject, record: dict[str, Any], target: Target
) -> Response:
    """Create a record."""
    change = _change(sobject, record, target)
    _save(org, sobject, change, target)
    data = {"id": change.record_id, "success": True, "errors": []}
    result = {"success": True, "recordId": change.record_id, "data": data}
    return answer({"result": result})


def update_one(
    org: Org, sobject: SObject, record: dict[str, Any], target: Target
) -> Response:
    """Update a record; Salesforce answers that without a body, so no data follows."""
    names = [name for name in record if name.lower() == "id"]
    given = [record[name] for name in names]
    if target.record_id:
        given.append(target.record_id)
    if len(given) != 1 or not isinstance(given[0], str) or not given[0]:
        raise BadRequest(MISSING if not given else "exactly one record id is needed")
    fields = {name: value for name, value in record.items() if name not in names}
    change = Change({}, key=given[0])
    org.match_ids(sobject, [change])
    if change.error and change.error.code == "INVALID_CROSS_REFERENCE_KEY":
        raise Rejected([f"The record with ID {given[0]} was not found"])
    if change.error:
        raise _rejected(change.error, target)
    change.values = _change(sobject, fields, target).values
    _save(org, sobject, change, target)
    return answer({"result": {"success": True, "recordId": change.record_id}})


def _change(sobject: SObject, record: dict[str, Any], target: Target) -> Change:
    try:
        return change_of(sobject, record)
    except RowError as error:
        raise _rejected(error, target) from error


def change_of(sobject: SObject, record: dict[str, Any]) -> Change:
    """What a JSON record asks for; raises RowError for what no field takes."""
    change = Change({})
    for name, value in record.items():
        known = sobject.field(name)
        if known is None:
            raise RowError(
                "INVALID_FIELD",
                f"No such column '{name}' on sobject of type {sobject.name}",
            )
        change.values[known.name] = from_json(known, value)
    return change


def _save(org: Org, sobject: SObject, change: Change, target: Target) -> None:
    org.save(sobject, [change])
    if change.error:
        raise _rejected(change.error, target)


def _rejected(error: RowError, target: Target) -> Rejected:
    """A Salesforce error in the words Ampersand wraps it in."""
    return Rejected(
        [f"error writing {target.object_name}: bad request: {error.message}"]
    )


def sobject_of(target: Target) -> SObject:
    """The object a write is aimed at, as the SaaS knows it."""
    found = schema.find(target.object_name)
    if found is None:
        raise Problem(404, f"Unable to find object: {target.object_name}")
    return found


def text_of(body: dict[str, Any], name: str) -> str:
    """A text that the body must have."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(MISSING)
    return value


def refuse_unknown(body: dict[str, Any], allowed: set[str]) -> None:
    """Refuse members of the body that this generation does not know."""
    for name in body:
        if name not in allowed:
            raise BadRequest(f"unknown field '{name}'")
