"""Every state has words that say what happened to the data."""

from datetime import UTC, datetime
from typing import Any

import pytest

from operations.display.sentence import sentence
from operations.models import Operation

State = Operation.State


def said(state: str, **values: Any) -> str:
    given = {"action": "upsert", "rows_sent": 4, **values}
    words = sentence(Operation(state=state, **given))
    return f"{words.what} {words.why} {words.todo}"


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("action", Operation.Action.values)
@pytest.mark.parametrize("counts", [(None, None), (0, 4), (3, 1), (4, 0)])
def test_every_state_has_a_sentence(
    state: str, action: str, counts: tuple[int | None, int | None]
) -> None:
    words = said(state, action=action, rows_succeeded=counts[0], rows_failed=counts[1])
    assert len(words) > 10
    assert "None" not in words


def test_an_unknown_create_warns_and_an_unknown_upsert_tells_what_is_safe() -> None:
    assert "makes a second one" in said("unknown", action="create")
    assert "updates rows that carry their key" in said("unknown")


def test_an_unknown_outcome_that_was_dealt_with_says_how() -> None:
    words = said("unknown", resolution="olga sent it again as operation #8.")
    assert "may or may not have been written. olga sent it again" in words
    assert "before you send it again" not in words


def test_a_refusal_says_first_that_nothing_was_written() -> None:
    words = said("rejected", reason="Too many requests.")
    assert words.startswith("Nothing was written")
    assert "Too many requests." in words


def test_waiting_after_a_failed_try_names_the_next_one() -> None:
    due = datetime(2024, 3, 20, 12, 0, 5, tzinfo=UTC)
    words = said("waiting", attempts=1, reason="No route to host.", due_at=due)
    assert words.startswith("Not sent yet: No route to host. We try again at 12:00:05.")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"state": "partly_failed", "rows_succeeded": 11990, "rows_failed": 441},
            "11,990 rows written, 441 refused. Nothing is rolled back.",
        ),
        (
            {"state": "partly_failed", "rows_failed": 1},
            "Some rows written, 1 refused, 3 not accounted for.",
        ),
        ({"state": "failed", "rows_succeeded": 0, "rows_failed": 4}, "No row was"),
        ({"state": "failed", "rows_succeeded": 0, "rows_failed": 0}, "no row as proc"),
        ({"state": "completed", "rows_succeeded": 3}, "1 row not accounted for."),
        ({"state": "succeeded", "rows_succeeded": 4}, "All 4 rows were written."),
        ({"state": "succeeded"}, "not how many rows"),
        ({"state": "in_progress"}, "stopped asking after 7 days"),
    ],
)
def test_counts_are_told_honestly(values: dict[str, Any], words: str) -> None:
    assert words in said(**values)


def test_the_servers_remedy_comes_before_ours() -> None:
    assert said("rejected", remedy="Do this.").endswith("Do this.")
