"""The write requests that arrived: what became of each, and faults planned for some."""

from contextlib import suppress
from typing import Any

from sandbox import faults
from sandbox.store import Row, Store
from sandbox.web import BadRequest, Refusal, Request, Response, answer, digest, rfc3339

_SHOWN = """\
SELECT r.*, e.status, e.worked, e.operation,
    (SELECT COUNT(*) FROM outcomes o
        WHERE o.operation = e.operation AND o.error IS NULL) AS succeeded,
    (SELECT COUNT(*) FROM outcomes o
        WHERE o.operation = e.operation AND o.error IS NOT NULL) AS failed
FROM requests r LEFT JOIN ends e ON e.request = r.id ORDER BY r.number
"""


def record(store: Store, request: Request) -> None:
    """Remember that a write arrived, before anything is made of it.

    A fault that was planned for it becomes the request's own.
    """
    body, group = b"", None
    with suppress(Refusal):
        body = request.body
        group = request.json().get("groupRef")
    with store.transaction():
        store.run(
            "INSERT INTO requests (id, time, method, path, key_sha256, body_sha256,"
            " group_ref) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(request.id, rfc3339(request.time), request.method, request.path),
            *(digest(request.key.encode()), digest(body)),
            group if isinstance(group, str) else None,
        )
        number = _count(store)
        planned = store.row("SELECT fault FROM plans WHERE request = ?", number)
        store.run("DELETE FROM plans WHERE request <= ?", number)
    if planned:
        request.fault = request.fault or planned["fault"]


def times_received(store: Store, request: Request) -> int:
    """How often this very write has arrived, this time included."""
    row = store.row(
        "SELECT COUNT(*) AS n FROM requests WHERE path = ? AND body_sha256 = ?",
        *(request.path, digest(request.body)),
    )
    return row["n"] if row else 0


def end(store: Store, request: Request, status: int | None) -> None:
    """Remember what became of a request; `status` is None where no answer went out."""
    with store.transaction():
        store.run(
            "INSERT INTO ends (request, status, worked, operation) VALUES (?, ?, ?, ?)",
            *(request.id, status, request.worked, request.operation),
        )


def plan(store: Store, request: Request) -> Response:
    """Give the n-th write request from now a fault, which its operation has as well."""
    asked = request.json()
    fault, write = asked.get("fault"), asked.get("write", 1)
    if not faults.is_known(fault):
        raise BadRequest(f"unknown fault '{fault}', see /sandbox/faults")
    if not isinstance(write, int) or write < 1:
        raise BadRequest("write is the number of a request from now, from 1 on")
    with store.transaction():
        number = _count(store) + write
        store.run("REPLACE INTO plans (request, fault) VALUES (?, ?)", number, fault)
    return answer({"fault": fault, "write": write})


def shown(store: Store) -> Response:
    """Every request that arrived, the oldest first."""
    return answer([_shown(row) for row in store.rows(_SHOWN)])


def _count(store: Store) -> int:
    row = store.row("SELECT MAX(number) AS last FROM requests")
    return (row["last"] or 0) if row else 0


def _shown(row: Row) -> dict[str, Any]:
    """One request; `worked` is null while it is under way, counts are those so far."""
    is_bulk = row["operation"] is not None
    worked = None if row["worked"] is None else bool(row["worked"])
    return {
        "id": row["id"],
        "time": row["time"],
        "method": row["method"],
        "path": row["path"],
        "keySha256": row["key_sha256"],
        "bodySha256": row["body_sha256"],
        "groupRef": row["group_ref"],
        "status": row["status"],
        "worked": worked,
        "operationId": row["operation"],
        "succeeded": row["succeeded"] if is_bulk else int(worked or False),
        "failed": row["failed"],
    }
