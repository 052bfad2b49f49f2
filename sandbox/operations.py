"""Operations and their logs, in the shapes Ampersand publishes."""

import json
import math
import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sandbox import faults
from sandbox.catalog import (
    FAILED_OPERATION,
    GROUPS,
    Integration,
    Project,
    installation_id,
    known_uuid,
)
from sandbox.csvjob import LINE_ENDING
from sandbox.salesforce import Change
from sandbox.store import Row, Store
from sandbox.web import Problem, rfc3339

IN_PROGRESS, SUCCESS, FAILURE = "in_progress", "success", "failure"

NOTHING_PROCESSED = (
    "No records processed successfully. This is likely due the CSV being empty or"
    " issues with CSV column names."
)
SOME_FAILED = (
    "Some records are not processed successfully."
    " Please refer to the 'failureDetails' for more details."
)
STILL_RUNNING = "Job is still in progress. Please try again later."
"""Outcomes in the words of Ampersand's Salesforce connector."""

LOG_DAYS = 7
"""Days after which log entries are gone: in a real project that is part of its plan."""

LATE_LOGS = 20
"""Seconds the logs of a `late_logs` operation are late."""

MAX_RECORD_IDS = 1000
"""The most successfulRecordIds an operation lists; with more it lists none."""

_STEP = 0.000_1
"""Seconds between two log entries of one moment, so that they can be ordered."""


