"""When Ampersand is asked."""

import random
from datetime import datetime, timedelta

import pytest

from operations import schedule
from operations.schedule import next_ask
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
