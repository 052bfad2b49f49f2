"""Stopping: what is held is handed back when time is up, and the process ends."""

import os
import signal
import threading

import pytest

from console.runtime import shutdown
from console.runtime.shutdown import Stop, hand_back_all, holding


def test_what_is_held_is_handed_back_and_nothing_that_was_finished() -> None:
    handed: list[str] = []
    with holding(lambda: handed.append("finished")):
        pass
    with holding(lambda: handed.append("outer")), holding(lambda: 1 / 0):
        hand_back_all()
    assert handed == ["outer"]


def test_what_ends_in_time_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(shutdown.os, "_exit", ended.append)
    told: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with Stop(then=lambda: told.append("stop")) as stop:
        assert not stop.requested
        os.kill(os.getpid(), signal.SIGTERM)
        # It returns at once: somebody asked.
        stop.wait(60)
        assert stop.requested
    assert (told, ended) == (["stop"], [])
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("is_stuck", [False, True])
def test_what_does_not_end_in_time_is_ended(
    is_stuck: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    over = threading.Event()
    never = threading.Event()

    def end(code: int) -> None:
        codes.append(code)
        over.set()

    monkeypatch.setattr(shutdown.os, "_exit", end)
    monkeypatch.setattr(shutdown, "HANDING_BACK", 0.1 if is_stuck else 60)
    with holding(never.wait if is_stuck else over.is_set), Stop(grace=0):
        os.kill(os.getpid(), signal.SIGINT)
        assert over.wait(60)
    never.set()
    assert codes == [is_stuck]
