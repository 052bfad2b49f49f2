"""When Ampersand is asked."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.worker import schedule
from operations.worker.schedule import next_ask
from tests.operations.conftest import NOON


@pytest.fixture(params=[0.9, 1.0, 1.1])
def spread(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """Every pause comes out this much longer than planned."""
    monkeypatch.setattr(random, "uniform", lambda low, high: request.param)
    return float(request.param)


def asked_at(*, ended_at: datetime | None = None, until: float) -> list[float]:
    """Return the seconds after noon at which is asked, from the first time on."""
    moments: list[float] = []
    now: datetime | None = NOON if ended_at else NOON + schedule.FIRST
    while now is not None and (now - NOON).total_seconds() <= until:
        moments.append((now - NOON).total_seconds())
        now = next_ask(now=now, accepted_at=NOON, ended_at=ended_at)
    return moments


def test_soon_at_first_and_then_every_minute(spread: float) -> None:
    moments = asked_at(until=250)
    planned = [2, 5, 15, 75, 135, 195]
    assert moments[:6] == pytest.approx(planned, rel=0.11, abs=0.2)


def test_after_a_day_every_ten_minutes_and_after_a_week_no_more(spread: float) -> None:
    day, week = timedelta(days=1), timedelta(days=7)
    later = next_ask(now=NOON + day, accepted_at=NOON, ended_at=None)
    assert later == NOON + day + schedule.SLOW * spread
    assert next_ask(now=NOON + week, accepted_at=NOON, ended_at=None) is None


def test_the_log_is_asked_for_until_three_minutes_past_the_end(spread: float) -> None:
    moments = asked_at(ended_at=NOON, until=10_000)
    assert moments[1:3] == pytest.approx([15, 60], rel=0.11)
    assert 180 <= moments[-1] < 260


def test_silence_doubles_the_pause_up_to_ten_minutes(spread: float) -> None:
    for silent, expected in ((1, 60), (120, 120), (400, 400), (9000, 600)):
        now = NOON + timedelta(seconds=60)
        due = next_ask(
            now=now,
            accepted_at=NOON,
            ended_at=None,
            silent_since=now - timedelta(seconds=silent),
        )
        assert due == now + timedelta(seconds=expected) * spread


def test_a_log_that_could_not_be_read_is_asked_for_longer() -> None:
    now = NOON + timedelta(minutes=5)
    assert next_ask(now=now, accepted_at=NOON, ended_at=NOON) is None
    assert next_ask(now=now, accepted_at=NOON, ended_at=NOON, silent_since=NOON)


@pytest.mark.parametrize(("asked", "kept"), [(90, 90), (10**6, 86_400)])
def test_retry_after_is_honoured_up_to_a_day(asked: int, kept: int) -> None:
    due = next_ask(
        now=NOON,
        accepted_at=NOON,
        ended_at=None,
        retry_after=NOON + timedelta(seconds=asked),
    )
    assert due == NOON + timedelta(seconds=kept)


PLANNED = {timedelta(seconds=2), timedelta(seconds=3), timedelta(seconds=10)}
PLANNED |= {
    timedelta(seconds=15),
    timedelta(seconds=45),
    schedule.MINUTE,
    schedule.SLOW,
}
ages = st.timedeltas(timedelta(0), timedelta(days=8))


@given(age=ages, ended=st.booleans())
def test_a_pause_is_a_planned_one_give_or_take_a_fifth(
    age: timedelta, ended: bool
) -> None:
    now = NOON + age
    due = next_ask(now=now, accepted_at=NOON, ended_at=NOON if ended else None)
    if due is None:
        assert age >= (timedelta(minutes=3) if ended else schedule.GIVE_UP_AFTER)
        return
    assert any(0.8 * pause <= due - now <= 1.2 * pause for pause in PLANNED)


@given(late=st.lists(st.timedeltas(timedelta(0), schedule.MINUTE), max_size=60))
def test_however_late_each_asking_is_the_next_is_never_more_than_a_minute_and_a_fifth(
    late: list[timedelta],
) -> None:
    now = NOON
    for delay in late:
        due = next_ask(now=now, accepted_at=NOON, ended_at=None)
        assert due is not None
        assert timedelta(0) < due - now <= 1.2 * schedule.MINUTE
        now = due + delay


@given(age=ages, first=st.integers(0, 1000))
def test_in_any_five_askings_in_a_row_the_log_is_asked_for(
    age: timedelta, first: int
) -> None:
    with_log = [
        schedule.log_is_due(
            now=NOON + age, accepted_at=NOON, ended_at=None, asked_count=count
        )
        for count in range(first, first + schedule.LOG_EVERY)
    ]
    assert any(with_log)
    assert all(with_log) == (age < schedule.YOUNG)


@given(age=ages, count=st.integers(0, 1000))
def test_past_its_end_the_log_is_always_asked_for(age: timedelta, count: int) -> None:
    assert schedule.log_is_due(
        now=NOON + age, accepted_at=NOON, ended_at=NOON, asked_count=count
    )
