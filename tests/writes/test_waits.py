"""How far a write is that goes on, and what its rest waits for."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client as Browser
from django.utils import timezone

from console.freeze import freeze
from console.models import EnvironmentControl, Project
from operations.models import Gate, Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.conftest import actor
from tests.texts import numbers
from tests.writes.making import confirm, plan_fault
from tests.writes.test_runs import draft, people, run
from tests.writes.test_runs import project as project  # noqa: PLC0414 - a fixture
from writes.display.run import run_progress
from writes.display.waits import waits_for
from writes.models import Batch, Call, Write

pytestmark = pytest.mark.django_db


@pytest.fixture
def going(sandbox: Sandbox, project: Project, olga: User) -> Write:
    """A run of three requests; Ampersand took the first and then asked to wait."""
    plan_fault(sandbox, 2, "429")
    write: Write = run(project, olga, people(250)).batch.write
    return write


def control_of(write: Write) -> EnvironmentControl:
    return EnvironmentControl.objects.of(write.project.environment)


def said(write: Write) -> str:
    return waits_for(write, control_of(write), timezone.now())


def clock(moment: object) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S")  # type: ignore[arg-type]


def test_its_page_says_until_when_ampersand_asked_to_wait(
    going: Write, browser: Browser
) -> None:
    until = timezone.now() + timedelta(minutes=10)
    Gate.objects.update(writes_closed_until=until)
    shown = Shown(browser.get(f"/writes/{going.pk}/requests/"))
    assert clock(until) in shown.texts["waits"]


def test_an_ampersand_that_does_not_answer_comes_before_what_it_asked_for(
    going: Write,
) -> None:
    now = timezone.now()
    try_at, until = now + timedelta(seconds=30), now + timedelta(minutes=9)
    Gate.objects.update(opened_at=now, try_at=try_at, writes_closed_until=until)
    assert clock(try_at) in said(going)
    assert clock(until) not in said(going)


def test_a_request_that_is_tried_once_more_says_when(going: Write) -> None:
    Gate.objects.update(writes_closed_until=None)
    due_at = timezone.now() + timedelta(minutes=2)
    Call.objects.filter(number=2).update(due_at=due_at)
    Batch.objects.update(calls_due_at=due_at)
    assert clock(due_at) in said(going)


def test_other_writes_of_the_project_are_counted_once_each(
    going: Write, project: Project, olga: User
) -> None:
    Gate.objects.update(writes_closed_until=None)
    Batch.objects.update(calls_due_at=timezone.now())
    assert said(going) == ""
    for rows in (120, 130):
        confirm(draft(project, olga, people(rows)), olga)
    assert numbers(said(going)) == [2]


def test_of_a_frozen_environment_nothing_else_matters(
    going: Write, browser: Browser, olga: User
) -> None:
    Gate.objects.update(writes_closed_until=timezone.now() + timedelta(minutes=9))
    freeze(control_of(going), actor(olga), reason="Wrong prices")
    shown = Shown(browser.get(f"/writes/{going.pk}/requests/"))
    assert numbers(shown.texts["waits"]) == []


def test_what_was_paused_waits_for_a_person_alone(
    going: Write, browser: Browser
) -> None:
    browser.post(f"/writes/{going.pk}/pause/")
    assert "waits" not in Shown(browser.get(f"/writes/{going.pk}/requests/")).ids


def test_the_pace_is_that_of_the_last_requests_until_now(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    run(project, olga, people(1_000))
    batch = Batch.objects.select_related("operation").get()
    now = timezone.now()
    Call.objects.update(sent_at=now - timedelta(hours=1))
    Call.objects.filter(number__gt=8).update(state=Call.State.PLANNED, sent_at=None)
    Call.objects.filter(number__lte=8).update(sent_at=now - timedelta(seconds=80))
    Operation.objects.update(rows_succeeded=F("rows_succeeded") - 200)
    Batch.objects.update(calls_over=8)
    batch = Batch.objects.select_related("operation").get()
    progress = run_progress(batch, now)
    assert (progress.told, progress.rows_per_second) == (800, 10.0)
    assert progress.left == timedelta(seconds=20)
