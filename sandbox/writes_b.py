"""The write endpoint of generation B: one POST, synchronous or a bulk job.

Shapes are those of Ampersand's OpenAPI document of 2024 ("writeRecords").
"""

from typing import Any

from sandbox import catalog
from sandbox.fetching import is_web_address
from sandbox.operations import Operations
from sandbox.salesforce import Org
from sandbox.store import Store
from sandbox.uploads import BUCKET, text_of_upload
from sandbox.web import (
    MISSING,
    BadRequest,
    Rejected,
    Request,
    Response,
    answer,
    not_allowed,
    rfc3339,
)
from sandbox.writes import (
    Target,
    check_csv,
    create_one,
    refuse_unknown,
    sobject_of,
    text_of,
    update_one,
)

SYNCHRONOUS, BULK = "synchronous", "bulk"
MODES = {"create": SYNCHRONOUS, "update": SYNCHRONOUS, "upsert": BULK, "delete": BULK}
"""Which mode each type has; no other pairing is supported."""

_MEMBERS = {"groupRef", "type", "mode"}
_SOURCES = ("recordsCSV", "recordsURL")


class WritesB:
    """Carries out requests to the write endpoint of generation B."""

    def __init__(
        self, store: Store, operations: Operations, *, bulk_seconds: float
    ) -> None:
        self._store = store
        self._operations = operations
        self._bulk_seconds = bulk_seconds

    def handle(self, request: Request, target: Target) -> Response:
        """Answer a request to a resource that exists."""
        if request.method != "POST" or target.is_bulk or target.record_id:
            raise not_allowed("POST")
        body = request.json()
        group = text_of(body, "groupRef")
        kind = text_of(body, "type")
        mode = body.get("mode", SYNCHRONOUS)
        if kind not in MODES:
            raise BadRequest(f"unsupported write type: {kind}")
        if mode != MODES[kind]:
            raise BadRequest(f"unsupported mode for {kind}: {mode}")
        catalog.check_group(group)
        catalog.check_object(target.integration, target.object_name)
        if target.fault == "server_error_422":
            raise Rejected(["error writing record: HTTP status 503: server error"])
        with self._store.transaction():
            if mode == BULK:
                return self._start(request, target, group, body)
            return self._write_one(request, target, group, body)

    def _write_one(
        self, request: Request, target: Target, group: str, body: dict[str, Any]
    ) -> Response:
        refuse_unknown(body, _MEMBERS | {"record"})
        record = body.get("record")
        if not isinstance(record, dict):
            raise BadRequest(MISSING)
        org = Org(self._store, group, rfc3339(request.time))
        write = update_one if body["type"] == "update" else create_one
        return write(org, sobject_of(target), record, target)

    def _start(
        self, request: Request, target: Target, group: str, body: dict[str, Any]
    ) -> Response:
        refuse_unknown(body, {*_MEMBERS, "primaryKey", *_SOURCES})
        key = text_of(body, "primaryKey")
        given = [name for name in _SOURCES if name in body]
        if len(given) != 1:
            raise BadRequest("provide either recordsCSV or recordsURL")
        csv, url = self._rows(given[0], text_of(body, given[0]), key)
        request.operation = self._operations.start(
            *(target.integration.project, target.integration.id),
            *(group, target.object_name),
            primary_key=key,
            csv=csv,
            url=url,
            fault=target.fault,
            now=request.time,
            seconds=self._bulk_seconds,
            deletes=body["type"] == "delete",
        )
        return answer({"operationId": request.operation})

    def _rows(self, name: str, source: str, key: str) -> tuple[str | None, str | None]:
        """The text of the rows, or the address where they are."""
        if name == "recordsCSV":
            check_csv(source, key)
            return source, None
        if source.startswith(BUCKET):
            return text_of_upload(self._store, source), None
        if not is_web_address(source):
            raise BadRequest("recordsURL is not an http or https address")
        return None, source
