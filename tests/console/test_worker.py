"""manage.py worker in this process: what it does when the database is away."""

import os
import signal
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError, InterfaceError, OperationalError
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from console import processes
from console.health import abandoned_tasks
from console.management.commands import worker
from console.models import Heartbeat
from console.runtime import db_clock

TASKS = {
    "default": {
        "BACKEND": "django_tasks_db.DatabaseBackend",
        "QUEUES": ["sending", "watching", "files"],
    }
}


@pytest.fixture(autouse=True)
def _called_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process its name back."""
    monkeypatch.setattr(processes, "_kind", "web")


@pytest.fixture(autouse=True)
def _tasks_in_the_database(settings: object) -> None:
    settings.TASKS = TASKS  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "fault",
    [
        OperationalError("the connection is lost"),
        OperationalError("database is locked"),
        InterfaceError("the connection is closed"),
        DatabaseError("gone"),
    ],
)
def test_a_database_that_is_away_costs_a_pause_and_does_not_end_the_worker(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[int] = []
    waits: list[float] = []

    def run(self: db_worker.Worker) -> None:
        tries.append(1)
        if len(tries) < 13:
            raise fault
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(db_worker.Worker, "run", run)
    monkeypatch.setattr(worker, "beat_on", lambda queue: None)
    monkeypatch.setattr(worker.connections, "close_all", lambda: None)
    monkeypatch.setattr(worker.Stop, "wait", lambda _, seconds: waits.append(seconds))
    call_command("worker", queue="sending")
    assert waits == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]
    assert str(fault) in caplog.text


def test_it_goes_on_with_a_beat_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[str] = []

    class Enough(Exception):
        pass

    def beat(queue: str, *, pulse_seen: int) -> None:
        beats.append(queue)
        if len(beats) == 1:
            raise OperationalError("away")
        raise Enough

    monkeypatch.setattr(Heartbeat, "beat", beat)
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0)
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    with pytest.raises(Enough):
        worker.beat_on("files")
    assert beats == ["files", "files"]


# --- Tasks that a killed worker left as running -------------------------------------


def running_task(worker_id: str, age: timedelta) -> DBTaskResult:
    """Store a task that `worker_id` took `age` ago."""
    started_at = db_clock.now() - age
    return DBTaskResult.objects.create(
        status="RUNNING",
        args_kwargs={"args": [], "kwargs": {}},
        task_path="writes.tasks.send_operation",
        queue_name="sending",
        backend_name="default",
        run_after=started_at,
        started_at=started_at,
        worker_ids=[worker_id],
        exception_class_path="",
        traceback="",
    )


@pytest.mark.django_db
def test_only_what_no_living_worker_runs_is_forgotten() -> None:
    for process, age in (("alive", 1), ("dead", 11)):
        seen_at = db_clock.now() - timedelta(minutes=age)
        Heartbeat.objects.create(process=process, host="a", seen_at=seen_at)
    kept = [
        running_task("alive", timedelta(hours=23)),
        # A worker that has only just begun to beat.
        running_task("new", timedelta(minutes=9)),
    ]
    running_task("dead", timedelta(minutes=11))
    running_task("never seen", timedelta(minutes=11))
    running_task("alive", timedelta(hours=25))
    assert abandoned_tasks.forget_abandoned() == 3
    assert set(DBTaskResult.objects.all()) == set(kept)
