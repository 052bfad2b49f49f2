"""Every row's fate, as the requests told it that carried the rows one by one.

A request tells of its rows by their position; that was proven when its answer was read.
Nothing is joined by a key here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from files.rows.fates import STATES, State, Totals
from files.rows.outcomes import Progress, place_of_column
from files.rows.row_tables import RowWriter, Stored
from files.rows.sent_rows import read_header, sent_rows


@dataclass(frozen=True)
class Carried:
    """The rows of one request, and what is known of them.

    `rows` has for each its state, record id and reason; where it is empty, all are in
    `state` for one `reason`.
    """

    number: int
    first_row: int
    last_row: int
    offset: int
    length: int
    state: State
    reason: str = ""
    rows: list[list[str]] | None = None


def join_positions(
    as_sent: Path,
    *,
    key: str,
    carried: Iterable[Carried],
    target: Path,
    origin: Callable[[int], int],
    id_column: str = "",
    progress: Progress | None = None,
) -> Totals:
    """Write the fate of every row to the file `target`; return what it comes to.

    `key` is the column by which a person knows a row; the first where it is "".
    `id_column` has the ids that were sent, if that is another one: a row keeps its own
    where none was told of it. Raises ValueError where the requests do not fit the file,
    and whatever `progress` does.
    """
    names, _ = read_header(as_sent)
    column = place_of_column(key, names) if key else 0
    ids = place_of_column(id_column, names) if id_column else None
    done = rows = 0
    with RowWriter(target) as writer:
        for each in carried:
            writer.add(_stored(as_sent, each, (column, ids), writer, origin))
            done += each.length
            rows += each.last_row - each.first_row + 1
            if progress is not None:
                progress(done, rows)
        return writer.finish(loose=[], alarms=[])


def _stored(
    as_sent: Path,
    each: Carried,
    columns: tuple[int | None, int | None],
    writer: RowWriter,
    origin: Callable[[int], int],
) -> Iterator[Stored]:
    row, told = each.first_row, each.rows
    if told and len(told) != each.last_row - each.first_row + 1:
        raise ValueError(f"Request {each.number} told of another number of rows.")
    found, sent_ids = (
        sent_rows(as_sent, offset=each.offset, length=each.length, column=column)
        for column in columns
    )
    for key, start, length in found:
        state, record, reason = _fate(each, told, row)
        if columns[1] is not None:
            sent_id, _, _ = next(sent_ids)
            record = record or sent_id
        group = writer.group("", reason, state) if reason else None
        place = STATES.index(state)
        yield origin(row), row, key, place, group, None, start, length, record or None
        row += 1
    if row != each.last_row + 1:
        raise ValueError(f"Request {each.number} has other rows than it was cut for.")


def _fate(
    each: Carried, told: list[list[str]] | None, row: int
) -> tuple[State, str, str]:
    if not told:
        return each.state, "", each.reason
    state, record, reason = told[row - each.first_row]
    known: State = next((s for s in STATES if s == state), "unknown")
    return known, record, "" if known == "succeeded" else reason or each.reason
