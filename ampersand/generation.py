"""What one generation of the Write API must offer; each is a module of that shape.

Ampersand has changed its Write API twice; how operations are read stayed
(`ampersand.operations`). The builders return a Request that holds
everything but the key; the readers make sense of the answers to it. Builders raise
RequestInvalid; readers raise Refused or OutcomeUnknown as `ampersand.errors` defines.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from ampersand import generation_a, generation_b, generation_c
from ampersand.answers import Answer
from ampersand.associations import Association
from ampersand.batch_answers import Accepted, BatchResult
from ampersand.capabilities import Capabilities
from ampersand.errors import RequestInvalid
from ampersand.schemas import (
    Action,
    Envelope,
    IdSpelling,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
)


class Generation(Protocol):
    """The builders and readers of one generation, and what it can do."""

    CAPABILITIES: Capabilities

    def create_record(
        self,
        base_url: str,
        target: Target,
        record: dict[str, Any],
        *,
        associations: Sequence[Association],
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
        associations: Sequence[Association],
        id_spelling: IdSpelling,
    ) -> Request:
        """Build the update of one record."""
        ...

    def delete_record(
        self, base_url: str, target: Target, *, record_id: str
    ) -> Request:
        """Build the deletion of one record."""
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

    def delete_records(
        self,
        base_url: str,
        target: Target,
        *,
        primary_key: str,
        csv: str | None,
        url: str | None,
    ) -> Request:
        """Build a bulk deletion by a CSV text or by the URL of a CSV file."""
        ...

    def envelope(
        self,
        base_url: str,
        target: Target,
        action: Action,
        *,
        most: int,
        all_or_none: bool,
        deadline_hours: int | None,
    ) -> Envelope:
        """Return what stands around the records of each request of a run.

        With `deadline_hours` they are written later, and tried for so long.
        """
        ...

    def read_batch(
        self, request: Request, answer: Answer, ids: Sequence[str]
    ) -> BatchResult | Accepted:
        """Read the answer to a request of a run."""
        ...

    def read_write(self, request: Request, answer: Answer) -> WriteResult:
        """Read the answer to a write."""
        ...


GENERATIONS: dict[str, Generation] = {
    "A": generation_a,
    "B": generation_b,
    "C": generation_c,
}


def generation_for(name: str) -> Generation:
    """Return the generation called `name`. Raises: RequestInvalid for another word."""
    if name not in GENERATIONS:
        raise RequestInvalid(f"There is no generation “{name}”.")
    return GENERATIONS[name]