class Operations:
    """The operations of all projects."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(
        self,
        project: str,
        integration: str,
        org: str,
        object_name: str,
        *,
        fault: str,
        now: float,
        seconds: float,
        primary_key: str | None = None,
        csv: str | None = None,
        url: str | None = None,
        deletes: bool = False,
    ) -> str:
        """Begin a write that will end after so many seconds; return its id."""
        operation = str(uuid.uuid4())
        due = {"late_logs": now, "never_ends": math.inf}.get(fault, now + seconds)
        self._store.run(
            "INSERT INTO operations (id, project, integration, org, object, fault,"
            " primary_key, url, status, created, due)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(operation, project, integration, org, object_name, fault),
            *(primary_key, url, IN_PROGRESS, now, due),
        )
        if deletes:
            self._store.run("INSERT INTO deletions VALUES (?)", operation)
        if csv is not None:
            self.keep_csv(operation, csv)
        self.log(operation, now, "INFO", "Validated parameters successfully")
        self.log(operation, now, "INFO", f"[{object_name}] {STILL_RUNNING}")
        return operation

    def add_ended(
        self,
        project: str,
        integration: str,
        org: str,
        object_name: str,
        *,
        fault: str,
        status: str,
        result: str,
        error: str,
        record: str,
        now: float,
    ) -> str:
        """Note a write that ended while its caller waited; return its id."""
        of = (project, integration, org, object_name, fault)
        operation = self._ended(of, status, result, [(record, error)], now)
        self.log(operation, now, "ERROR" if error else "INFO", result, error=error)
        return operation

    def add_batch(
        self,
        project: str,
        integration: str,
        org: str,
        object_name: str,
        *,
        fault: str,
        changes: Sequence[Change],
        counts: tuple[int, int],
        now: float,
    ) -> str:
        """Note a batch that ended while its caller waited; return its id."""
        of = (project, integration, org, object_name, fault)
        status = SUCCESS if counts[0] else FAILURE
        result = f"Batch write completed ({counts[0]} succeeded, {counts[1]} failed)"
        outcomes = [
            (each.record_id, each.error.sf_error if each.error else "")
            for each in changes
        ]
        operation = self._ended(of, status, result, outcomes, now)
        self.log(operation, now, "INFO", result)
        return operation

    def _ended(
        self,
        of: tuple[str, str, str, str, str],
        status: str,
        result: str,
        outcomes: Sequence[tuple[str, str]],
        now: float,
    ) -> str:
        """Keep what ended at once, with the record and the error of each outcome."""
        operation = str(uuid.uuid4())
        self._store.run(
            "INSERT INTO operations (id, project, integration, org, object, fault,"
            " status, result, created, due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(operation, *of, status, result, now, now),
        )
        self._store.run_many(
            "INSERT INTO outcomes (operation, record, error) VALUES (?, ?, ?)",
            [(operation, record or None, error or None) for record, error in outcomes],
        )
        self.log(operation, now, "INFO", "Validated parameters successfully")
        return operation

    def keep_csv(self, operation: str, csv: str) -> None:
        """Keep the CSV of a bulk write until it ends."""
        self._store.run("INSERT INTO csvs VALUES (?, ?)", operation, csv)

    def seed(self, now: float) -> None:
        """Make sure that the failed operation of the Write Actions page exists."""
        if self._store.row("SELECT 1 FROM operations WHERE id = ?", FAILED_OPERATION):
            return
        self._store.run(
            "INSERT INTO operations (id, project, integration, org, object, fault,"
            " status, result, created, due)"
            " VALUES (?, '2234wf', '23rsdf32', ?, 'tactics__c', '', ?, ?, ?, ?)",
            *(FAILED_OPERATION, GROUPS[1], FAILURE, NOTHING_PROCESSED, now, now),
        )
        self.log(FAILED_OPERATION, now, "INFO", "Validated parameters successfully")
        self.log(FAILED_OPERATION, now, "ERROR", NOTHING_PROCESSED, error=LINE_ENDING)

    def end_endless(self, operation: str, now: float) -> None:
        """Have an operation that never ends do so now, or raise 404."""
        with self._store.transaction():
            row = self._store.row(
                "SELECT 1 FROM operations WHERE id = ? AND status = ? AND due = ?",
                *(operation, IN_PROGRESS, math.inf),
            )
            if row is None:
                raise Problem(404, "There is no such operation that never ends.")
            self._store.run(
                "UPDATE operations SET due = ? WHERE id = ?", now, operation
            )

    def running(self, until: float) -> list[Row]:
        """What is not finished and due by then, without the CSV, oldest first."""
        return self._store.rows(
            "SELECT id, due FROM operations WHERE status = ? AND due <= ?"
            " ORDER BY due, created",
            *(IN_PROGRESS, until),
        )

    def log(
        self,
        operation: str,
        time: float,
        severity: str,
        msg: str,
        *,
        error: str = "",
        details: dict[str, str] | None = None,
    ) -> None:
        """Add an entry; late operations show theirs later."""
        row = self._store.row(
            "SELECT o.fault, COUNT(l.number) AS entries FROM operations o"
            " LEFT JOIN logs l ON l.operation = o.id WHERE o.id = ?",
            operation,
        )
        late = LATE_LOGS if row and row["fault"] == "late_logs" else 0
        time += _STEP * (row["entries"] if row else 0)
        message: dict[str, Any] = {"msg": msg, "operation_id": operation}
        if error:
            message["error"] = error
        if details:
            message["details"] = details
        self._store.run(
            "INSERT INTO logs (operation, time, visible, severity, message)"
            " VALUES (?, ?, ?, ?, ?)",
            *(operation, time, time + late, severity, json.dumps(message)),
        )

    def show(self, project: Project, operation: str) -> dict[str, Any]:
        """An operation as GetOperation answers it."""
        with self._store.transaction():
            row = self._find(project, operation)
            self._store.run(
                "UPDATE operations SET polls = polls + 1 WHERE id = ?", operation
            )
        if row["polls"] < 2 and row["fault"] == "poll_429":
            raise faults.too_many_requests()
        if row["polls"] < 2 and row["fault"] == "poll_500":
            raise faults.server_error()
        return self._shown(row)

    def _shown(self, row: Row) -> dict[str, Any]:
        operation = row["id"]
        shown = {
            "id": operation,
            "projectId": row["project"],
            "integrationId": row["integration"],
            "configId": known_uuid("config", row["integration"], row["org"]),
            "installationId": known_uuid(
                "installation", row["integration"], row["org"]
            ),
            "actionType": "write",
            "status": _shown_status(row),
            "createTime": rfc3339(row["created"]),
            "metadata": {
                "objects": [row["object"]],
                **self._tried(row),
                **self.written(operation),
            },
        }
        hides_result = row["fault"] == "bulk_completed" or row["result"] is None
        return shown if hides_result else {**shown, "result": row["result"]}

    def logs(self, project: Project, operation: str, now: float) -> list[Any]:
        """An operation's log entries as ListOperationLogs answers them."""
        fault = self._find(project, operation)["fault"]
        rows = self._store.rows(
            "SELECT * FROM logs WHERE operation = ? AND visible <= ? AND time > ?"
            " ORDER BY number",
            *(operation, now, now - LOG_DAYS * 86_400),
        )
        if fault == "unordered_logs":
            rows = rows[1::2] + rows[::2][::-1]
        return [_shown_entry(row, as_text=fault == "string_logs") for row in rows]

    def of_installation(
        self, integration: Integration, installation: str, asked: dict[str, str]
    ) -> dict[str, Any]:
        """A page of a customer's operations, as ListOperations answers it."""
        groups = [g for g in GROUPS if installation_id(integration, g) == installation]
        if not groups:
            raise Problem(404, "Installation not found for the given installation ID.")
        size, start = asked.get("pageSize", "200"), asked.get("pageToken", "0")
        if not (size.isdecimal() and 0 < int(size) <= 1000 and start.isdecimal()):
            raise Problem(400, "pageSize must be from 1 to 1000.")
        rows = self._store.rows(
            "SELECT * FROM operations WHERE integration = ? AND org = ?"
            " ORDER BY created, id LIMIT ? OFFSET ?",
            *(integration.id, groups[0], int(size) + 1, int(start)),
        )
        shown = [self._shown(row) for row in rows[: int(size)]]
        if len(rows) <= int(size):
            return {"results": shown, "pagination": {"done": True}}
        token = str(int(start) + int(size))
        return {
            "results": shown,
            "pagination": {"done": False, "nextPageToken": token},
        }

    def _find(self, project: Project, operation: str) -> Row:
        row = self._store.row(
            "SELECT id, project, integration, org, object, fault, status, result,"
            " created, due, polls FROM operations WHERE id = ? AND project = ?",
            *(operation, project.id),
        )
        if row is None or row["fault"] == "lost_operation":
            raise Problem(
                404,
                "Operation not found for the given operation ID.",
                remedy="Verify the operation ID and project are correct, or list"
                " operations to find a valid ID.",
            )
        return row

    def _tried(self, row: Row) -> dict[str, Any]:
        """How often Ampersand tried an asynchronous batch, once it has."""
        tried = self._store.row(
            "SELECT attempts FROM batches WHERE operation = ? AND attempts > 0",
            row["id"],
        )
        if tried is None:
            return {}
        last = rfc3339(row["due"])
        return {"retry": {"attempts": tried["attempts"], "lastAttempt": last}}

    def written(self, operation: str) -> dict[str, list[str]]:
        """The records that an operation wrote, as its metadata names them."""
        rows = self._store.rows(
            "SELECT record FROM outcomes WHERE operation = ? AND error IS NULL"
            " ORDER BY number LIMIT ?",
            *(operation, MAX_RECORD_IDS + 1),
        )
        if not rows or len(rows) > MAX_RECORD_IDS:
            return {}
        return {"successfulRecordIds": [row["record"] for row in rows]}

    def finish(self, operation: str, status: str, result: str) -> None:
        """End an operation; its CSV is not needed any more."""
        self._store.run(
            "UPDATE operations SET status = ?, result = ? WHERE id = ?",
            *(status, result, operation),
        )
        self._store.run("DELETE FROM csvs WHERE operation = ?", operation)

    def failure_details(self, operation: str) -> dict[str, Any]:
        """The connector's account of failed rows: keys by error text.

        A failed row without a record id counts as a create.
        """
        groups: dict[str, dict[str, list[str]]] = {
            "failedUpdates": defaultdict(list),
            "failedCreates": defaultdict(list),
        }
        for row in self._store.rows(
            "SELECT record, key, error FROM outcomes WHERE operation = ?"
            " AND error IS NOT NULL ORDER BY number",
            operation,
        ):
            group = "failedUpdates" if row["record"] else "failedCreates"
            groups[group][row["error"]].append(row["key"])
        return {"failureType": "Partial", **groups}


def _shown_status(row: Row) -> str:
    wibbles = row["fault"] == "unknown_status_forever" or (
        row["fault"] == "unknown_status" and row["status"] == IN_PROGRESS
    )
    if wibbles:
        return "wibbling"
    if row["fault"] == "bulk_completed" and row["status"] != IN_PROGRESS:
        return "BulkWriteCompleted"
    return str(row["status"])


def _shown_entry(row: Row, *, as_text: bool) -> dict[str, Any]:
    message = json.loads(row["message"])
    if as_text:
        message = ": ".join(filter(None, (message["msg"], message.get("error"))))
    return {
        "timestamp": rfc3339(row["time"]),
        "severity": row["severity"],
        "message": message,
    }
