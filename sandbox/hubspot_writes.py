"""Writes of generation C to a HubSpot, as Ampersand's connector answers them."""

from collections.abc import Sequence
from typing import Any

from sandbox.hubspot import Portal, Record, WholeBatch
from sandbox.operations import Operations
from sandbox.store import Store
from sandbox.web import Request, Response, answer, rfc3339
from sandbox.writes import Target


class HubSpotWrites:
    """Carries out checked requests; the associations of a record are not kept."""

    def __init__(self, store: Store, operations: Operations) -> None:
        self._store = store
        self._operations = operations

    def write(
        self, request: Request, target: Target, body: dict[str, Any], items: list[Any]
    ) -> Response:
        """Write one record or a batch, in the transaction of the caller."""
        is_batch = "batch" in body
        try:
            records, whole = self._write(request, target, body, items), ""
        except WholeBatch as error:
            records, whole = [Record({}) for _ in items], str(error)
        if target.fault == "associations_fail_after":
            whole = "error associating records: HTTP status 400: bad request"
        good = 0 if whole else sum(record.error is None for record in records)
        request.operation = self._note(request, target, body["groupRef"], records, good)
        if is_batch:
            return _of_batch(request.operation, target, records, whole)
        return _of_one(request.operation, records[0], whole)

    def _write(
        self, request: Request, target: Target, body: dict[str, Any], items: list[Any]
    ) -> list[Record]:
        portal = Portal(self._store, body["groupRef"], rfc3339(request.time))
        name = target.object_name
        if body["type"] == "create":
            all_or_none = body.get("batchPolicy", {}).get("allOrNone") is True
            return portal.create(name, items, all_or_none=all_or_none)
        if body["type"] == "update":
            return portal.update(name, items)
        return [portal.delete(name, items[0])]

    def _note(
        self,
        request: Request,
        target: Target,
        group: str,
        records: Sequence[Record],
        good: int,
    ) -> str:
        changes = [record.as_change() for record in records if record.record_id]
        return self._operations.add_batch(
            *(target.integration.project, target.integration.id),
            *(group, target.object_name),
            fault=target.fault,
            changes=changes if good else [],
            counts=(good, len(records) - good),
            now=request.time,
        )


def _of_batch(
    operation: str, target: Target, records: list[Record], whole: str
) -> Response:
    """A refusal of the whole batch tells no results, only why."""
    failed = len(records) if whole else sum(r.error is not None for r in records)
    told: dict[str, Any] = {
        "operationId": operation,
        "successCount": len(records) - failed,
        "failureCount": failed,
    }
    if whole:
        return answer({**told, "errors": [{"message": whole}]}, status=422)
    told["results"] = [_result(record) for record in _ordered(records, target.fault)]
    if failed:
        errors = [record.error for record in records if record.error]
        told["errors"] = [{"message": each["message"]} for each in errors]
    return answer(told, status=422 if failed else 200)


def _ordered(records: list[Record], fault: str) -> list[Record]:
    """The records as their results come: failures in place, and the others too unless
    HubSpot did not keep their order.
    """
    if fault != "batch_swapped":
        return records
    good = [record for record in records if record.error is None]
    others = iter([*good[1:], *good[:1]])
    return [record if record.error else next(others) for record in records]


def _of_one(operation: str, record: Record, whole: str) -> Response:
    why = whole or (record.error["message"] if record.error else "")
    if not why:
        return answer({"operationId": operation, "result": _result(record)})
    body = {
        "operationId": operation,
        "errors": [{"message": why}],
        "result": {"success": False},
    }
    return answer(body, status=422)


def _result(record: Record) -> dict[str, Any]:
    if record.error is None:
        told = {"success": True, "recordId": record.record_id}
        return {**told, "data": record.stored} if record.stored else told
    return {"success": False, "data": {"errors": [record.error]}}
