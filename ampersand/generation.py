"""What one generation of the Write API must offer; each is a module of that shape.

Ampersand has changed its Write API twice. The builders return a Request that holds
everything but the key; the readers make sense of the answers to it. Builders raise
RequestInvalid; readers raise Refused or OutcomeUnknown as `ampersand.errors` defines.
"""

from typing import Any, Protocol

from ampersand import generation_a
from ampersand.answers import Answer
from ampersand.errors import RequestInvalid
from ampersand.schemas import (
    LogEntry,
    Operation,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
)


class Generation(Protocol):
    """The builders and readers of one generation."""

    def create_record(
        self, base_url: str, target: Target, record: dict[str, Any]
    ) -> Request:
        """Build the creation of one record."""
        ...

    def update_record(
        self,
        base_url: str,
        target: Target,
        record: dict[str, Any],
        *,
        record_id: str,
        update_style: UpdateStyle,
    ) -> Request:
        """Build the update of one record."""
        ...

    def upsert_records(
        self,
        base_url: str,
        target: Target,
        *,
        primary_key: str,
        csv: str | None,
        url: str | None,
    ) -> Request:
        """Build a bulk upsert from a CSV text or from the URL of a CSV file."""
        ...

    def get_operation(
        self, base_url: str, *, project: str, operation_id: str
    ) -> Request:
        """Build the question for an operation's state."""
        ...

    def list_operation_logs(
        self, base_url: str, *, project: str, operation_id: str
    ) -> Request:
        """Build the question for an operation's log."""
        ...

    def read_write(self, request: Request, answer: Answer) -> WriteResult:
        """Read the answer to a create, update or upsert."""
        ...

    def read_operation(self, answer: Answer, operation_id: str) -> Operation:
        """Read the answer to `get_operation`, which must be about `operation_id`."""
        ...

    def read_operation_logs(self, answer: Answer) -> tuple[LogEntry, ...]:
        """Read the answer to `list_operation_logs`, in order of time."""
        ...


GENERATIONS: dict[str, Generation] = {"A": generation_a}


def generation_for(name: str) -> Generation:
    """Return the generation called `name`. Raises: RequestInvalid for another word."""
    if name not in GENERATIONS:
        raise RequestInvalid(f"There is no generation “{name}”.")
    return GENERATIONS[name]
