"""Linking a request whose outcome is unknown to the operation that it became."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client as Browser
from django.utils import timezone

from console.connections.installations import fetch_groups
from console.models import AuditEvent, Group, Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor
from tests.writes.making import plan_fault, received
from tests.writes.test_runs import calls, people, run
from tests.writes.test_runs import project as project  # noqa: PLC0414 - a fixture
from writes.models import Call
from writes.worker import record_call, run_calls, watch_calls

State = Operation.State

pytestmark = [pytest.mark.hostile, pytest.mark.django_db]


@pytest.fixture
def unknown(sandbox: Sandbox, project: Project, olga: User) -> Operation:
    """A run of three requests whose second was carried out and had no answer."""
    fetch_groups(project.integrations.get(), actor(olga))
    plan_fault(sandbox, 2, "timeout_after")
    return run(project, olga, people(250))


def address(operation: Operation, what: str, number: int = 2) -> str:
    return f"/writes/{operation.batch.write_id}/requests/{number}/{what}/"


def found(browser: Browser, operation: Operation) -> list[Any]:
    page = browser.post(address(operation, "operations"))
    assert page.status_code == 200
    return list(page.context["found"].candidates)


def watch() -> None:
    """Ask about all accepted requests, as a worker does."""
    now = timezone.now()
    Call.objects.accepted().update(due_at=now)
    watch_calls.watch([each.pk for each in Call.objects.accepted()], now)


def test_the_operation_that_fits_is_proposed_and_tells_the_rows(
    browser: Browser, sandbox: Sandbox, unknown: Operation
) -> None:
    assert unknown.state == State.UNKNOWN
    (one,) = found(browser, unknown)
    assert (one.fits, one.remote.object_name) == (True, "contact")
    browser.post(address(unknown, "link"), {"operation": one.remote.id})
    linked = Call.objects.get(number=2)
    assert (linked.state, linked.remote_id) == (Call.State.ACCEPTED, one.remote.id)
    event = AuditEvent.objects.filter(action="call.linked").get()
    assert event.detail["operation"] == unknown.pk
    watch()
    assert calls(unknown)[1] == ("Answered", 100, 0)
    run_calls.run(unknown.pk)
    ended = Operation.objects.get(pk=unknown.pk)
    assert (ended.state, ended.rows_succeeded) == (State.SUCCEEDED, 250)
    assert len(received(sandbox)) == 3


@pytest.mark.parametrize("minutes", [-30, 5])
def test_what_began_at_another_time_is_not_proposed(
    browser: Browser, unknown: Operation, minutes: int
) -> None:
    sent_at = F("sent_at") + timedelta(minutes=minutes)
    Call.objects.filter(number=2).update(sent_at=sent_at)
    assert found(browser, unknown) == []


def test_an_operation_of_another_request_is_not_taken(
    browser: Browser, unknown: Operation
) -> None:
    known = Call.objects.get(number=1).remote_id
    assert known not in [each.remote.id for each in found(browser, unknown)]
    for remote_id in (known, "", "x" * 65, "a\x00b"):
        browser.post(address(unknown, "link"), {"operation": remote_id})
        assert Call.objects.get(number=2).state == Call.State.UNKNOWN


def test_of_two_requests_one_is_linked_to_an_operation(
    browser: Browser, unknown: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Call.objects.get(number=1).remote_id
    # As if the other one was linked after it was asked whose the operation is.
    monkeypatch.setattr(record_call, "is_of_another", lambda *args: False)
    answer = browser.post(address(unknown, "link"), {"operation": known})
    assert answer.status_code == 302
    assert Call.objects.get(number=2).state == Call.State.UNKNOWN


def test_what_is_known_in_part_is_not_linked(
    browser: Browser, unknown: Operation
) -> None:
    (one,) = found(browser, unknown)
    Call.objects.filter(number=2).update(succeeded=99)
    browser.post(address(unknown, "link"), {"operation": one.remote.id})
    assert Call.objects.get(number=2).state == Call.State.UNKNOWN


def test_two_unknown_requests_fit_no_operation_alone(
    browser: Browser, unknown: Operation
) -> None:
    Call.objects.filter(number=3).update(
        state=Call.State.UNKNOWN, sent_at=timezone.now()
    )
    (one,) = found(browser, unknown)
    assert one.fits is False


def test_without_an_installation_it_says_what_to_do(
    browser: Browser, unknown: Operation
) -> None:
    Group.objects.update(installation_id="")
    page = browser.post(address(unknown, "operations"))
    assert page.status_code == 302
    assert Call.objects.get(number=2).state == Call.State.UNKNOWN


def test_nobody_asks_for_what_is_known(browser: Browser, unknown: Operation) -> None:
    assert browser.post(address(unknown, "operations", 1)).status_code == 302
