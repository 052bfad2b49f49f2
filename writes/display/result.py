"""What became of a file that was sent, in a few words: "20 of 20 succeeded"."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from operations.models import Operation
from writes.display.progress import PartsProgress, progress_of
from writes.models import Batch, Write

Word = Literal["unsent", "going", "good", "failed", "refused", "unknown"]
State = Operation.State


@dataclass(frozen=True)
class Result:
    """Counts of rows, and `state` for programs.

    "unknown" is one of which a person has to find out something first; "good" means
    that every row is known as written, "refused" that no request was taken at all, so
    that no row told why.
    """

    state: Word
    rows: int = 0
    succeeded: int = 0
    failed: int = 0
    unknown: int = 0
    not_sent: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """The counts alone, by name."""
        return {
            "rows": self.rows,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "unknown": self.unknown,
            "not_sent": self.not_sent,
        }

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it by itself."""
        return self.state not in ("unsent", "going")

    @property
    def words(self) -> str:
        """The result without its full stop; a part of a sentence while it goes on."""
        if self.state == "unsent":
            return "not sent yet"
        told = self.succeeded + self.failed
        if self.state == "going":
            return f"being sent, {told:,} of {self.rows:,} done"
        said = [f"{self.succeeded:,} of {self.rows:,} succeeded"]
        others = {
            "failed": self.failed,
            "unknown": self.unknown,
            "not sent": self.not_sent,
        }
        said += [f"{count:,} {word}" for word, count in others.items() if count]
        return ", ".join(said)


def result_of(write: Write, batches: Sequence[Batch] | None = None) -> Result:
    """Return what became of the rows of a file; `batches` come with their operations.

    What its rows were joined to counts for more than the sums of its operations.
    """
    if batches is None:
        batches = list(write.batches.select_related("operation"))
    if not batches:
        return Result("unsent")
    progress = progress_of(batches)
    counted = _counts(write, batches, progress)
    rows, succeeded, _, unknown, _ = counted
    state = _state(rows, succeeded, unknown)
    if _all_refused(batches):
        state = "refused"
    if any(batch.operation.needs_person for batch in batches):
        state = "unknown"
    if progress.ended < progress.parts:
        state = "going"
    return Result(state, *counted)


def _counts(
    write: Write, batches: Sequence[Batch], told: PartsProgress
) -> tuple[int, int, int, int, int]:
    """Return how many rows there are, succeeded, failed, are unknown, were not sent."""
    totals = write.rows_totals
    if totals and told.ended == told.parts:
        return (
            totals.rows,
            totals.succeeded,
            totals.failed,
            totals.unknown,
            totals.not_sent,
        )
    # A request that was refused as a whole counted none of its rows.
    if _all_refused(batches):
        return told.rows, 0, told.rows, 0, 0
    return (
        told.rows,
        told.rows_succeeded,
        told.rows_failed,
        told.rows_unknown,
        told.rows_not_sent,
    )


def _all_refused(batches: Sequence[Batch]) -> bool:
    return all(batch.operation.state == State.REJECTED for batch in batches)


def _state(rows: int, succeeded: int, unknown: int) -> Word:
    if unknown:
        return "unknown"
    return "good" if succeeded == rows > 0 else "failed"
