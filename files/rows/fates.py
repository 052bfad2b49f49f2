"""What is known of each row after an operation, and of all of them together."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["succeeded", "failed", "unknown", "not sent"]

SUCCEEDED: State = "succeeded"
FAILED: State = "failed"
UNKNOWN: State = "unknown"
NOT_SENT: State = "not sent"
STATES: tuple[State, ...] = (SUCCEEDED, FAILED, UNKNOWN, NOT_SENT)

# Totals carry this many groups, loose texts and alarms.
KEPT = 100


@dataclass(frozen=True)
class GroupTotal:
    """The rows that share one error and one state.

    `kind` is "create" or "update", what the rows would have done, or "" where the error
    is not a row's own: the reason why a whole part failed or is unknown. A group of
    state "unknown" with a kind holds rows of which only some have this error.
    """

    id: int
    error: str
    kind: str
    count: int
    state: State


@dataclass(frozen=True, kw_only=True)
class Totals:
    """How the rows of a write fared.

    succeeded + failed + unknown + not_sent = rows. `groups` are the largest,
    `group_count` is how many there are; `loose` are the first error texts that no row
    could be found for. `alarms` say where what was told does not add up.
    """

    rows: int
    succeeded: int
    failed: int
    unknown: int
    not_sent: int
    groups: list[GroupTotal] = field(default_factory=list)
    group_count: int = 0
    loose: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """How many rows left this console."""
        return self.rows - self.not_sent

    def as_json(self) -> dict[str, Any]:
        """Return plain data, to be stored with the write."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Totals":
        """Return what `as_json` made."""
        groups = [GroupTotal(**group) for group in data["groups"]]
        return cls(**{**data, "groups": groups})
