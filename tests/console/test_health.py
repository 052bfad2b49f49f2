"""/healthz: the state of database, worker and queue, for anybody who asks."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import VERSION
from console.health.workers import PROCESSES, background
from console.models import Heartbeat
from console.runtime import db_clock
from console.runtime.trouble import PENDING
from console.views import health

pytestmark = pytest.mark.django_db

QUEUES = ["sending", "watching", "files"]


@pytest.fixture(autouse=True)
def _tasks_in_the_database(settings: Any) -> None:
    backend = "django_tasks_db.DatabaseBackend"
    settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": QUEUES}}


def beat(process: str, queue: str = "", age: float = 0) -> None:
    """Have a process seen `age` seconds ago."""
    seen_at = db_clock.now() - timedelta(seconds=age)
    Heartbeat.objects.create(process=process, queue=queue, host="a", seen_at=seen_at)


def all_alive() -> None:
    """Have a clock and a worker of each queue seen just now."""
    for queue in ("", *QUEUES):
        beat(f"process {queue}", queue)


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
    all_alive()
    response = client.get("/healthz")
    assert response.status_code == 200
    answer = response.json()
    assert answer["worker"].pop("clock_seen_seconds_ago") < 30
    assert answer == {
        "version": VERSION,
        "database": "ok",
        "disk": "ok",
        "worker": {"state": "ok", "queues_without_worker": []},
        "queue": {"waiting": 0, "oldest_seconds": None},
    }


def test_a_clock_that_was_never_seen_is_missing(client: Client) -> None:
    assert client.get("/healthz").json()["worker"] == {
        "state": "missing",
        "clock_seen_seconds_ago": None,
        "queues_without_worker": QUEUES,
    }


def test_a_clock_that_stopped_is_missing_and_pages_still_count_as_alive(
    client: Client,
) -> None:
    all_alive()
    Heartbeat.objects.filter(queue="").delete()
    beat("stopped", age=31)
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json()["worker"]["state"] == "missing"


def test_a_queue_whose_worker_was_not_seen_for_long_is_named(client: Client) -> None:
    all_alive()
    Heartbeat.objects.filter(queue="files").delete()
    beat("dead", "files", age=31)
    worker = client.get("/healthz").json()["worker"]
    assert worker["state"] == "missing"
    assert worker["queues_without_worker"] == ["files"]
    assert background().unattended == ("files",)
    assert background().missing == [PROCESSES["files"]]
    beat("another", "files", age=29)
    assert client.get("/healthz").json()["worker"]["state"] == "ok"


def test_a_process_seen_in_the_future_is_none_that_is_alive(client: Client) -> None:
    """A clock was set back since, or a database restored that another clock wrote."""
    for queue in ("", *QUEUES):
        beat(f"process {queue}", queue, age=-3600)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["worker"] == {
        "state": "missing",
        "clock_seen_seconds_ago": None,
        "queues_without_worker": QUEUES,
    }
    for queue in ("", *QUEUES):
        beat(f"another {queue}", queue)
    assert client.get("/readyz").status_code == 200


def test_a_process_that_beats_while_it_is_looked_is_alive(client: Client) -> None:
    """Its beat is told after the moment that it is compared with."""
    for queue in ("", *QUEUES):
        beat(f"process {queue}", queue, age=-20)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["worker"]["clock_seen_seconds_ago"] == 0


def test_of_another_task_engine_nothing_is_claimed(
    client: Client, settings: Any
) -> None:
    backend = "django.tasks.backends.dummy.DummyBackend"
    settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": QUEUES}}
    beat("clock")
    waiting_task(timedelta(seconds=31))
    answer = client.get("/healthz").json()
    assert answer["worker"]["state"] == "ok"
    assert answer["worker"]["queues_without_worker"] is None
    assert answer["queue"] == {"waiting": None, "oldest_seconds": None}


def test_tasks_that_nobody_takes_mean_a_stalled_worker(client: Client) -> None:
    all_alive()
    waiting_task(timedelta(seconds=5))
    assert client.get("/healthz").json()["worker"]["state"] == "ok"
    waiting_task(timedelta(seconds=31))
    answer = client.get("/healthz").json()
    assert answer["worker"]["state"] == "stalled"
    assert answer["queue"] == {"waiting": 2, "oldest_seconds": 31}


def test_no_database_is_503(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> None:
        raise OperationalError

    monkeypatch.setattr(health, "background", unreachable)
    response = client.get("/healthz")
    assert response.status_code == 503
    told = {"version": VERSION, "database": "unreachable", "disk": "ok"}
    assert response.json() == told


@pytest.mark.postgres
def test_a_database_that_stores_nothing_is_503(client: Client) -> None:
    all_alive()
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    response = client.get("/healthz")
    assert response.status_code == 503
    assert response.json()["database"] == "read-only"


class TestLive:
    def test_a_process_that_answers_is_alive_whatever_the_database_does(
        self, client: Client, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            response = client.get("/livez")
        assert (response.status_code, response.json()) == (200, {"version": VERSION})


class TestReady:
    def test_all_is_there(self, client: Client) -> None:
        all_alive()
        response = client.get("/readyz")
        assert response.status_code == 200
        answer = response.json()
        assert answer["worker"]["state"] == "ok"
        assert (answer["database"], answer["migrations_pending"]) == ("ok", 0)

    def test_without_a_worker_it_is_not_ready_and_names_its_queue(
        self, client: Client
    ) -> None:
        all_alive()
        Heartbeat.objects.filter(queue="files").delete()
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["worker"]["queues_without_worker"] == ["files"]
        # Pages can be shown all the same.
        assert client.get("/healthz").status_code == 200

    def test_pending_migrations_are_told_as_that(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        all_alive()
        monkeypatch.setattr(health, "pending_migrations", lambda: ["writes.0001_a"])
        response = client.get("/readyz")
        assert response.status_code == 503
        told = {"version": VERSION, "database": PENDING.name, "migrations_pending": 1}
        assert response.json() == told

    def test_no_database_is_503(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def unreachable() -> None:
            raise OperationalError

        monkeypatch.setattr(health, "background", unreachable)
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["database"] == "unreachable"


class TestProbesByAddress:
    """A supervisor knows the address of a machine alone."""

    PAGES = ("/livez", "/healthz", "/readyz")

    @pytest.fixture(autouse=True)
    def _as_installed(self, settings: Any) -> None:
        all_alive()
        settings.ALLOWED_HOSTS = ["console.example.com"]
        settings.SECURE_SSL_REDIRECT = True

    @pytest.mark.parametrize("page", PAGES)
    @pytest.mark.parametrize(
        "host", ["10.0.0.7", "10.0.0.7:8000", "[2001:db8::7]:8000", "[::1]"]
    )
    def test_the_health_pages_answer_to_it(
        self, client: Client, page: str, host: str
    ) -> None:
        assert client.get(page, headers={"host": host}).status_code == 200

    @pytest.mark.parametrize("page", [*PAGES, "/login/"])
    @pytest.mark.parametrize(
        "host", ["evil.example", "10.0.0.7.evil.example", "10.0.0.7@evil.example", ""]
    )
    def test_another_name_is_refused_everywhere(
        self, client: Client, page: str, host: str
    ) -> None:
        assert client.get(page, headers={"host": host}).status_code == 400

    @pytest.mark.parametrize("page", ["/login/", "/", "/metrics", "/livez/x"])
    def test_no_other_page_answers_to_it(self, client: Client, page: str) -> None:
        assert client.get(page, headers={"host": "10.0.0.7"}).status_code == 400

    def test_the_name_of_the_console_is_answered_over_plain_http(
        self, client: Client
    ) -> None:
        for page in self.PAGES:
            response = client.get(page, headers={"host": "console.example.com"})
            assert response.status_code == 200

    def test_nothing_is_stored_by_it(self, client: Client) -> None:
        assert client.post("/livez", headers={"host": "10.0.0.7"}).status_code == 405
