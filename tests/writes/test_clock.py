"""The clock: a tick turns to everything that is due, and no fault ends it."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError
from django.test import RequestFactory
from django.utils import timezone

from console.models import Heartbeat, Integration
from operations import sync
from operations.models import Operation
from tests.writes.making import make_draft
from writes import sending
from writes.confirming import confirm
from writes.management.commands import clock

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(integration: Integration, olga: User, rf: RequestFactory) -> Operation:
    """A confirmed write whose nudge is overdue."""
    request = rf.post("/")
    request.user = olga
    operation = confirm(make_draft(integration, olga), request)
    Operation.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    operation.refresh_from_db()
    return operation


def test_a_tick_beats_and_nudges_what_waits(
    waiting: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[int] = []
    watched: list[object] = []
    monkeypatch.setattr(sending, "enqueue", nudged.append)
    monkeypatch.setattr(sync, "nudge_due", watched.append)
    call_command("clock", once=True)
    assert nudged == [waiting.pk]
    assert len(watched) == 1
    assert Heartbeat.objects.get().name == "clock"


def test_a_tick_calls_unknown_what_a_dead_worker_left(waiting: Operation) -> None:
    Operation.objects.update(state=State.SENDING, sent_at=timezone.now())
    call_command("clock", once=True)
    waiting.refresh_from_db()
    assert waiting.state == State.UNKNOWN


def test_a_second_tick_does_not_nudge_again(
    waiting: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[int] = []
    monkeypatch.setattr(sending, "enqueue", nudged.append)
    call_command("clock", once=True)
    call_command("clock", once=True)
    assert nudged == [waiting.pk]


def test_a_database_that_is_away_does_not_end_the_clock(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stop: list[object] = []
    ticks: list[int] = []

    def broken() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            stop[-1]()  # type: ignore[operator]
        raise DatabaseError("gone")

    monkeypatch.setattr(clock, "tick", broken)
    monkeypatch.setattr(clock, "close_old_connections", lambda: None)
    monkeypatch.setattr(clock.signal, "signal", lambda _, handler: stop.append(handler))
    thread = threading.Timer(30, lambda: stop[-1]())  # type: ignore[operator]
    thread.start()
    call_command("clock", interval=0.001)
    thread.cancel()
    assert len(ticks) == 3
    assert "trying again" in caplog.text


def test_old_results_of_tasks_are_pruned_where_there_are_any(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(clock, "call_command", lambda name, **_: called.append(name))
    clock._prune()
    assert called == []
    backend = {"BACKEND": "django_tasks_db.DatabaseBackend"}
    monkeypatch.setitem(clock.settings.TASKS, "default", backend)
    clock._prune()
    assert called == ["prune_db_task_results"]
