"""The write endpoint of generation C: one POST, with a type for each kind of write.

Shapes are those of Ampersand's OpenAPI document of August 2026 ("writeRecords"), the
texts of failed records those of Salesforce as Ampersand's connector wraps them.
"""

import json
import uuid
from hashlib import sha256
from typing import Any

from sandbox import catalog, schema
from sandbox.field_settings import applied
from sandbox.hubspot_writes import HubSpotWrites
from sandbox.operations import FAILURE, IN_PROGRESS, SUCCESS, Operations
from sandbox.salesforce import Change, Org
from sandbox.schema import SObject
from sandbox.store import Row, Store
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
SYNCHRONOUS, ASYNCHRONOUS = "synchronous", "asynchronous"
MOST_IN_A_BATCH = 100
LONGEST_DEADLINE = 48
_MEMBERS = {
    *("groupRef", "type", "mode", "record", "batch", "batchPolicy"),
    *("retryPolicy", "headers", "associations"),
}
# The words of Salesforce's composite API for those that fail with the others.
ROLLED_BACK = RowError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using"
    " AllOrNone header",
)
_REFUSED = RowError(
    "FIELD_CUSTOM_VALIDATION_EXCEPTION", "The sandbox refuses every twentieth record"
)
NOT_PROCESSED = "record was not processed due to other records failures"


class WritesC:
    """Carries out requests to the write endpoint of generation C.

    What is asked for asynchronously is written after `bulk_seconds`.
    """

    def __init__(
        self, store: Store, operations: Operations, *, bulk_seconds: float
    ) -> None:
        self._store = store
        self._operations = operations
        self._hubspot = HubSpotWrites(store, operations)
        self._bulk_seconds = bulk_seconds

    def handle(self, request: Request, target: Target) -> Response:
        """Answer a request to a resource that exists."""
        if request.method != "POST" or target.is_bulk or target.record_id:
            raise not_allowed("POST")
        body = request.json()
        group = text_of(body, "groupRef")
        records = _checked(body)
        catalog.check_group(group)
        catalog.check_object(target.integration, target.object_name)
        if body["type"] == "delete":
            catalog.check_deletion(group, target.object_name)
        if target.fault == "server_error_422":
            return _server_error(str(uuid.uuid4()))
        all_or_none = body.get("batchPolicy", {}).get("allOrNone") is True
        with self._store.transaction():
            if target.integration.content["provider"] == "hubspot":
                return self._hubspot.write(request, target, body, records)
            records = [
                applied(self._store, group, target.object_name, body["type"], each)
                for each in records
            ]
            if body.get("mode") == ASYNCHRONOUS:
                return self._begin(
                    request, target, group, body["type"], records, all_or_none
                )
            if "batch" in body:
                return self._write_batch(
                    request, target, group, body["type"], records, all_or_none
                )
            return self._write_one(request, target, group, body["type"], records[0])

    def _write_batch(
        self,
        request: Request,
        target: Target,
        group: str,
        kind: str,
        records: list[dict[str, Any]],
        all_or_none: bool,
    ) -> Response:
        sobject = sobject_of(target)
        org = Org(self._store, group, rfc3339(request.time))
        changes, malformed = _saved(org, sobject, kind, records, all_or_none)
        failed = [change for change in changes if change.error or malformed]
        good = len(changes) - len(failed)
        request.operation = self._operations.add_batch(
            *(target.integration.project, target.integration.id),
            *(group, target.object_name),
            fault=target.fault,
            changes=[] if malformed else changes,
            counts=(good, len(failed)),
            now=request.time,
        )
        answer_ = {
            "operationId": request.operation,
            "successCount": good,
            "failureCount": len(failed),
            "results": [_result(change, kind) for change in changes],
        }
        if malformed is not None:
            # The first record's result is missing, its reason is the request's own.
            answer_["results"] = [_not_processed() for _ in changes[1:]]
            answer_["errors"] = [{"message": malformed.message}]
        elif failed:
            answer_["errors"] = [
                {"message": change.error.message} for change in changes if change.error
            ]
        answer_ = _bent(answer_, target.fault)
        return answer(answer_, status=422 if failed else 200)

    def _begin(
        self,
        request: Request,
        target: Target,
        group: str,
        kind: str,
        records: list[dict[str, Any]],
        all_or_none: bool,
    ) -> Response:
        """Accept what is written later."""
        sobject_of(target)
        request.operation = self._operations.start(
            *(target.integration.project, target.integration.id),
            *(group, target.object_name),
            fault=target.fault,
            now=request.time,
            seconds=self._bulk_seconds,
        )
        self._store.run(
            "INSERT INTO batches (operation, kind, records, all_or_none)"
            " VALUES (?, ?, ?, ?)",
            *(request.operation, kind, json.dumps(records), all_or_none),
        )
        return answer({"operationId": request.operation})

    def is_waiting(self, operation: str) -> bool:
        """Whether this is a batch that was accepted and not written."""
        return self._load(operation) is not None

    def _load(self, operation: str) -> Row | None:
        return self._store.row(
            "SELECT o.*, b.kind, b.records, b.all_or_none FROM operations o"
            " JOIN batches b ON b.operation = o.id WHERE o.id = ? AND o.status = ?",
            *(operation, IN_PROGRESS),
        )

    def finish(self, operation: str) -> Row | None:
        """Write what was accepted, and end its operation; return it if it had not."""
        with self._store.transaction():
            row = self._load(operation)
            if row is not None:
                self._finish(row)
            return row

    def _finish(self, row: Row) -> None:
        is_tried_twice = row["fault"] == "async_twice"
        if is_tried_twice:
            # Nobody is told of what the first try wrote.
            self._try(row)
        changes, malformed = self._try(row)
        errors = [
            (change.error or malformed).message  # type: ignore[union-attr]
            for change in changes
            if change.error or malformed
        ]
        good = len(changes) - len(errors)
        self._store.run_many(
            "INSERT INTO outcomes (operation, record, error) VALUES (?, ?, ?)",
            _in_no_order(row["id"], [] if malformed else changes),
        )
        self._store.run(
            "UPDATE batches SET records = '', attempts = ? WHERE operation = ?",
            *(2 if is_tried_twice else 1, row["id"]),
        )
        result = f"Batch write completed ({good} succeeded, {len(errors)} failed)"
        for error in dict.fromkeys(errors):
            self._operations.log(row["id"], row["due"], "ERROR", result, error=error)
        self._operations.log(row["id"], row["due"], "INFO", result)
        status = SUCCESS if good else FAILURE
        self._operations.finish(row["id"], status, result)

    def _try(self, row: Row) -> tuple[list[Change], RowError | None]:
        sobject = schema.find(row["object"])
        if sobject is None:
            raise LookupError(row["object"])
        org = Org(self._store, row["org"], rfc3339(row["due"]))
        return _saved(
            *(org, sobject, row["kind"], json.loads(row["records"])),
            bool(row["all_or_none"]),
            refused=slice(19, None, 20) if row["fault"] == "async_partial" else None,
        )

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


