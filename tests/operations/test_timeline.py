"""The timeline says only what is known to have happened."""

import pytest
from django.utils import timezone

from operations.models import Operation
from operations.timeline import timeline


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("unknown", "No readable answer came."),
        ("rejected", "It was refused."),
        ("succeeded", "Ampersand answered."),
    ],
)
def test_an_answer_is_told_only_where_one_came(state: str, text: str) -> None:
    now = timezone.now()
    operation = Operation(
        action="create",
        state=state,
        started_by_name="olga",
        created_at=now,
        sent_at=now,
        answered_at=now,
    )
    assert [event.text for event in timeline(operation)][2:] == [text]
