"""Writes that the console held: resumed together where none can have left."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client as Browser

from console import freeze
from console.access.roles import Role
from console.health import pulse
from console.models import AuditEvent, EnvironmentControl, Integration, Project, Pulse
from console.runtime import db_clock
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown, levels
from tests.audit_watch import Watch
from tests.conftest import actor, make_project, make_user
from tests.writes.making import confirm, make_draft, received, work_off
from writes.actions.hold_restored import hold_restored
from writes.actions.pause import pause, resume
from writes.models import Write
from writes.views import held as view
from writes.worker import send
from writes.worker.hold import hold_for_a_person

PAGE = "/writes/held/"
State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def write(integration: Integration, olga: User) -> Callable[..., Operation]:
    """A function that confirms another create."""
    count = iter(range(1000))

    def make(at: Integration = integration, by: User = olga) -> Operation:
        record = {"LastName": f"Berg {next(count)}"}
        return confirm(make_draft(at, by, record=record), by)

    return make


@pytest.fixture
def held(write: Callable[..., Operation], sandbox: Sandbox) -> list[Operation]:
    """Two that something here keeps from leaving, and one that olga paused."""
    operations = [write(), write(), write()]
    for operation in operations[:2]:
        hold_for_a_person(operation, "The file is not there.")
    pause(operations[2].batch.write, make_actor())
    return operations


def make_actor() -> Any:
    return actor(User.objects.get(username="olga"))


def numbers_of(operations: list[Operation]) -> list[int]:
    return [operation.batch.write_id for operation in operations]


def post(browser: Browser, operations: list[Operation], **more: str) -> Any:
    return browser.post(PAGE, {"write": numbers_of(operations), **more})


def states(operations: list[Operation]) -> list[str]:
    return [Operation.objects.get(pk=each.pk).state for each in operations]


def test_they_are_asked_about_and_then_go(
    held: list[Operation], browser: Browser, sandbox: Sandbox
) -> None:
    first, second, third = held
    page = browser.get(PAGE)
    assert [each.pk for each in page.context["safe"]] == numbers_of([first, second])
    asked = post(browser, [first, second])
    assert states(held) == [State.HELD] * 3
    assert Shown(asked).data["goes"] == list(map(str, numbers_of([first, second])))
    assert "confirm" in Shown(asked).ids
    answer = post(browser, [first, second], confirmed="1")
    assert "done" in Shown(answer).ids
    assert states(held) == [State.WAITING, State.WAITING, State.HELD]
    events = AuditEvent.objects.filter(action="write.resumed").order_by("pk")
    assert [event.detail["write"] for event in events] == numbers_of([first, second])
    assert {event.actor_name for event in events} == {"olga"}
    work_off()
    assert len(received(sandbox)) == 2
    # Pressed once more nothing is sent once more.
    assert post(browser, [first, second], confirmed="1").status_code == 302
    work_off()
    assert len(received(sandbox)) == 2
    assert events.count() == 2


def test_what_may_have_left_is_decided_alone(
    write: Callable[..., Operation], browser: Browser, sandbox: Sandbox
) -> None:
    doubtful, safe = write(), write()
    hold_for_a_person(safe, "The file is not there.")
    pulse_now()
    long_ago()
    assert hold_restored(db_clock.now()) == 1
    later = write()
    hold_for_a_person(later, "The file is not there.")
    page = browser.get(PAGE)
    # What was on hold before may have been resumed since.
    assert set(Shown(page).data["doubtful"]) == set(
        map(str, numbers_of([doubtful, safe]))
    )
    assert [each.pk for each in page.context["safe"]] == numbers_of([later])
    answer = post(browser, [doubtful, safe, later], confirmed="1")
    assert states([doubtful, safe, later]) == [State.HELD, State.HELD, State.WAITING]
    assert len(Shown(answer).data["stays"]) == 2
    work_off()
    assert len(received(sandbox)) == 1
    assert 'id="held-writes"' in browser.get("/").text
    # Its own page resumes it, as ever.
    browser.post(f"/writes/{doubtful.batch.write_id}/resume/")
    work_off()
    assert len(received(sandbox)) == 2


def pulse_now() -> None:
    pulse.beat(db_clock.now())
    pulse.beat(db_clock.now())


def long_ago() -> None:
    Pulse.objects.update(at=F("at") - Pulse.GAP - timedelta(seconds=1))


def test_what_is_marked_after_the_question_stays(
    held: list[Operation], browser: Browser
) -> None:
    first, second, third = held
    post(browser, held)
    Operation.objects.filter(pk=first.pk).update(may_have_left=True)
    resume(Write.objects.get(pk=second.batch.write_id), make_actor())
    answer = post(browser, held, confirmed="1")
    assert states(held) == [State.HELD, State.WAITING, State.HELD]
    assert Shown(answer).data["stays"] == [str(first.batch.write_id)]
    assert AuditEvent.objects.filter(action="write.resumed").count() == 1


def test_what_is_paused_by_a_person_between_is_theirs(
    held: list[Operation], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = held[0]
    done = view.resume_held

    def paused_meanwhile(write: Write, by: Any) -> str:
        with Watch.off():
            Write.objects.filter(pk=write.pk).update(paused_by_name="tom")
        return done(write, by)

    monkeypatch.setattr(view, "resume_held", paused_meanwhile)
    answer = post(browser, [first], confirmed="1")
    assert states([first]) == [State.HELD]
    assert len(Shown(answer).data["stays"]) == 1


@pytest.mark.parametrize("ticked", [[], ["x"], ["0"], ["99999999999999999999"]])
def test_nothing_ticked_changes_nothing(
    ticked: list[str], held: list[Operation], browser: Browser
) -> None:
    answer = browser.post(PAGE, {"write": ticked, "confirmed": "1"}, follow=True)
    assert levels(answer) == ["warning"]
    assert states(held) == [State.HELD] * 3


def test_a_role_counts_where_a_write_goes(
    write: Callable[..., Operation], sandbox: Sandbox, olga: User
) -> None:
    there = make_project("Other", environment="production").integrations.get()
    ada = make_user("ada", Role.ADMIN)
    other, own = write(there, ada), write()
    for operation in (other, own):
        hold_for_a_person(operation, "The file is not there.")
    tom = make_user("tom", sandbox=Role.OPERATOR, production=Role.VIEWER)
    browser = Browser()
    browser.force_login(tom)
    assert [each.pk for each in browser.get(PAGE).context["safe"]] == numbers_of([own])
    post(browser, [other, own], confirmed="1")
    assert states([other, own]) == [State.HELD, State.WAITING]


def test_production_asks_who_that_is(
    write: Callable[..., Operation], sandbox: Sandbox, settings: Any
) -> None:
    settings.IDENTITY_CHECK_FOR = ["production"]
    there = make_project("Other", environment="production").integrations.get()
    ada = make_user("ada", Role.ADMIN)
    operation = write(there, ada)
    hold_for_a_person(operation, "The file is not there.")
    browser = Browser()
    browser.force_login(ada)
    settings.IDENTITY_CHECK_MINUTES = 0
    answer = post(browser, [operation], confirmed="1")
    assert answer["Location"].startswith("/account/check/")
    assert states([operation]) == [State.HELD]


def test_a_frozen_environment_is_told_and_holds(
    held: list[Operation], browser: Browser, sandbox: Sandbox, project: Project
) -> None:
    control = EnvironmentControl.objects.of(project.environment)
    freeze.freeze(control, make_actor(), reason="Wrong file")
    asked = post(browser, held[:1])
    assert [each.pk for each in asked.context["frozen_there"]] == [control.pk]
    post(browser, held[:1], confirmed="1")
    send.send(held[0].pk)
    assert states(held[:1]) == [State.WAITING]
    assert received(sandbox) == []


def test_what_was_cancelled_is_not_listed(
    held: list[Operation], browser: Browser
) -> None:
    assert Operation.objects.get(pk=held[0].pk).cancel(by="olga")
    safe = browser.get(PAGE).context["safe"]
    assert [each.pk for each in safe] == numbers_of(held[1:2])


def test_without_any_it_says_so(browser: Browser) -> None:
    assert "data-empty" in browser.get(PAGE).text
