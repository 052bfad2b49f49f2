"""Every state has words that say what happened to the data."""

from datetime import UTC, datetime
from typing import Any

import pytest

from operations.display.sentence import again_risk, sentence
from operations.display.waiting import Waiting
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


@pytest.mark.parametrize("may_have_left", [True, False])
def test_what_is_held_says_first_what_became_of_it_and_then_why(
    *, may_have_left: bool
) -> None:
    reason = "A back-up was restored. Check Ampersand, then resume or cancel."
    held = Operation(state="held", reason=reason, may_have_left=may_have_left)
    found = sentence(held)
    assert found.why == reason
    assert reason not in found.what
    assert ("Nothing has been sent" in found.what) is not may_have_left


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


@pytest.mark.parametrize("state", ["waiting", "held", "cancelled"])
@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"attempts": 3, "refusals": 3, "remote_status": "429"}, [3, 429]),
        ({"attempts": 3, "refusals": 3}, [3]),
        ({"attempts": 5, "refusals": 2, "remote_status": "423"}, [2, 423, 3]),
        # Nobody was there: nothing left, and it was tried all the same.
        ({"attempts": 4}, [4]),
    ],
)
def test_what_was_sent_and_refused_is_never_called_unsent(
    state: str, values: dict[str, Any], counts: list[int]
) -> None:
    found = sentence(Operation(state=state, action="upsert", **values))
    assert found.what.startswith("Nothing was written")
    assert "before it was sent" not in found.what
    assert numbers(found.what)[: len(counts)] == counts


@pytest.mark.parametrize("state", ["waiting", "held", "cancelled"])
def test_what_was_never_tried_is_not_called_tried(state: str) -> None:
    assert numbers(sentence(Operation(state=state, action="upsert")).what) == []


def test_what_waits_says_until_when_why_and_behind_how_many() -> None:
    until = datetime(2024, 3, 20, 14, 3, 20, tzinfo=UTC)
    waiting = Waiting(until, "Ampersand asked for it", before=3, under_way=2)
    found = sentence(Operation(state="waiting", action="create"), waiting=waiting)
    assert "14:03:20" in found.why
    assert "Ampersand asked for it" in found.why
    assert numbers(found.why.partition("asked")[2]) == [2, 3]
