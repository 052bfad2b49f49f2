"""Lists of rows to take away: with their outcome, or with the reason.

They are generators: a list of a million rows is never held at once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from files.rows.fates import FAILED
from files.rows.row_store import RowOutcome, RowStore
from files.rows.sent_rows import cells_of, read_header

ROW, STATE, ERROR, RECORD = "Row", "Outcome", "Error", "Record ID"


class WrongFile(ValueError):
    """The file is not the one whose rows were joined."""


def with_outcomes(
    store: RowStore, as_sent: Path, *, with_ids: bool = False
) -> Iterator[list[str]]:
    """Yield the header and all rows: cells as sent, row of the original, state, error.

    With `with_ids` also the id of each record, as far as it was told. Raises WrongFile
    where the file is shorter than it was.
    """
    names, _ = read_header(as_sent)
    ours = (ROW, STATE, ERROR, RECORD) if with_ids else (ROW, STATE, ERROR)
    yield [*names, *_free(ours, names)]
    with as_sent.open("rb") as file:
        for outcome in store.outcomes():
            cells = _cells(file, outcome)
            told = [str(outcome.row), outcome.state, _errors(outcome)]
            yield [*cells, *told, outcome.record] if with_ids else [*cells, *told]


def with_reasons(store: RowStore, as_sent: Path) -> Iterator[list[str]]:
    """Yield the header and the rows that failed: cells, row of the original, error.

    Raises WrongFile where the file is shorter than it was.
    """
    names, _ = read_header(as_sent)
    yield [*names, *_free((ROW, ERROR), names)]
    with as_sent.open("rb") as file:
        for outcome in store.outcomes(FAILED):
            yield [*_cells(file, outcome), str(outcome.row), _errors(outcome)]


def _cells(file: BinaryIO, outcome: RowOutcome) -> list[str]:
    file.seek(outcome.start)
    raw = file.read(outcome.length)
    if len(raw) != outcome.length:
        raise WrongFile(f"The file ends before row {outcome.sent_row:,}.")
    return cells_of(raw)


def _errors(outcome: RowOutcome) -> str:
    return "; ".join(filter(None, (outcome.error, *outcome.other_errors)))


def _free(wanted: tuple[str, ...], taken: list[str]) -> list[str]:
    """Return names of our own that no column of the file has."""
    return [f"{name} (console)" if name in taken else name for name in wanted]
