"""Machines whose clocks are half a minute apart do not take each other for dead."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from ampersand import Client
from console import clients
from console.models import Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import make_user
from tests.writes.making import confirm, make_draft
from writes.actions import begin_job
from writes.models import FileJob, Write
from writes.worker import run_job, send

HALF_A_MINUTE = timedelta(seconds=30)
TWO_THIRDS = FileJob.LEASE * 2 / 3

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]

apart = pytest.mark.parametrize(
    ("works", "looks"),
    [(-HALF_A_MINUTE, timedelta()), (timedelta(), HALF_A_MINUTE)],
    ids=["who works is behind", "who looks is ahead"],
)


@contextmanager
def on_a_machine(ahead: timedelta) -> Iterator[None]:
    """Run the block on a machine whose clock is wrong by `ahead`."""
    really = timezone.now

    def wrong() -> datetime:
        return really() + ahead

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", wrong)
        yield


@pytest.fixture
def olga(db: None) -> User:
    """An operator."""
    return make_user("olga")


@apart
def test_a_live_send_is_not_called_unknown(
    works: timedelta,
    looks: timedelta,
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[str] = []

    class Meanwhile(httpx.WSGITransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            with on_a_machine(looks - works):
                call_command("clock", once=True)
            states.append(Operation.objects.get().state)
            return super().handle_request(request)

    transport = Meanwhile(app=sandbox)
    monkeypatch.setattr(clients, "Client", partial(Client, transport=transport))
    operation = confirm(make_draft(integration, olga), olga)
    with on_a_machine(works):
        send.send(operation.pk)
    operation.refresh_from_db()
    assert states == [Operation.State.SENDING]
    assert operation.state == Operation.State.SUCCEEDED


@apart
def test_live_work_on_a_file_is_not_begun_again(
    works: timedelta,
    looks: timedelta,
    integration: Integration,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[str] = []

    def work(write: Write, progress: Any) -> None:
        # Two thirds of the lease are over.
        FileJob.objects.update(due_at=FileJob.objects.get().due_at - TWO_THIRDS)
        with on_a_machine(looks - works):
            call_command("clock", once=True)
        states.append(FileJob.objects.get().state)

    monkeypatch.setitem(run_job._WORK, FileJob.Kind.CHECK, work)
    write = make_draft(integration, olga)
    job = begin_job.begin(write, FileJob.Kind.CHECK, size=0, wait=False)
    with on_a_machine(works):
        run_job.run(job.pk)
    assert states == [FileJob.State.RUNNING]
