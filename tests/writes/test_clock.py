"""The clock: a tick turns to everything that is due, and no fault ends it."""

import os
import signal
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from console import processes
from console.models import Heartbeat, Integration
from operations import dispatch as dispatch_operations
from operations.models import Operation
from tests.conftest import actor
from tests.writes.making import make_draft
from writes import dispatch as dispatch_writes
from writes.actions.confirm import confirm
from writes.management.commands import clock

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _called_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process its name back."""
    monkeypatch.setattr(processes, "_kind", "web")


@pytest.fixture
def waiting(integration: Integration, olga: User) -> Operation:
    """A confirmed write whose nudge is overdue."""
    operation = confirm(make_draft(integration, olga), actor(olga))
    Operation.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    operation.refresh_from_db()
    return operation


def test_a_tick_beats_and_nudges_what_waits(
    waiting: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[Operation] = []
    watched: list[object] = []
    monkeypatch.setattr(dispatch_writes, "enqueue_send", nudged.append)
    monkeypatch.setattr(dispatch_operations, "enqueue_due_watches", watched.append)
    call_command("clock", once=True)
    assert nudged == [waiting]
    assert len(watched) == 1
    assert Heartbeat.objects.get().process.startswith("clock on ")


def test_a_tick_calls_unknown_what_a_dead_worker_left(waiting: Operation) -> None:
    Operation.objects.update(state=State.SENDING, sent_at=timezone.now())
    call_command("clock", once=True)
    waiting.refresh_from_db()
    assert waiting.state == State.UNKNOWN


def test_a_second_tick_does_not_nudge_again(
    waiting: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[Operation] = []
    monkeypatch.setattr(dispatch_writes, "enqueue_send", nudged.append)
    call_command("clock", once=True)
    call_command("clock", once=True)
    assert nudged == [waiting]


@pytest.mark.parametrize(
    "fault", [DatabaseError("gone"), InterfaceError("closed"), OSError("no broker")]
)
def test_whatever_fails_does_not_end_the_clock(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ticks: list[int] = []
    waits: list[float] = []

    def broken() -> None:
        ticks.append(1)
        if len(ticks) < 4:
            raise fault
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(clock, "tick", broken)
    monkeypatch.setattr(clock, "connections", Mock())
    monkeypatch.setattr(clock, "close_old_connections", lambda: None)
    monkeypatch.setattr(clock.Stop, "wait", lambda _, seconds: waits.append(seconds))
    call_command("clock", interval=0.5)
    assert waits == [1, 2, 3, 0.5]
    told = [r.levelname for r in caplog.records if r.name == clock.log.name]
    assert told in (["WARNING"] * 3, ["ERROR"] * 3)


def test_old_results_of_tasks_and_heartbeats_are_pruned(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(clock, "call_command", lambda name, **_: called.append(name))
    now = timezone.now()
    for process, age in (("old", 25), ("young", 23)):
        seen_at = now - timedelta(hours=age)
        Heartbeat.objects.create(process=process, host="a", seen_at=seen_at)
    clock._prune()
    assert called == []
    assert [beat.process for beat in Heartbeat.objects.all()] == ["young"]
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    clock._prune()
    assert called == ["prune_db_task_results"]


class Enough(BaseException):
    """Ends a clock that would run on; it is no `Exception`."""


def test_a_quiet_clock_beats_and_does_not_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks every second, and ticks as soon as the look finds something."""
    seconds, due, done = [0.0], [False], []

    def wait(_: object, pause: float) -> None:
        seconds[0] += pause
        due[0] = seconds[0] == 45
        if seconds[0] > 60:
            raise Enough

    monkeypatch.setattr(clock.time, "monotonic", lambda: 1_000 + seconds[0])
    monkeypatch.setattr(clock.look, "is_anything_due", lambda: due[0])
    monkeypatch.setattr(clock, "tick", lambda: done.append(("tick", seconds[0])))
    monkeypatch.setattr(
        Heartbeat, "beat", lambda **_: done.append(("beat", seconds[0]))
    )
    monkeypatch.setattr(clock, "close_old_connections", lambda: None)
    monkeypatch.setattr(clock.Stop, "wait", wait)
    with pytest.raises(Enough):
        call_command("clock", interval=1.0)
    assert [at for what, at in done if what == "tick"] == [0, 30, 45]
    moments = sorted(at for _, at in done)
    gaps = [b - a for a, b in zip(moments, moments[1:], strict=False)]
    assert max(gaps) <= clock.BEAT_EVERY
    assert Heartbeat.PATIENCE.total_seconds() > clock.BEAT_EVERY * 2
