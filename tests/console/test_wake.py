"""What a worker without a task waits for: PostgreSQL tells it, SQLite is looked at."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django_tasks_db.models import DBTaskResult

from console.runtime import wake
from console.runtime.wake import LOOK_SECONDS, SOON, Wake, is_waiting
from writes.tasks import send_operation, work_on_file

INTERVAL = 0.2


@pytest.fixture(autouse=True)
def _tasks_in_the_database(settings: Any) -> None:
    backend = "django_tasks_db.DatabaseBackend"
    queues = ["sending", "watching", "files"]
    settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": queues}}


class Pauses:
    """In place of `Stop`: notes how long is waited, and what happens meanwhile."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self.requested = False
        self.waited: list[float] = []
        self._happenings = list(happenings)

    def wait(self, seconds: float, *, also: int | None = None) -> None:
        self.waited.append(seconds)
        if self._happenings:
            self._happenings.pop(0)()

    def stop(self) -> None:
        self.requested = True


def nothing() -> None:
    """Let time go by."""


def enqueue() -> None:
    send_operation.enqueue(1)


def waits(waker: Wake, pauses: Pauses) -> list[float]:
    waker.wait(pauses)  # type: ignore[arg-type]
    return pauses.waited


@pytest.mark.django_db
def test_only_a_task_of_its_own_queue_that_nobody_took_is_waited_for() -> None:
    work_on_file.enqueue(1)
    assert not is_waiting("sending")
    enqueue()
    assert is_waiting("sending")
    DBTaskResult.objects.update(status="RUNNING")
    assert not is_waiting("sending")


@pytest.mark.sqlite
@pytest.mark.django_db
def test_the_look_reads_an_index_of_what_waits_alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {wake._LOOK.format('%s')}", ["sending"])
        (plan,) = [row[-1] for row in cursor.fetchall()]
    assert "tasks_db_new_ordering_idx" in plan or "queue_name" in plan


@pytest.mark.sqlite
@pytest.mark.django_db
def test_where_nothing_is_told_it_looks_until_there_is_a_task_or_it_has_to_stop() -> (
    None
):
    pauses = Pauses(nothing, nothing, enqueue)
    assert waits(Wake("sending", INTERVAL), pauses) == [INTERVAL] * 3
    DBTaskResult.objects.all().delete()
    stopping = Pauses(nothing)
    stopping._happenings.append(stopping.stop)
    assert waits(Wake("sending", INTERVAL), stopping) == [INTERVAL] * 2


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
class TestOnPostgres:
    """Each wait begins behind a first one, which only begins to listen."""

    def listening(self) -> Wake:
        waker = Wake("sending", INTERVAL)
        assert waits(waker, Pauses()) == []
        return waker

    def test_a_task_wakes_the_workers_of_its_queue(self) -> None:
        waker = self.listening()
        enqueue()
        # It was told before it began to wait.
        assert waits(waker, Pauses()) == []
        # And is told once.
        DBTaskResult.objects.all().delete()
        work_on_file.enqueue(1)
        assert waits(waker, Pauses()) == [LOOK_SECONDS]
        assert waits(waker, Pauses(enqueue)) == [LOOK_SECONDS]
        assert waker.is_told

    def test_the_socket_can_be_read_when_a_task_is_there(self) -> None:
        from console.runtime.shutdown import Stop

        waker = self.listening()
        other = connection.copy()
        other.connect()
        with other.cursor() as cursor:
            cursor.execute("NOTIFY console_tasks_sending")
        other.close()
        with Stop() as stop:
            # Far longer than any test may take.
            stop.wait(100_000, also=waker._listening.fileno())
        assert waker._was_notified()

    def test_one_lost_notification_costs_a_slower_look(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waker = self.listening()
        monkeypatch.setattr(waker, "_was_notified", lambda: False)
        taken = Pauses(enqueue, DBTaskResult.objects.all().delete)
        # Another worker took it.
        assert waits(waker, taken) == [LOOK_SECONDS, SOON]
        assert waker.is_told

    def test_behind_a_pooler_it_looks_as_on_sqlite(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        waker = self.listening()
        monkeypatch.setattr(waker, "_was_notified", lambda: False)
        assert waits(waker, Pauses(enqueue)) == [LOOK_SECONDS, SOON]
        assert not waker.is_told
        assert "pooler" in caplog.text
        assert waits(waker, Pauses()) == [INTERVAL]

    def test_on_a_new_connection_it_listens_anew_and_looks_once_more(self) -> None:
        waker = self.listening()
        connection.close()
        assert waits(waker, Pauses()) == []
        assert waits(waker, Pauses(enqueue)) == [LOOK_SECONDS]
