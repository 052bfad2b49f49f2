"""Bulk jobs: what happens between the operation id and the end of the operation."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import batched, islice

from sandbox import ids, schema
from sandbox.csvjob import Column, JobError, Table, need_key_alone, read
from sandbox.fetching import FetchError
from sandbox.operations import (
    FAILURE,
    IN_PROGRESS,
    NOTHING_PROCESSED,
    SOME_FAILED,
    SUCCESS,
    Operations,
)
from sandbox.salesforce import CHUNK, Change, Org
from sandbox.schema import SObject
from sandbox.store import Row, Store
from sandbox.values import RowError, from_cell
from sandbox.web import rfc3339

BATCH = CHUNK
"""Rows that are written together: few, so that no request waits long for them."""

NULL = "#N/A"
"""The cell that empties a field; an empty cell leaves the field as it is."""

_REFUSED = RowError(
    "FIELD_CUSTOM_VALIDATION_EXCEPTION", "The sandbox refuses every third row", ()
)


class Bulk:
    """Runs bulk operations, each exactly once, also across a killed process.

    `let_pass` is called between the steps of a job.
    """

    def __init__(
        self,
        store: Store,
        operations: Operations,
        fetch: Callable[[str], str],
        let_pass: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._operations = operations
        self._fetch = fetch
        self._let_pass = let_pass

    def prepare(self, operation: str) -> None:
        """Get the CSV of an operation that came with an address."""
        row = self._load(operation)
        if row is None or row["csv"] is not None:
            return
        try:
            text = self._fetch(row["url"])
        except FetchError as error:
            with self._store.transaction():
                self._fail(row, str(error), "The file could not be retrieved.")
            return
        self._operations.keep_csv(operation, text)

    def run(self, operation: str) -> None:
        """Write an operation's rows and end it."""
        row = self._load(operation)
        if row is None:
            return
        sobject = schema.find(row["object"])
        try:
            if sobject is None:
                raise JobError(f"InvalidJob : Unable to find object: {row['object']}")
            table = read(row["csv"], sobject, row["primary_key"])
            if row["deletes"]:
                need_key_alone(table)
        except JobError as error:
            with self._store.transaction():
                self._fail(row, str(error), NOTHING_PROCESSED)
            return
        self._write(row, sobject, table)

    def _load(self, operation: str) -> Row | None:
        return self._store.row(
            "SELECT o.*, c.csv, EXISTS (SELECT 1 FROM deletions d"
            " WHERE d.operation = o.id) AS deletes"
            " FROM operations o LEFT JOIN csvs c ON c.operation = o.id"
            " WHERE o.id = ? AND o.status = ?",
            *(operation, IN_PROGRESS),
        )

    def _write(self, row: Row, sobject: SObject, table: Table) -> None:
        done = row["done"]
        rows = islice(table.rows(), done, None)
        while batch := list(islice(rows, BATCH)):
            with self._store.transaction():
                if not self._still_at(row, done):
                    return
                self._write_batch(row, sobject, table, batch, done)
                done += len(batch)
                self._store.run(
                    "UPDATE operations SET done = ? WHERE id = ?", done, row["id"]
                )
            self._let_pass()
        with self._store.transaction():
            if self._still_at(row, done):
                self._finish(row)

    def _still_at(self, row: Row, done: int) -> bool:
        """Whether nobody ended, forgot or continued the operation meanwhile."""
        now = self._store.row(
            "SELECT 1 FROM operations WHERE id = ? AND status = ? AND done = ?",
            *(row["id"], IN_PROGRESS, done),
        )
        return now is not None

    def _write_batch(
        self,
        row: Row,
        sobject: SObject,
        table: Table,
        batch: list[list[str]],
        first: int,
    ) -> None:
        org = Org(self._store, row["org"], rfc3339(row["due"]))
        for chunk in batched(batch, CHUNK):
            changes = [_change(table, cells) for cells in chunk]
            if row["fault"] == "partial":
                for change in islice(changes, (2 - first) % 3, None, 3):
                    change.error = _REFUSED
            first += len(chunk)
            work = _delete if row["deletes"] else _upsert
            work(org, sobject, table.key, changes)
            self._store.run_many(
                "INSERT INTO outcomes (operation, record, key, error)"
                " VALUES (?, ?, ?, ?)",
                _outcomes(row["id"], changes),
            )

    def _finish(self, row: Row) -> None:
        counts = {
            bool(each["failed"]): each["rows"]
            for each in self._store.rows(
                "SELECT error IS NOT NULL AS failed, COUNT(*) AS rows FROM outcomes"
                " WHERE operation = ? GROUP BY failed",
                row["id"],
            )
        }
        succeeded, failed = counts.get(False, 0), counts.get(True, 0)
        result = f"Batch write completed ({succeeded} succeeded, {failed} failed)"
        self._log_job(row)
        if failed:
            details = self._operations.failure_details(row["id"])
            self._operations.log(
                *(row["id"], row["due"], "ERROR", SOME_FAILED),
                details={"failureDetails": json.dumps(details)},
            )
        self._operations.log(row["id"], row["due"], "INFO", result)
        # A job that touched every row is complete, however many rows it refused.
        status = SUCCESS if succeeded else FAILURE
        self._operations.finish(row["id"], status, result)

    def _fail(self, row: Row, error: str, outcome: str) -> None:
        self._log_job(row)
        self._operations.log(row["id"], row["due"], "ERROR", outcome, error=error)
        self._operations.finish(row["id"], FAILURE, outcome)

    def _log_job(self, row: Row) -> None:
        if row["csv"] is None:
            return
        number = self._store.take_numbers("750", 1)[0]
        size = len(row["csv"].encode())
        self._operations.log(
            *(row["id"], row["due"], "DEBUG", f"Uploaded {size} bytes to the bulk job"),
            details={"jobId": ids.record_id("750", number)},
        )


