"""Parts at the same time: the operator allows it, the gate paces, one may stop it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import AuditEvent, Integration, Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.texts import numbers
from tests.writes.making import (
    confirm,
    fault_integration,
    make_draft,
    received,
    records,
    states,
    work_off,
)
from writes.actions import release_parts
from writes.models import Write
from writes.worker import send

State = Operation.State

HEADER = b"external_id__c,LastName\n"
# One row fits into a part.
ROWS = [b"a-%d,Name %d\n" % (number, number) for number in range(1, 5)]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_parts")]


@pytest.fixture
def write(integration: Integration, olga: User, browser: Browser) -> Write:
    """A draft of four rows in four parts that may go at the same time."""
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    choose(browser, write, delivery="parts", is_parallel="on")
    return write


def choose(browser: Browser, write: Write, **values: str) -> None:
    browser.post(f"/writes/{write.pk}/deliver/", values)
    write.refresh_from_db()


def part(write: Write, number: int) -> Operation:
    return write.batches.get(number=number).operation


def put(write: Write, number: int, state: str, **values: Any) -> None:
    """Set a part to a state, as if that had become of it."""
    values = {"sent_at": timezone.now(), "due_at": None, **values}
    Operation.objects.filter(batch__write=write, batch__number=number).update(
        state=state, **values
    )


def hold_back() -> int:
    return release_parts.hold_back(timezone.now())


def release() -> int:
    return release_parts.release_held(timezone.now())


def test_it_is_a_choice_of_the_draft_that_makes_another_edition(
    integration: Integration, olga: User, browser: Browser
) -> None:
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="external_id__c")
    edition = write.edition
    shown = Shown(browser.get(f"/writes/{write.pk}/"))
    assert numbers(shown.texts["what-is-sent"]) == [4, 4]  # Rows and parts.
    choose(browser, write, delivery="parts", is_parallel="on")
    assert (write.is_parallel, write.edition) == (True, edition + 1)
    shown = Shown(browser.get(write.get_absolute_url()))
    at_once = write.project.max_at_once
    assert numbers(shown.texts["what-is-sent"]) == [4, 4, at_once]
    choose(browser, write, delivery="parts")
    assert not write.is_parallel


def test_once_confirmed_all_parts_wait_and_are_spread(
    write: Write, olga: User, django_capture_on_commit_callbacks: Any
) -> None:
    Project.objects.update(max_at_once=2, max_per_second=1)
    write = Write.objects.get(pk=write.pk)
    with django_capture_on_commit_callbacks() as nudges:
        confirm(write, olga)
    assert states(write) == ["waiting"] * 4
    assert len(nudges) == 2
    due = [part(write, number).due_at for number in (1, 2, 3, 4)]
    assert [(at - due[0]).total_seconds() for at in due if at and due[0]] == [
        0,
        1,
        2,
        3,
    ]
    event = AuditEvent.objects.get(action="write.confirmed")
    assert event.detail["parallel"] is True


def test_the_gate_paces_them_and_every_row_arrives_once(
    sandbox: Sandbox, write: Write, olga: User
) -> None:
    Project.objects.update(max_at_once=2)
    confirm(write, olga)
    for number in (1, 2):
        put(write, number, "sending", due_at=timezone.now())
    send.send(part(write, 3).pk)
    assert states(write) == ["sending", "sending", "waiting", "waiting"]
    assert received(sandbox) == []
    for number in (1, 2):
        put(write, number, "waiting", due_at=timezone.now(), sent_at=None)
    work_off()
    assert states(write) == ["succeeded"] * 4
    assert len(received(sandbox)) == len(records(sandbox, "contact")) == 4


BAD_ENDS = ["rejected", "unknown", "failed", "completed", "cancelled"]


@pytest.mark.parametrize("state", BAD_ENDS)
def test_a_part_that_does_not_end_well_holds_what_has_not_left(
    state: str, sandbox: Sandbox, write: Write, olga: User, browser: Browser
) -> None:
    confirm(write, olga)
    put(write, 1, "in_progress", remote_id="r-1", due_at=timezone.now())
    put(write, 2, state)
    # Even before the clock comes to it.
    send.send(part(write, 3).pk)
    assert received(sandbox) == []
    assert hold_back() == 2
    assert hold_back() == release() == 0
    assert states(write) == ["in_progress", state, "held", "held"]
    assert part(write, 3).reason
    answer = browser.get(f"/writes/{write.pk}/")
    # Part 2 holds 2 parts, and 1 part goes on: look at part 2.
    assert numbers(Shown(answer).texts["stopped"]) == [2, 2, 1, 2]
    assert f"/writes/{write.pk}/go-on/" in answer.text


@pytest.mark.parametrize("state", ["succeeded", "partly_failed", "in_progress"])
def test_no_other_part_holds_the_others(state: str, write: Write, olga: User) -> None:
    confirm(write, olga)
    put(write, 1, state, remote_id="r-1")
    assert hold_back() == 0
    assert states(write) == [state, "waiting", "waiting", "waiting"]


def test_a_person_sends_the_rest_and_the_next_bad_end_holds_it_again(
    sandbox: Sandbox, write: Write, olga: User, browser: Browser
) -> None:
    confirm(write, olga)
    put(write, 2, "failed")
    hold_back()
    for _ in range(2):
        browser.post(f"/writes/{write.pk}/go-on/")
    assert hold_back() == 0
    assert states(write) == ["waiting", "failed", "waiting", "waiting"]
    event = AuditEvent.objects.get(action="write.continued")
    assert (event.actor_name, numbers(event.subject)[-1]) == ("olga", 1)
    put(write, 1, "rejected")
    hold_back()
    assert states(write) == ["rejected", "failed", "held", "held"]
    browser.post(f"/writes/{write.pk}/cancel-rest/")
    assert states(write) == ["rejected", "failed", "cancelled", "cancelled"]


def test_a_late_answer_of_what_was_unknown_sets_the_others_going(
    write: Write, olga: User
) -> None:
    confirm(write, olga)
    put(write, 1, "unknown")
    hold_back()
    assert release() == 0
    put(write, 1, "succeeded")
    assert release() == 3
    assert states(write) == ["succeeded", "waiting", "waiting", "waiting"]
    assert part(write, 2).reason == ""


def test_rows_of_parallel_parts_come_home_when_all_have_ended(
    sandbox: Sandbox, project: Project, olga: User, browser: Browser
) -> None:
    rows = b"".join(b"a-%d,Row number %d\n" % (n, n) for n in (1, 2, 3))
    write = make_draft(
        fault_integration(project, "401"),
        olga,
        object_name="fault_401__c",
        csv=b"external_id__c,Name\n" + rows,
        primary_key="external_id__c",
    )
    choose(browser, write, delivery="parts", is_parallel="on")
    confirm(write, olga)
    send.send(part(write, 1).pk)
    hold_back()
    work_off()
    assert states(write) == ["rejected", "held", "held"]
    write.refresh_from_db()
    totals = write.rows_totals
    assert totals is not None
    assert (totals.failed, totals.not_sent) == (1, 2)
