"""The write endpoint of generation C: one POST, with a type for each kind of write.

Shapes are those of Ampersand's OpenAPI document of August 2026 ("writeRecords"), the
texts of failed records those of Salesforce as Ampersand's connector wraps them.
"""

from typing import Any

from sandbox import catalog
from sandbox.operations import FAILURE, SUCCESS, Operations
from sandbox.salesforce import Change, Org
from sandbox.schema import SObject
from sandbox.store import Store
from sandbox.values import RowError
from sandbox.web import (
    MISSING,
    BadRequest,
    Request,
    Response,
    answer,
    not_allowed,
    rfc3339,
)
from sandbox.writes import Target, change_of, refuse_unknown, sobject_of, text_of

TYPES = ("create", "update", "delete")
MODES = ("synchronous", "asynchronous")
_MEMBERS = {"groupRef", "type", "mode", "record"}


class WritesC:
    """Carries out requests to the write endpoint of generation C."""

    def __init__(self, store: Store, operations: Operations) -> None:
        self._store = store
        self._operations = operations

    def handle(self, request: Request, target: Target) -> Response:
        """Answer a request to a resource that exists."""
        if request.method != "POST" or target.is_bulk or target.record_id:
            raise not_allowed("POST")
        body = request.json()
        group = text_of(body, "groupRef")
        record = _checked(body)
        catalog.check_group(group)
        catalog.check_object(target.integration, target.object_name)
        if body["type"] == "delete":
            catalog.check_deletion(group, target.object_name)
        with self._store.transaction():
            return self._write_one(request, target, group, body["type"], record)

    def _write_one(
        self,
        request: Request,
        target: Target,
        group: str,
        kind: str,
        record: dict[str, Any],
    ) -> Response:
        sobject = sobject_of(target)
        org = Org(self._store, group, rfc3339(request.time))
        try:
            change = _carry_out(org, sobject, kind, record)
        except RowError as error:
            change = Change({}, error=error)
        ended = "success" if change.error is None else "failure"
        request.operation = self._operations.add_ended(
            *(target.integration.project, target.integration.id),
            *(group, target.object_name),
            fault=target.fault,
            status=SUCCESS if change.error is None else FAILURE,
            result=f"Write {kind} ended with {ended}",
            error=change.error.message if change.error else "",
            record=change.record_id,
            now=request.time,
        )
        if change.error is not None:
            return _failed(request.operation, target, change.error)
        return _succeeded(request.operation, kind, change)


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    """Return the record of a request that has all it needs."""
    refuse_unknown(body, _MEMBERS)
    kind = text_of(body, "type")
    if kind not in TYPES:
        raise BadRequest(f"unsupported write type: {kind}")
    if body.get("mode", MODES[0]) != MODES[0]:
        raise BadRequest(f"unsupported mode: {body['mode']}")
    record = body.get("record")
    if not isinstance(record, dict):
        raise BadRequest(MISSING)
    return record


def _carry_out(org: Org, sobject: SObject, kind: str, record: dict[str, Any]) -> Change:
    """Do what is asked; what the provider refuses is told by the change's error."""
    if kind == "create":
        change = change_of(sobject, record)
        org.save(sobject, [change])
        return change
    record_id = record.get("id")
    if not isinstance(record_id, str) or not record_id:
        raise RowError("MISSING_ARGUMENT", f"Id not specified in an {kind} call")
    found = Change({}, key=record_id)
    org.match_ids(sobject, [found])
    if found.error:
        raise _gone(found.error, record_id)
    if kind == "delete":
        org.delete(found.record_id)
        return found
    rest = {name: value for name, value in record.items() if name != "id"}
    found.values = change_of(sobject, rest).values
    org.save(sobject, [found])
    return found


def _gone(error: RowError, record_id: str) -> RowError:
    if error.code != "INVALID_CROSS_REFERENCE_KEY":
        return error
    return RowError(error.code, f"The record with ID {record_id} was not found")


def _succeeded(operation: str, kind: str, change: Change) -> Response:
    """Salesforce gives a body after a create alone, so only then data follows."""
    result: dict[str, Any] = {"success": True, "recordId": change.record_id}
    if kind == "create":
        result["data"] = {"id": change.record_id, "success": True, "errors": []}
    return answer({"operationId": operation, "result": result})


def _failed(operation: str, target: Target, error: RowError) -> Response:
    text = f"error writing {target.object_name}: bad request: {error.message}"
    body = {
        "operationId": operation,
        "errors": [{"message": text}],
        "result": {"success": False},
    }
    return answer(body, status=422)