def _change(table: Table, cells: list[str]) -> Change:
    change = Change({}, key=cells[table.key.index])
    try:
        for column in table.columns:
            _take(change, table, column, cells[column.index])
    except RowError as error:
        change.error = error
    return change


def _take(change: Change, table: Table, column: Column, text: str) -> None:
    """Put one cell into the change."""
    is_id_key = column is table.key and column.field.type == "id"
    if not text or is_id_key:
        return
    if column.foreign and text != NULL:
        change.foreign[column.field] = (column.foreign, text)
    elif text == NULL:
        change.values[column.field.name] = None
    else:
        change.values[column.field.name] = from_cell(column.field, text, column.index)


def _upsert(org: Org, sobject: SObject, key: Column, changes: list[Change]) -> None:
    _refuse_duplicates(key, changes)
    if key.field.type == "id":
        org.match_ids(sobject, changes)
    else:
        org.match_keys(sobject, key.field, changes)
    org.save(sobject, changes)


def _delete(org: Org, sobject: SObject, key: Column, changes: list[Change]) -> None:
    """Take the records away that the keys name; a key that names none fails."""
    _refuse_duplicates(key, changes)
    if key.field.type == "id":
        org.match_ids(sobject, changes)
    else:
        org.match_keys(sobject, key.field, changes)
    for change in changes:
        if change.error is None and not change.record_id:
            change.error = RowError("ENTITY_IS_DELETED", "entity is deleted")
        elif change.error is None:
            org.delete(change.record_id)


def _refuse_duplicates(key: Column, changes: list[Change]) -> None:
    """Fail every row of a chunk whose key is there twice."""
    by_id = key.field.type == "id"
    folded = [
        (ids.normal(change.key) or change.key) if by_id else change.key.casefold()
        for change in changes
    ]
    counts = Counter(folded)
    for change, value in zip(changes, folded, strict=True):
        if not value or counts[value] == 1 or change.error:
            continue
        what, fields = ("id", ()) if by_id else ("external id", (key.field.name,))
        change.error = RowError(
            "DUPLICATE_VALUE", f"Duplicate {what} specified: {change.key}", fields
        )


def _outcomes(
    operation: str, changes: list[Change]
) -> Iterator[tuple[str, str | None, str, str | None]]:
    for change in changes:
        error = change.error.sf_error if change.error else None
        yield operation, change.record_id or None, change.key, error
