"""/metrics: what a monitor reads, with a token of its own and nothing else."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from console import freeze
from console.access.roles import Role
from console.actor import SYSTEM
from console.models import EnvironmentControl, Heartbeat, Integration, Project
from console.runtime import db_clock
from operations.models import Gate, Operation
from tests.conftest import make_project, stored_operation
from tests.writes.making import make_draft
from writes.models import FileJob

TOKEN = "the-token-of-our-monitor"
SAMPLE = re.compile(r'(\w+)(?:\{((?:\w+="[^"\\\n]*",?)*)\})? (\S+)')

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _is_on(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    backend = "django_tasks_db.DatabaseBackend"
    queues = ["sending", "watching", "files"]
    settings.TASKS = {"default": {"BACKEND": backend, "QUEUES": queues}}


def ask(token: str = TOKEN, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return Browser().get("/metrics", headers=headers, **options)


def read() -> dict[str, float]:
    """Return each sample by its name and labels, read as the format has it."""
    response = ask()
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = response.content.decode().splitlines()
    found = {}
    for line in lines:
        if line.startswith("#"):
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        kind = "counter" if match[1].startswith("console_request") else "gauge"
        assert f"# TYPE {match[1]} {kind}" in lines
        found[line.rpartition(" ")[0]] = float(match[3])
    return found


def store(project: Project, state: str, **values: Any) -> Operation:
    """Store an operation in a state, with what the database wants of it."""
    now = timezone.now()
    if state == "waiting":
        values = {"due_at": now + timedelta(hours=1), **values}
    else:
        values = {"sent_at": now, "remote_id": str(uuid.uuid4()), **values}
    return stored_operation(project=project, action="create", state=state, **values)


class TestWhoMayRead:
    def test_only_the_token_opens_it(self, sign_in: Callable[..., Browser]) -> None:
        assert ask().status_code == 200
        for wrong in ("", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "tökén"):
            assert ask(wrong.encode().decode("latin-1")).status_code == 401
        # No role helps, and no session.
        response = sign_in(Role.ADMIN).get("/metrics")
        assert response.status_code == 401
        assert b"console_info" not in response.content

    def test_without_a_token_there_is_no_such_page(self, settings: Any) -> None:
        settings.METRICS_TOKEN = ""
        assert ask().status_code == 404
        assert ask("").status_code == 404

    def test_nothing_is_changed_by_it(self) -> None:
        with CaptureQueriesContext(
            connection,
        ) as told:
            ask()
        assert all(each["sql"].startswith("SELECT") for each in told)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert Browser().post("/metrics", headers=headers).status_code == 405


class TestFigures:
    def test_an_empty_console_has_all_of_them_at_nought(self, settings: Any) -> None:
        found = read()
        assert found['console_processes{kind="clock"}'] == 0
        assert found['console_tasks_waiting{queue="sending"}'] == 0
        state = 'environment="production",state="waiting"'
        assert found[f"console_operations_open{{{state}}}"] == 0
        assert found["console_polls_due"] == found["console_sends_due"] == 0
        assert found["console_breakers_open"] == 0
        kept = settings.KEEP_FREE_MIB * 2**20
        assert found["console_disk_kept_free_bytes"] == kept
        assert found["console_disk_free_bytes"] > 0

    def test_processes_and_tasks(self) -> None:
        now = db_clock.now()
        ages = {"c-1": ("", 7), "c-2": ("", 90), "w-1": ("files", 120)}
        for process, (queue, age) in ages.items():
            Heartbeat.objects.create(
                process=process, queue=queue, seen_at=now - timedelta(seconds=age)
            )
        for age in (10, 400):
            task = DBTaskResult.objects.create(
                queue_name="sending",
                task_path="writes.tasks.send_operation",
                backend_name="default",
                args_kwargs={"args": [1], "kwargs": {}},
            )
            moment = now - timedelta(seconds=age)
            DBTaskResult.objects.filter(pk=task.pk).update(enqueued_at=moment)
        found = read()
        assert found['console_processes{kind="clock"}'] == 1
        assert found['console_processes{kind="files"}'] == 0
        assert 7 <= found['console_process_seen_seconds{kind="clock"}'] < 90
        assert found['console_process_seen_seconds{kind="files"}'] >= 120
        assert 'console_process_seen_seconds{kind="sending"}' not in found
        assert found['console_tasks_waiting{queue="sending"}'] == 2
        assert found['console_tasks_oldest_seconds{queue="sending"}'] >= 400
        assert found['console_tasks_oldest_seconds{queue="files"}'] == 0

    def test_operations_by_environment_and_state(self, project: Project) -> None:
        live = make_project("Live", environment="production")
        long_ago = timezone.now() - timedelta(days=2)
        for place, state in (
            (project, "waiting"),
            (live, "in_progress"),
            (live, "unknown"),
            (live, "unknown"),
            (live, "succeeded"),
        ):
            store(place, state)
        store(live, "unknown", resolved_at=long_ago)
        old = store(live, "succeeded")
        type(old).objects.filter(pk=old.pk).update(created_at=long_ago)
        found = read()

        def value(name: str, environment: str, state: str = "") -> float:
            rest = f',state="{state}"' if state else ""
            return found[f'console_{name}{{environment="{environment}"{rest}}}']

        assert value("operations_open", "sandbox", "waiting") == 1
        assert value("operations_open", "production", "waiting") == 0
        assert value("operations_open", "production", "in_progress") == 1
        assert value("outcomes_unknown", "production") == 2
        assert value("outcomes_unknown", "test") == 0
        assert value("operations_last_hour", "production", "succeeded") == 1

    def test_requests_are_counted_by_status_and_time(self) -> None:
        before = read()
        for _ in range(2):
            assert ask("wrong").status_code == 401
        found = read()

        def more(name: str) -> float:
            return found[name] - before[name]

        # The page that told `before` was counted once it had told it.
        assert more('console_requests_total{status="4xx"}') == 2
        assert more('console_requests_total{status="2xx"}') == 1
        assert more('console_request_seconds_bucket{le="+Inf"}') == 3
        assert more("console_request_seconds_sum") >= 0
        steps = [n for name, n in found.items() if "request_seconds_bucket" in name]
        assert steps == sorted(steps)

    def test_how_soon_writes_are_answered(self, project: Project) -> None:
        now = timezone.now()
        for seconds in (0.05, 0.4, 7, 90):
            sent = now - timedelta(minutes=5)
            answered = sent + timedelta(seconds=seconds)
            store(project, "succeeded", sent_at=sent, answered_at=answered)
        store(project, "waiting")
        old = store(project, "succeeded", sent_at=now, answered_at=now)
        long_ago = now - timedelta(hours=2)
        Operation.objects.filter(pk=old.pk).update(created_at=long_ago)
        found = read()
        name = "console_send_seconds_last_hour_bucket"
        told = {le: found[f'{name}{{le="{le}"}}'] for le in ("0.1", "0.5", "10")}
        assert told == {"0.1": 1, "0.5": 2, "10": 3}
        assert found[f'{name}{{le="60"}}'] == 3
        assert found[f'{name}{{le="+Inf"}}'] == 4

    def test_what_is_late_stopped_or_frozen(self, project: Project) -> None:
        now = timezone.now()
        for state, age in (("waiting", 50), ("in_progress", 700), ("succeeded", 20)):
            store(project, state, due_at=now - timedelta(seconds=age))
        store(project, "waiting")
        frozen = make_project("Frozen", environment="test")
        store(frozen, "waiting", due_at=now - timedelta(seconds=9_000))
        opened_at = now - timedelta(seconds=300)
        Gate.objects.create(
            project=project, opened_at=opened_at, open_seconds=60, try_at=now
        )
        control = EnvironmentControl.objects.of("test")
        freeze.freeze(control, SYSTEM, reason="Wrong prices")
        found = read()
        assert found["console_sends_due"] == 1
        assert 50 <= found["console_sends_late_seconds"] < 9_000
        assert found["console_polls_due"] == 2
        assert found["console_polls_late_seconds"] >= 700
        assert found["console_breakers_open"] == 1
        assert found["console_breaker_open_seconds"] >= 300
        assert found['console_frozen{environment="test"}'] == 1
        assert found['console_frozen{environment="production"}'] == 0

    def test_file_jobs(self, integration: Integration, olga: User) -> None:
        write = make_draft(
            integration,
            olga,
            csv=b"external_id__c,LastName\na,b\n",
            primary_key="external_id__c",
        )
        FileJob.objects.create(write=write, kind="join", edition=write.edition)
        found = read()
        assert found['console_file_jobs{state="waiting"}'] == 1
        assert found['console_file_jobs{state="running"}'] == 0

    def test_another_task_engine_tells_of_its_tasks_itself(self, settings: Any) -> None:
        other = "django.tasks.backends.dummy.DummyBackend"
        settings.TASKS = {"default": {**settings.TASKS["default"], "BACKEND": other}}
        assert not [name for name in read() if name.startswith("console_tasks_")]


def test_labels_tell_nothing_of_customers(project: Project) -> None:
    """Names of projects, customers and people stand nowhere, nor what they wrote."""
    project.name = "Secret project"
    project.save()
    stored_operation(
        project=project,
        action="create",
        state="failed",
        object_name="secret_object",
        group_ref="secret-customer",
        started_by_name="secret-person",
        reason="secret reason",
    )
    assert "secret" not in ask().content.decode().casefold()


def test_the_number_of_queries_does_not_grow(project: Project) -> None:
    with CaptureQueriesContext(connection) as few:
        ask()
    for state in ("waiting", "unknown", "succeeded", "failed"):
        for _ in range(3):
            store(project, state)
    with CaptureQueriesContext(connection) as many:
        ask()
    assert len(many) == len(few) <= 16
