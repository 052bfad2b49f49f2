"""Ampersand takes no more: everything of its project waits, and nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client as Browser
from django.utils import timezone

from console.models import Integration, Project
from operations.display.waiting import waiting_of
from operations.limits import rate_limit
from operations.models import Gate, Operation
from operations.worker.watch import watch
from sandbox.app import Sandbox
from tests.conftest import move_projects
from tests.hosts import EveryHost
from tests.texts import numbers
from tests.writes.making import (
    confirm,
    fault_integration,
    make_draft,
    received,
    records,
    states,
)
from writes.actions import release_parts
from writes.models import Batch
from writes.worker import send as sending

State = Operation.State

pytestmark = pytest.mark.django_db


def time_passes(**parts: float) -> None:
    """Let everything that is kept have happened so much earlier."""
    ago = timedelta(**parts)
    Operation.objects.update(
        due_at=F("due_at") - ago, waiting_since=F("waiting_since") - ago
    )
    Gate.objects.update(writes_closed_until=F("writes_closed_until") - ago)


def faulty_write(project: Project, olga: User, fault: str, **values: Any) -> Operation:
    integration = fault_integration(project, fault)
    given: dict[str, Any] = {"record": {"Name": "A"}, **values}
    write = make_draft(integration, olga, object_name=f"fault_{fault}__c", **given)
    return confirm(write, olga)


def send(operation: Operation) -> None:
    sending.send(operation.pk)
    operation.refresh_from_db()


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (
            "busy",
            "429",
            "Ampersand is rate limiting requests (429); nothing was written.",
        ),
        ("locked", "423", "Ampersand asks to try again later; nothing was written."),
    ],
)
def test_it_waits_as_long_as_it_is_asked_to_and_then_is_written_once(
    fault: str, status: str, words: str, sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = faulty_write(project, olga, fault)
    for attempt in (1, 2):
        before = timezone.now()
        send(operation)
        assert operation.state == State.WAITING
        assert (operation.attempts, operation.remote_status) == (attempt, status)
        assert operation.sent_at is None
        assert operation.reason.startswith(words)
        assert operation.due_at is not None
        assert before < operation.due_at <= timezone.now() + timedelta(seconds=2)
        time_passes(seconds=3)
    send(operation)
    assert operation.state == State.SUCCEEDED
    assert (operation.reason, operation.remote_status) == ("", "")
    assert len(received(sandbox)) == 3
    assert len(records(sandbox, f"fault_{fault}__c")) == 1


def test_the_page_says_that_nothing_was_written_and_when_it_is_tried_again(
    sandbox: Sandbox, project: Project, olga: User, browser: Browser
) -> None:
    operation = faulty_write(project, olga, "locked")
    send(operation)
    answer = browser.get(operation.get_absolute_url())
    page = answer.content.decode()
    assert (operation.state, operation.sent_at) == (State.WAITING, None)
    assert operation.reason.rstrip(".") in answer.context["sentence"].why
    # What Ampersand said of it.
    assert "The record is locked by another job" in page
    assert operation.due_at is not None
    assert f"{timezone.localtime(operation.due_at):%H:%M:%S}" in page


def test_everything_else_of_the_project_waits_too(
    sandbox: Sandbox, project: Project, integration: Integration, olga: User
) -> None:
    other = confirm(make_draft(integration, olga), olga)
    send(faulty_write(project, olga, "429"))
    # However slow the machine is: two seconds may have passed.
    time_passes(minutes=-5)
    send(other)
    assert other.state == State.WAITING
    assert other.attempts == 0
    assert other.reason.rstrip(".") == Gate.objects.get().writes_closed_why
    assert len(received(sandbox)) == 1
    time_passes(minutes=6)
    send(other)
    assert other.state == State.SUCCEEDED


def test_without_a_time_it_waits_5_15_and_then_60_seconds(
    sandbox: Sandbox, project: Project, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "wait_asked_for", lambda asked, now: None)
    operation = faulty_write(project, olga, "429")
    for seconds in (5, 15, 60, 60):
        before = timezone.now()
        send(operation)
        assert operation.due_at is not None
        assert timedelta(seconds=seconds) <= operation.due_at - before
        assert operation.due_at < timezone.now() + timedelta(seconds=seconds + 5)
        time_passes(seconds=seconds + 1)


def test_after_an_hour_it_is_rejected_with_the_last_answer(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = faulty_write(project, olga, "429")
    send(operation)
    said = operation.reason
    time_passes(hours=1, seconds=1)
    send(operation)
    assert operation.state == State.REJECTED
    assert operation.remote_status == "429"
    assert operation.answer["status"] == 429
    assert said
    assert operation.reason.startswith(said)
    assert (operation.rows_succeeded, operation.rows_failed) == (0, 1)
    assert len(received(sandbox)) == 1


@pytest.mark.parametrize("fault", ["401", "403", "404"])
def test_a_refusal_that_does_not_ask_to_come_back_is_final(
    fault: str, sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = faulty_write(project, olga, fault)
    send(operation)
    assert operation.state == State.REJECTED
    assert not Gate.objects.exclude(writes_closed_until=None).exists()


def test_called_unknown_meanwhile_it_is_not_sent_again(
    sandbox: Sandbox, project: Project, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = faulty_write(project, olga, "busy")
    close = rate_limit.close_writes

    def late(*given: Any) -> None:
        sending.recover_overdue(timezone.now() + timedelta(days=1))
        close(*given)

    monkeypatch.setattr(rate_limit, "close_writes", late)
    send(operation)
    assert operation.state == State.REJECTED
    time_passes(minutes=5)
    send(operation)
    assert len(received(sandbox)) == 1


@pytest.mark.usefixtures("small_parts")
def test_the_first_the_middle_and_the_last_part_wait_and_every_row_arrives_once(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    rows = "".join(f"a-{number},Row number {number}\n" for number in (1, 2, 3))
    write = make_draft(
        fault_integration(project, "busy"),
        olga,
        object_name="fault_busy__c",
        csv=f"external_id__c,Name\n{rows}".encode(),
        primary_key="external_id__c",
    )
    confirm(write, olga)
    for number in (1, 2, 3):
        before, after = ["succeeded"] * (number - 1), ["held"] * (3 - number)
        operation = write.batches.get(number=number).operation
        for _ in range(2):
            send(operation)
            assert states(write) == [*before, "waiting", *after]
            time_passes(seconds=3)
        send(operation)
        assert operation.due_at is not None
        watch([operation.pk], operation.due_at)
        release_parts.release_held(timezone.now())
    assert states(write) == ["succeeded"] * 3
    assert len(received(sandbox)) == 9
    assert len(records(sandbox, "fault_busy__c")) == 3


def refused_and_due(operation: Operation) -> None:
    """Send what is refused, and let the time pass that Ampersand asked for."""
    send(operation)
    time_passes(seconds=2)


def gate_is_closed() -> bool:
    closed = Gate.objects.get().writes_closed_until
    return closed is not None and closed > timezone.now()


class TestAlone:
    """A write that is refused again and again does not hold up what is taken."""

    def test_it_waits_alone_once_others_were_taken(
        self, sandbox: Sandbox, project: Project, integration: Integration, olga: User
    ) -> None:
        refused = faulty_write(project, olga, "429")
        refused_and_due(refused)
        taken = confirm(make_draft(integration, olga), olga)
        send(taken)
        assert taken.state == State.SUCCEEDED
        send(refused)
        assert (refused.state, refused.refusals) == (State.WAITING, 2)
        assert not gate_is_closed()
        other = confirm(make_draft(integration, olga), olga, repeat_reason="Once more")
        send(other)
        assert other.state == State.SUCCEEDED

    def test_while_none_is_taken_each_refusal_holds_up_all(
        self, sandbox: Sandbox, project: Project, olga: User
    ) -> None:
        refused = faulty_write(project, olga, "429")
        for _ in range(3):
            send(refused)
            assert gate_is_closed()
            time_passes(minutes=2)

    def test_what_was_taken_before_the_first_refusal_proves_nothing(
        self, sandbox: Sandbox, project: Project, integration: Integration, olga: User
    ) -> None:
        send(confirm(make_draft(integration, olga), olga))
        send(faulty_write(project, olga, "429"))
        assert gate_is_closed()

    def test_another_that_is_refused_for_the_first_time_holds_up_all(
        self, sandbox: Sandbox, project: Project, integration: Integration, olga: User
    ) -> None:
        refused_and_due(faulty_write(project, olga, "429"))
        send(confirm(make_draft(integration, olga), olga))
        send(faulty_write(project, olga, "429", record={"Name": "B"}))
        assert gate_is_closed()

    def test_it_comes_after_the_others_and_the_later_the_oftener_it_was_refused(
        self, sandbox: Sandbox, project: Project, olga: User
    ) -> None:
        refused = faulty_write(project, olga, "429")
        behind = []
        for _ in range(6):
            send(refused)
            assert refused.due_at
            closed = Gate.objects.get().writes_closed_until
            assert closed
            behind.append(round((refused.due_at - closed).total_seconds()))
            time_passes(minutes=2)
        assert behind == sorted(behind)
        assert behind[0] > 0
        assert behind[-1] == behind[-2] <= 60


class TestCancelled:
    """What was refused and then cancelled was sent: no page says that it was not."""

    def test_the_message_and_the_page_tell_how_often_it_was_refused(
        self, sandbox: Sandbox, project: Project, olga: User, browser: Browser
    ) -> None:
        operation = faulty_write(project, olga, "429")
        for _ in range(3):
            send(operation)
            time_passes(minutes=2)
        answer = browser.post(f"/operations/{operation.pk}/cancel/", follow=True)
        [message] = answer.context["messages"]
        assert numbers(str(message)) == [3, 429]
        assert numbers(answer.context["sentence"].what) == [3, 429]
        operation.refresh_from_db()
        assert operation.state == State.CANCELLED
        page = answer.content.decode()
        assert "before it was sent" not in page
        assert "had left" not in page

    def test_what_never_left_does_not_count_as_refused(
        self,
        project: Project,
        olga: User,
        integration: Integration,
        browser: Browser,
        settings: Any,
    ) -> None:
        settings.API_HOSTS = EveryHost()
        move_projects(write_url="http://127.0.0.1:1")
        integration = type(integration).objects.get()
        operation = confirm(make_draft(integration, olga), olga)
        Batch.objects.update(url="http://127.0.0.1:1/v1/x")
        send(operation)
        assert (operation.state, operation.refusals) == (State.WAITING, 0)
        answer = browser.post(f"/operations/{operation.pk}/cancel/", follow=True)
        [message] = answer.context["messages"]
        assert "refused" not in str(message)
        assert operation.attempts == 1


def test_the_page_of_what_waits_behind_a_refusal_says_until_when_and_why(
    sandbox: Sandbox,
    project: Project,
    integration: Integration,
    olga: User,
    browser: Browser,
) -> None:
    send(faulty_write(project, olga, "429"))
    gate = Gate.objects.get()
    assert gate.writes_closed_until
    later = confirm(make_draft(integration, olga), olga)
    waits = waiting_of(later)
    assert waits
    assert (waits.until, waits.before, waits.under_way) == (
        gate.writes_closed_until,
        1,
        0,
    )
    answer = browser.get(later.get_absolute_url())
    assert f"{timezone.localtime(later.due_at):%H:%M:%S}" in (
        answer.context["sentence"].why
    )
