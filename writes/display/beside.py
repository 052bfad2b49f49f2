"""Rows that belong with a write and are not sent with it: what is left to do.

The rest of a trial, the trial of a rest, what was held back or a retry leaves behind.
"""

from dataclasses import dataclass
from typing import Literal

from console.access.roles import Person
from writes.display.result import Result, result_of
from writes.models import FileJob, Write

Kind = Literal["rest", "trial", "held-back", "retried"]
Relation = Write.Relation


@dataclass(frozen=True)
class Beside:
    """Rows beside those of a write; `rows` is None while they are being counted.

    `write` has them, and `can_open` tells whether the reader may look at it. `trial` is
    what became of the trial, where they are on one or come after one.
    """

    kind: Kind
    write: Write
    rows: int | None
    can_open: bool = True
    trial: Result | None = None

    @property
    def is_unsent(self) -> bool:
        """Whether these rows are known not to have been sent, nor known as written."""
        return self.kind in ("held-back", "retried") or (
            self.write.state != Write.State.CONFIRMED
        )


def beside(write: Write, reader: Person) -> list[Beside]:
    """Return where rows are that belong with those of `write`, for who reads it."""
    found = [*_other_half(write, reader), *_left_behind(write)]
    if held_back := write.check_report.get("held_back_rows"):
        found.append(Beside("held-back", write, held_back))
    return found


def _other_half(write: Write, reader: Person) -> list[Beside]:
    """Return the rest of a trial, or the trial of a rest."""
    is_trial = write.relation == Relation.TRIAL and write.parent is not None
    kind: Kind = "rest" if is_trial else "trial"
    other = write.parent if is_trial else write.trial
    if other is None:
        return []
    result = result_of(write if is_trial else other)
    return [Beside(kind, other, _rows(other), other.may_be_seen_by(reader), result)]


def _rows(write: Write) -> int | None:
    counting = write.jobs.filter(kind=FileJob.Kind.CHECK, state__in=FileJob.OPEN)
    return None if counting.exists() else write.row_count


def _left_behind(write: Write) -> list[Beside]:
    """Return what is still open of the write whose failed rows this one retries."""
    parent = write.parent
    if write.relation != Relation.RETRY or parent is None:
        return []
    totals = parent.rows_totals
    left = totals.unknown + totals.not_sent if totals else 0
    return [Beside("retried", parent, left)] if left else []
