"""manage.py worker: it stops in time, and comes back by itself."""

import os
import signal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from console.models import Heartbeat, Project
from console.runtime import db_clock
from operations.models import Operation
from tests.machines.installation import LONGEST_WAIT, Installation, wait_until
from tests.writes.making import confirm, fault_integration, make_draft
from writes.actions import begin_job
from writes.models import FileJob

pytestmark = pytest.mark.django_db(transaction=True)

CSV = b"external_id__c,Name,StageName,CloseDate\na-1,One,New,2024-01-01\n"
# It is written, and no answer ever comes.
SILENT: dict[str, Any] = {
    "object_name": "fault_timeout_after__c",
    "record": {"Name": "Quiet"},
}
State = Operation.State


def alive(queue: str) -> bool:
    """Tell whether a worker of `queue` was seen."""
    return Heartbeat.objects.alive().filter(queue=queue).exists()


def state_of(operation: Operation) -> str:
    operation.refresh_from_db()
    return operation.state


def test_a_worker_says_that_it_is_alive_and_ends_at_once_when_idle(
    installation: Installation,
) -> None:
    worker = installation.worker("watching")
    wait_until(lambda: alive("watching"))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LONGEST_WAIT) == 0
    beat = Heartbeat.objects.get()
    assert beat.process == f"worker watching on {beat.host}, process {worker.pid}"


def test_a_worker_that_is_told_to_stop_finishes_what_runs_and_takes_nothing_new(
    installation: Installation, project: Project, olga: User
) -> None:
    silent = fault_integration(project, "timeout_after")
    first = confirm(make_draft(silent, olga, **SILENT), olga)
    other = {**SILENT, "record": {"Name": "Another"}}
    second = confirm(make_draft(silent, olga, **other), olga)
    worker = installation.worker("sending", "--grace", str(LONGEST_WAIT))
    wait_until(lambda: len(installation.received()) == 1)
    worker.send_signal(signal.SIGTERM)
    # With it goes the connection on which the worker waits for an answer.
    assert installation.ampersand
    installation.ampersand.kill()
    assert worker.wait(LONGEST_WAIT) == 0
    assert state_of(first) == State.UNKNOWN
    assert "told to stop" not in first.reason
    assert state_of(second) == State.WAITING
    assert second.attempts == 0


def test_a_send_without_an_answer_is_called_unknown_when_time_is_up(
    installation: Installation, project: Project, olga: User
) -> None:
    silent = fault_integration(project, "timeout_after")
    draft = make_draft(silent, olga, **SILENT)
    operation = confirm(draft, olga)
    worker = installation.worker("sending", "--grace", "0.5")
    wait_until(lambda: len(installation.received()) == 1)
    worker.send_signal(signal.SIGTERM)
    # A second signal changes nothing.
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LONGEST_WAIT) == 0
    assert state_of(operation) == State.UNKNOWN
    assert "told to stop while it waited for the answer" in operation.reason
    assert operation.due_at is None


def test_work_on_a_file_is_handed_back_when_time_is_up(
    installation: Installation, project: Project, olga: User
) -> None:
    write = make_draft(
        project.integrations.get(),
        olga,
        object_name="opportunity",
        primary_key="external_id__c",
        csv=CSV,
    )
    original = write.path_of("original")
    original.unlink()
    # Whoever opens it waits for somebody to write to it.
    os.mkfifo(original)
    job = begin_job.begin(write, FileJob.Kind.CHECK, size=begin_job.SMALL + 1)
    stopped = installation.worker("files", "--grace", "0")
    wait_until(lambda: FileJob.objects.filter(pk=job.pk, step="Reading").exists())
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(LONGEST_WAIT) == 0
    job.refresh_from_db()
    assert (job.state, job.attempts) == (FileJob.State.WAITING, 0)
    assert job.due_at <= db_clock.now()

    original.unlink()
    original.write_bytes(CSV)
    installation.worker("files")
    call_command("clock", once=True)
    done = FileJob.objects.filter(pk=job.pk, state=FileJob.State.DONE)
    wait_until(done.exists)


def test_another_task_engine_has_a_worker_of_its_own(
    installation: Installation,
) -> None:
    installation.variables["TASKS_BACKEND"] = "django.tasks.backends.dummy.DummyBackend"
    assert installation.worker("files").wait(LONGEST_WAIT) == 1
    assert "has a worker of its own" in installation.log()
