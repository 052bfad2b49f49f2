"""Every state has words that say what happened to the data."""

from datetime import UTC, datetime
from typing import Any

import pytest

from operations.display.sentence import again_risk, sentence
from operations.models import Operation
from tests.texts import numbers

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
    risks = {
        action: again_risk(Operation(action=action, rows_sent=4))
        for action in ("create", "update", "upsert")
    }
    assert len(set(risks.values())) == len(risks)
    for action, risk in risks.items():
        assert risk in said("unknown", action=action)


def test_an_unknown_outcome_that_was_dealt_with_says_how() -> None:
    resolution = "olga sent it again as operation #8."
    found = sentence(Operation(state="unknown", action="upsert", resolution=resolution))
    assert resolution in found.what
    assert found.todo == ""


def test_a_refusal_says_first_that_nothing_was_written() -> None:
    reason = "Too many requests."
    # That it says so, and first, is what people hold on to.
    assert said("rejected", reason=reason).startswith("Nothing was written")
    assert sentence(Operation(state="rejected", reason=reason)).why == reason


def test_waiting_after_a_failed_try_names_the_next_one() -> None:
    due = datetime(2024, 3, 20, 12, 0, 5, tzinfo=UTC)
    words = said("waiting", attempts=1, reason="No route to host.", due_at=due)
    assert "No route to host." in words
    assert "12:00:05" in words


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        (
            {"state": "partly_failed", "rows_succeeded": 11990, "rows_failed": 441},
            [11_990, 441],
        ),
        ({"state": "partly_failed", "rows_failed": 1}, [1, 3]),
        ({"state": "failed", "rows_succeeded": 0, "rows_failed": 4}, [4]),
        ({"state": "failed", "rows_succeeded": 0, "rows_failed": 0}, []),
        ({"state": "completed", "rows_succeeded": 3}, [3, 1]),
        ({"state": "succeeded", "rows_succeeded": 4}, [4]),
        ({"state": "succeeded"}, []),
        ({"state": "in_progress"}, [7]),
    ],
)
def test_counts_are_told_honestly(values: dict[str, Any], counts: list[int]) -> None:
    found = sentence(Operation(action="upsert", rows_sent=4, **values))
    assert numbers(found.what) == counts


def test_the_servers_remedy_comes_before_ours() -> None:
    assert said("rejected", remedy="Do this.").endswith("Do this.")