def _checked(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the records of a request that has all it needs."""
    refuse_unknown(body, _MEMBERS)
    kind = text_of(body, "type")
    if kind not in TYPES:
        raise BadRequest(f"unsupported write type: {kind}")
    modes = (SYNCHRONOUS,) if kind == "delete" else (SYNCHRONOUS, ASYNCHRONOUS)
    if body.get("mode", SYNCHRONOUS) not in modes:
        raise BadRequest(f"unsupported mode: {body['mode']}")
    if not _are_headers(body.get("headers", [])):
        raise BadRequest("headers must be a list of key and value")
    deadline = body.get("retryPolicy", {}).get("deadlineHours", 1)
    if not isinstance(deadline, int) or not 0 < deadline <= LONGEST_DEADLINE:
        raise BadRequest(f"deadlineHours must be from 1 to {LONGEST_DEADLINE}")
    if ("record" in body) == ("batch" in body):
        raise BadRequest("provide either record or batch")
    if "record" in body:
        records = [body["record"]]
    elif kind == "delete":
        raise BadRequest("batch is not supported for delete")
    else:
        records = _of_batch(body["batch"])
    if not all(isinstance(record, dict) for record in records):
        raise BadRequest(MISSING)
    return records


def _are_headers(given: Any) -> bool:
    return isinstance(given, list) and all(
        isinstance(each, dict)
        and each.keys() == {"key", "value"}
        and all(isinstance(text, str) for text in each.values())
        for each in given
    )


def _of_batch(batch: Any) -> list[Any]:
    if not isinstance(batch, list) or not 0 < len(batch) <= MOST_IN_A_BATCH:
        raise BadRequest(f"batch must have 1 to {MOST_IN_A_BATCH} records")
    if not all(isinstance(item, dict) for item in batch):
        raise BadRequest(MISSING)
    return [item.get("record") for item in batch]


def _saved(
    org: Org,
    sobject: SObject,
    kind: str,
    records: list[dict[str, Any]],
    all_or_none: bool,
    refused: slice | None = None,
) -> tuple[list[Change], RowError | None]:
    """Write a batch; return what became of each record, and what spoils them all.

    The records at `refused` fail whatever is in them.
    """
    changes, malformed = _changes(org, sobject, kind, records)
    for change in changes[refused] if refused else ():
        change.error = change.error or _REFUSED
    if malformed is None:
        org.save(sobject, changes, all_or_none=all_or_none)
    if all_or_none and any(change.error for change in changes):
        for change in changes:
            change.error = change.error or ROLLED_BACK
    return changes, malformed


def _in_no_order(
    operation: str, changes: list[Change]
) -> list[tuple[str, str | None, str | None]]:
    """Return the outcomes of an operation: nothing says which record each one is."""
    outcomes = [
        (
            operation,
            change.record_id or None,
            change.error.sf_error if change.error else None,
        )
        for change in changes
    ]
    return sorted(outcomes, key=lambda each: sha256(str(each).encode()).hexdigest())


def _changes(
    org: Org, sobject: SObject, kind: str, records: list[dict[str, Any]]
) -> tuple[list[Change], RowError | None]:
    """What each record asks for; and what spoils the whole request, if anything does.

    Salesforce refuses a request of which one value is of a wrong JSON type.
    """
    changes: list[Change] = []
    for record in records:
        fields = dict(record)
        record_id = fields.pop("id", None) if kind == "update" else None
        change = Change({}, key=record_id if isinstance(record_id, str) else "")
        try:
            if kind == "update" and not change.key:
                raise RowError("MISSING_ARGUMENT", "Id not specified in an update call")
            change.values = change_of(sobject, fields).values
        except RowError as error:
            if error.code == "JSON_PARSER_ERROR":
                return [Change({}) for _ in records], error
            change.error = error
        changes.append(change)
    if kind == "update":
        org.match_ids(sobject, changes)
    return changes, None


def _result(change: Change, kind: str) -> dict[str, Any]:
    if change.error is None:
        return {"success": True, "recordId": change.record_id}
    error = {
        "statusCode": change.error.code,
        "message": change.error.message,
        "fields": list(change.error.fields),
    }
    return {"success": False, "data": {"success": False, "errors": [error]}}


def _not_processed() -> dict[str, Any]:
    return {"success": False, "data": {"errors": [{"message": NOT_PROCESSED}]}}


def _bent(told: dict[str, Any], fault: str) -> dict[str, Any]:
    """What a fault makes of the answer to a batch that was carried out."""
    if fault == "batch_no_results":
        return {name: value for name, value in told.items() if name != "results"}
    if fault == "batch_results_short":
        return {**told, "results": told["results"][1:]}
    if fault == "batch_counts_wrong":
        return {**told, "successCount": max(0, told["successCount"] - 10)}
    return told


def _server_error(operation: str) -> Response:
    """The connector's words for a 5xx of the SaaS, wrapped in a 422."""
    text = "error writing record: HTTP status 503: server error"
    body = {"operationId": operation, "errors": [{"message": text}]}
    return answer(body, status=422)


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
        raise _gone(found.error, kind, record_id)
    if kind == "delete":
        org.delete(found.record_id)
        return found
    rest = {name: value for name, value in record.items() if name != "id"}
    found.values = change_of(sobject, rest).values
    org.save(sobject, [found])
    return found


def _gone(error: RowError, kind: str, record_id: str) -> RowError:
    if error.code != "INVALID_CROSS_REFERENCE_KEY":
        return error
    if kind == "delete":
        return RowError("ENTITY_IS_DELETED", "ENTITY_IS_DELETED: entity is deleted")
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
