"""How long it takes still: told where it can be known, and nothing where not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.templatetags.console import duration
from operations.models import Operation
from writes.display.eta import pace_of
from writes.models import Batch
from writes.templatetags.writes import per_second

pytestmark = pytest.mark.pages

NOON = datetime(2024, 3, 20, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def batches(*operations: dict[str, Any]) -> list[Batch]:
    """Return parts of 1,000 rows each, unsaved."""
    return [Batch(operation=Operation(**{"rows_sent": 1000, **o})) for o in operations]


def ended(start: float, end: float, state: str = "succeeded") -> dict[str, Any]:
    return {"state": state, "sent_at": at(start), "ended_at": at(end)}


RUNNING = {"state": "in_progress", "sent_at": at(20)}
HELD, WAITING = {"state": "held"}, {"state": "waiting"}


def test_before_anything_left_nothing_is_known() -> None:
    assert pace_of(batches(WAITING, HELD), at(5)) is None


def test_before_a_part_ended_only_the_time_so_far_is() -> None:
    pace = pace_of(batches(RUNNING, HELD), at(50))
    assert pace is not None
    assert pace.elapsed == timedelta(seconds=30)
    assert pace.rows_per_second is pace.left is None


def test_what_is_left_takes_as_long_as_what_ended() -> None:
    pace = pace_of(batches(ended(0, 10), ended(10, 20), RUNNING, HELD), at(25))
    assert pace is not None
    assert pace.rows_per_second == pytest.approx(100)
    assert pace.left == timedelta(seconds=20)
    assert pace.elapsed == timedelta(seconds=25)


def test_only_the_last_five_parts_count() -> None:
    slow = [ended(1000 * n, 1000 * (n + 1)) for n in range(3)]
    quick = [ended(3000 + n, 3001 + n) for n in range(5)]
    pace = pace_of(batches(*slow, *quick, HELD), at(3005))
    assert pace is not None
    assert pace.rows_per_second == pytest.approx(1000)
    assert pace.left == timedelta(seconds=1)


def test_parts_that_went_at_the_same_time_are_not_counted_as_one_after_the_other() -> (
    None
):
    pace = pace_of(batches(*[ended(0, 10)] * 4, *[WAITING] * 4), at(10))
    assert pace is not None
    assert pace.rows_per_second == pytest.approx(400)
    assert pace.left == timedelta(seconds=10)


@pytest.mark.parametrize("state", ["cancelled", "rejected"])
def test_what_never_got_anywhere_tells_no_pace(state: str) -> None:
    gone = {"state": state, "sent_at": None, "ended_at": at(3)}
    pace = pace_of(batches(gone, RUNNING, HELD), at(25))
    assert pace is not None
    assert pace.rows_per_second is None


def test_a_clock_that_was_set_back_tells_no_nonsense() -> None:
    pace = pace_of(batches(ended(100, 50), RUNNING), at(0))
    assert pace is not None
    assert (pace.elapsed, pace.left) == (timedelta(0), None)


def test_rows_that_nobody_counted_tell_no_pace() -> None:
    pace = pace_of(batches({**ended(0, 10), "rows_sent": None}, RUNNING), at(30))
    assert pace is not None
    assert pace.rows_per_second is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (40, "40 s"),
        (59.7, "1 min"),
        (240, "4 min"),
        (3599, "1 h"),
        (4800, "1 h 20 min"),
        (90_000, "25 h"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("rate", "words"), [(1240.4, "1,240"), (12.3, "12"), (3.27, "3.3"), (0.31, "0.31")]
)
def test_rates_have_the_digits_that_mean_something(rate: float, words: str) -> None:
    assert per_second(rate) == words
