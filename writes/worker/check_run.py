"""Checking a file whose rows go out as records: their kinds, and the requests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from files.field import Field
from files.findings import ROW, Report
from files.raw_records import read_records
from files.records_json.cutting import LARGEST_BODY, RecordTooBig, pieces
from files.records_json.typing import Table, kinds_of
from files.rows.sent_rows import read_header
from files.shown import shown
from writes.calls import envelope_of, frame_of, table_for
from writes.models import Write

# So many cells of a wrong kind are told; nobody reads more.
MOST_TOLD = 10_000


def check_run(
    write: Write, as_sent: Path, fields: Sequence[Field], report: Report
) -> dict[str, Any]:
    """Add what keeps rows from becoming records; return how they are sent.

    `kinds` are those of the columns, `calls` the number of requests, `sha256` that of
    all their bodies together. {} where something blocks.
    """
    names, _ = read_header(as_sent)
    kinds = kinds_of(names, fields)
    table = table_for(write, names, kinds)
    _tell_columns(write, table, report)
    _tell_cells(as_sent, table, report)
    if report.blocks:
        return {}
    try:
        found = pieces(as_sent, table, frame_of(envelope_of(write)))
        calls = sum(1 for _ in found)
    except RecordTooBig as error:
        message = (
            f"Row {ROW} alone makes a request of {error.size:,} bytes; the limit is "
            f"{LARGEST_BODY:,}. Shorten it or leave it out."
        )
        report.add("blocks", "too-big", message, row=error.row)
        return {}
    return {"kinds": kinds, "calls": calls}


def _tell_columns(write: Write, table: Table, report: Report) -> None:
    """Tell an id that a new record cannot have, and what a delete has no use for."""
    for name in table.names:
        if write.action == Write.Action.CREATE and name.casefold() == "id":
            message = (
                "A new record gets its id from the SaaS. Leave this column out, or "
                "choose the action Update."
            )
            report.add("blocks", "id-column", message, row=1, line=1, column=name)
        if write.action == Write.Action.DELETE and name != table.id_name:
            message = "A delete takes the column of the ids alone. Leave this one out."
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
