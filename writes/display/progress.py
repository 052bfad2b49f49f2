"""How far a write is that goes in parts: one progress and one result for all."""

from collections.abc import Sequence
from dataclasses import dataclass

from operations.models import Operation
from writes.models import Batch

State = Operation.State
UNDER_WAY = (State.SENDING, State.IN_PROGRESS)


@dataclass(frozen=True)
class PartsProgress:
    """Counts of parts and rows over all parts."""

    parts: int
    ended: int
    held: int
    waiting: int
    under_way: int
    rows: int
    rows_succeeded: int
    rows_failed: int
    rows_unknown: int
    rows_not_sent: int
    is_moving: bool

    @property
    def rows_told(self) -> int:
        """Of how many rows it is known what became of them."""
        return self.rows_succeeded + self.rows_failed

    @property
    def rows_in_progress(self) -> int:
        """How many rows have left, and Ampersand has not told yet what became of."""
        told = self.rows_told + self.rows_unknown + self.rows_not_sent
        return max(0, self.rows - told)

    @property
    def unsent(self) -> int:
        """How many parts have not left and may still do so."""
        return self.held + self.waiting


def progress_of(batches: Sequence[Batch]) -> PartsProgress:
    """Return how far the parts of a write are; `batches` come with their operations."""
    operations = [batch.operation for batch in batches]
    sent = [o for o in operations if o.state not in Operation.NOT_SENT]
    in_doubt = [o for o in sent if not o.is_in_flight]
    moving = any(o.is_in_flight or o.is_watched for o in operations)
    return PartsProgress(
        parts=len(operations),
        ended=sum(
            not o.is_in_flight and o.state not in Operation.UNSENT for o in operations
        ),
        held=sum(o.state == State.HELD for o in operations),
        waiting=sum(o.state == State.WAITING for o in operations),
        under_way=sum(o.state in UNDER_WAY for o in operations),
        rows=sum(o.rows_sent or 0 for o in operations),
        rows_succeeded=sum(o.rows_succeeded or 0 for o in sent),
        rows_failed=sum(o.rows_failed or 0 for o in sent),
        rows_unknown=sum(o.rows_unknown or 0 for o in in_doubt),
        rows_not_sent=sum(o.rows_not_sent for o in operations),
        is_moving=moving,
    )
