"""Checking a file whose rows go out as records: their kinds, and the requests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from files.changes import Change, counted, goes
from files.field import Field
from files.fields.matching import FieldIndex
from files.findings import ROW, Report
from files.raw_records import read_records
from files.records_json import lanes
from files.records_json.cutting import LARGEST_BODY, RecordTooBig
from files.records_json.lanes import Lanes
from files.records_json.typing import Kind, Table, kinds_of
from files.rows.sent_rows import read_header
from files.shown import shown
from writes.calls import cut, envelopes_of, table_for
from writes.models import Write
from writes.storage import NewFiles
from writes.worker.look_up import look_up
from writes.worker.progress import Progress

# So many cells of a wrong kind are told; nobody reads more.
MOST_TOLD = 10_000


@dataclass(frozen=True, kw_only=True)
class Run:
    """How the rows of a file are sent as records.

    `as_sent` is the file that is cut. `kinds` are those of its columns, `since` is when
    the first key was looked up, `told` is what the review says of the requests; all are
    empty where something blocks.
    """

    as_sent: Path
    kinds: dict[str, Kind] = field(default_factory=dict)
    lanes: Lanes | None = None
    since: datetime | None = None
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> list[Change]:
        """What was done to the file so that it can be cut."""
        if self.lanes is None:
            return []
        found = []
        if self.since:
            ids = counted(self.lanes.updates, "id")
            what = (
                f"A first column “{lanes.ID_COLUMN}” is added with {ids} found by the "
                "key."
            )
            found.append(Change(what, self.lanes.updates))
        if self.lanes.is_mixed:
            rows = counted(self.lanes.creates, "row")
            what = f"{rows} of new records {goes(self.lanes.creates)} first."
            found.append(Change(what, self.lanes.creates))
        return found


def check_run(
    write: Write,
    as_sent: Path,
    fields: Sequence[Field],
    report: Report,
    new_files: NewFiles,
    progress: Progress,
) -> Run:
    """Add what keeps rows from becoming records; return how they are sent.

    Raises as `look_up` does.
    """
    names, _ = read_header(as_sent)
    kinds = kinds_of(names, fields)
    table = table_for(write, names, kinds, key=report.key)
    _tell_columns(write, table, report)
    _tell_cells(as_sent, table, report)
    if report.blocks:
        return Run(as_sent=as_sent)
    found, told, since = None, {}, None
    if write.action == Write.Action.BY_KEY:
        key_field = FieldIndex(fields).find(report.key).field
        looked_up = look_up(write, as_sent, names, key_field, report, progress)
        if looked_up is None:
            return Run(as_sent=as_sent)
        with_ids, since = new_files.path("as-sent"), looked_up.since
        lanes.with_ids(as_sent, with_ids, looked_up.ids)
        as_sent, names = with_ids, [lanes.ID_COLUMN, *names]
        table = table_for(write, names, kinds)
    in_lanes = as_sent
    if write.has_lanes:
        in_lanes = new_files.path("as-sent")
        found = lanes.by_id(as_sent, in_lanes, names.index(table.id_name))
        told = {"creates": found.creates, "updates": found.updates}
    try:
        told["calls"] = sum(1 for _ in cut(in_lanes, table, envelopes_of(write), found))
    except RecordTooBig as error:
        message = (
            f"Row {ROW} alone makes a request of {error.size:,} bytes; the limit is "
            f"{LARGEST_BODY:,}. Shorten it or exclude it."
        )
        row = found.origin()(error.row) if found else error.row
        report.add("blocks", "big-record", message, row=row)
        return Run(as_sent=as_sent)
    return Run(as_sent=in_lanes, kinds=kinds, lanes=found, since=since, told=told)


def _tell_columns(write: Write, table: Table, report: Report) -> None:
    """Tell an id that a new record cannot have, and what a delete has no use for."""
    for name in table.names:
        if write.action == Write.Action.BY_KEY and name.casefold() == "id":
            message = (
                "The ids are looked up by the key. Exclude this column, or choose "
                "Create or update by id."
            )
            report.add("blocks", "id-column", message, row=1, line=1, column=name)
        if write.action == Write.Action.CREATE and name.casefold() == "id":
            message = (
                "A new record gets its id from the customer's system. Exclude this "
                "column, or choose the action Update."
            )
            report.add("blocks", "id-column", message, row=1, line=1, column=name)
        if write.action == Write.Action.DELETE and name != table.id_name:
            message = "A delete needs only the column of the ids. Exclude this one."
            report.add("blocks", "extra-column", message, row=1, line=1, column=name)


def _tell_cells(as_sent: Path, table: Table, report: Report) -> None:
    if not table.kinds:
        return
    told = 0
    with as_sent.open("rb") as file:
        for row, (cells, _) in enumerate(read_records(file), start=1):
            if row == 1:
                continue
            for error in table.wrong(cells):
                message = f"{shown(error.text)} in row {ROW}: {error}. Correct it."
                report.add(
                    "blocks",
                    "kind",
                    message,
                    row=row,
                    column=error.column,
                    value=error.text,
                )
                told += 1
            if told >= MOST_TOLD:
                return
