"""Lists of rows to take away: with their outcome, with the reason, or as sent.

They are generators: a list of a million rows is never held at once.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from files.rows.fates import FAILED, State
from files.rows.row_store import RowOutcome, RowStore, WrongFile
from files.rows.sent_rows import cells_of, read_header

ROW, STATE, ERROR = "Row", "Outcome", "Error"


def with_outcomes(store: RowStore, as_sent: Path) -> Iterator[list[str]]:
    """Yield the header and all rows: cells as sent, row of the original, state, error.

    Raises WrongFile where the file is shorter than it was.
    """
    names, _ = read_header(as_sent)
    yield [*names, *_free((ROW, STATE, ERROR), names)]
    with as_sent.open("rb") as file:
        for outcome in store.outcomes():
            cells = cells_of(_raw(file, outcome))
            yield [*cells, str(outcome.row), outcome.state, _errors(outcome)]


def with_reasons(
    store: RowStore, as_sent: Path, *, state: State = FAILED
) -> Iterator[list[str]]:
    """Yield the header and the rows of a state: cells, row of the original, error.

    Raises WrongFile where the file is shorter than it was.
    """
    names, _ = read_header(as_sent)
    yield [*names, *_free((ROW, ERROR), names)]
    with as_sent.open("rb") as file:
        for outcome in store.outcomes(state):
            cells = cells_of(_raw(file, outcome))
            yield [*cells, str(outcome.row), _errors(outcome)]


def records(
    store: RowStore, as_sent: Path, *, state: State = FAILED
) -> Iterator[bytes]:
    """Yield the header and the rows of a state, byte for byte as they were sent.

    Raises WrongFile where the file is shorter than it was.
    """
    _, length = read_header(as_sent)
    with as_sent.open("rb") as file:
        yield file.read(length)
        for outcome in store.outcomes(state):
            yield _raw(file, outcome)


def _raw(file: BinaryIO, outcome: RowOutcome) -> bytes:
    file.seek(outcome.start)
    raw = file.read(outcome.length)
    if len(raw) != outcome.length:
        raise WrongFile(f"The file ends before row {outcome.sent_row:,}.")
    return raw


def _errors(outcome: RowOutcome) -> str:
    return "; ".join(filter(None, (outcome.error, *outcome.other_errors)))


def _free(wanted: tuple[str, ...], taken: list[str]) -> list[str]:
    """Return names of our own that no column of the file has."""
    return [f"{name} (console)" if name in taken else name for name in wanted]
