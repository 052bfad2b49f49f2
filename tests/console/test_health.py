"""/healthz: the state of database, worker and queue, for anybody who asks."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console.models import Heartbeat
from console.views import health

pytestmark = pytest.mark.django_db


def waiting_task(age: timedelta) -> None:
    """Store a task that no worker has taken for `age`."""
    task = DBTaskResult.objects.create(
        args_kwargs={"args": [], "kwargs": {}},
        task_path="writes.tasks.send_operation",
        queue_name="sending",
        backend_name="default",
        run_after=timezone.now() - age,
        exception_class_path="",
        traceback="",
    )
    DBTaskResult.objects.filter(pk=task.pk).update(enqueued_at=timezone.now() - age)


def test_all_is_well_without_signing_in(client: Client) -> None:
    Heartbeat.beat("clock")
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {
        "database": "ok",
        "worker": {"state": "ok", "clock_seen_seconds_ago": 0},
        "queue": {"waiting": 0, "oldest_seconds": None},
    }


def test_a_clock_that_was_never_seen_is_missing(client: Client) -> None:
    assert client.get("/healthz").json()["worker"] == {
        "state": "missing",
        "clock_seen_seconds_ago": None,
    }


def test_a_clock_that_stopped_is_missing_and_pages_still_count_as_alive(
    client: Client,
) -> None:
    Heartbeat.objects.create(
        name="clock", seen_at=timezone.now() - timedelta(seconds=31)
    )
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json()["worker"]["state"] == "missing"


def test_tasks_that_nobody_takes_mean_a_stalled_worker(client: Client) -> None:
    Heartbeat.beat("clock")
    waiting_task(timedelta(seconds=5))
    assert client.get("/healthz").json()["worker"]["state"] == "ok"
    waiting_task(timedelta(seconds=31))
    answer = client.get("/healthz").json()
    assert answer["worker"]["state"] == "stalled"
    assert answer["queue"] == {"waiting": 2, "oldest_seconds": 31}


def test_no_database_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> None:
        raise DatabaseError

    monkeypatch.setattr(health, "background", unreachable)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json() == {"database": "unreachable"}
