"""Requests of a run that Ampersand accepts and writes later."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone

from console.models import Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.writes.making import (
    call_sandbox,
    have_jobs_done,
    plan_fault,
    received,
    records,
)
from tests.writes.test_runs import calls, draft, people, run
from tests.writes.test_runs import project as project  # noqa: PLC0414 - a fixture
from writes import dispatch
from writes.actions import settle
from writes.models import Call, Write
from writes.worker import record_call, run_calls, watch_calls

State = Operation.State

pytestmark = pytest.mark.django_db

ACCEPTED, ANSWERED, PLANNED = "Accepted", "Answered", "Not sent yet"


def later(project: Project, user: User, csv: bytes, **values: Any) -> Operation:
    """Send the requests of a run that are to be written later."""
    return run(project, user, csv, **{"deadline_hours": 24, **values})


def update_of(sandbox: Sandbox) -> bytes:
    """Return a file that updates every contact of the sandbox."""
    ids = [each["Id"] for each in records(sandbox, "contact")]
    return "\n".join(["Id,FirstName", *(f"{each},new" for each in ids), ""]).encode()


def updating(project: Project, user: User, csv: bytes, **values: Any) -> Operation:
    return later(project, user, csv, action="update", primary_key="Id", **values)


def ask(operation: Operation) -> None:
    """Have a worker ask about all that was accepted, whether it is due or not."""
    now = timezone.now()
    Call.objects.accepted().update(due_at=now)
    accepted = Call.objects.accepted().filter(batch__operation=operation)
    watch_calls.watch(list(accepted.values_list("pk", flat=True)), now)
    operation.refresh_from_db()


def joined(operation: Operation) -> Write:
    """Join the rows of a run to their outcome, where that is due."""
    settle.join_told(timezone.now())
    have_jobs_done()
    return Write.objects.get(batches__operation=operation)


def fates(operation: Operation) -> tuple[int, int, int]:
    totals = joined(operation).rows_totals
    assert totals is not None
    return totals.succeeded, totals.failed, totals.unknown


def test_accepted_is_neither_written_nor_unknown(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = later(project, olga, people(250))
    assert calls(operation) == [(ACCEPTED, 0, 0)] * 3
    assert operation.state == State.IN_PROGRESS
    assert (operation.rows_succeeded, operation.rows_failed) == (0, 0)
    assert not joined(operation).rows_store
    ids = Call.objects.values_list("remote_id", flat=True)
    assert len(set(ids)) == 3


def test_once_it_ended_all_rows_are_told(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = later(project, olga, people(250))
    ask(operation)
    assert calls(operation) == [
        (ANSWERED, 100, 0),
        (ANSWERED, 100, 0),
        (ANSWERED, 50, 0),
    ]
    assert operation.state == State.SUCCEEDED
    assert operation.rows_succeeded == 250
    assert len(received(sandbox)) == 3
    assert fates(operation) == (250, 0, 0)


def test_of_an_update_each_row_is_told_by_its_id(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    run(project, olga, people(100))
    csv = update_of(sandbox)
    plan_fault(sandbox, 1, "async_partial")
    operation = updating(project, olga, csv)
    ask(operation)
    assert calls(operation) == [(ANSWERED, 95, 5)]
    assert operation.state == State.PARTLY_FAILED
    call = Call.objects.get(batch__operation=operation)
    assert call.trust == Call.Trust.IDS
    failed = [n for n, row in enumerate(call.rows_told()) if row[0] == "failed"]
    assert failed == [19, 39, 59, 79, 99]
    assert "every twentieth" in call.rows_told()[19][2]
    assert fates(operation) == (95, 5, 0)
    changed = [
        each for each in records(sandbox, "contact") if each["FirstName"] == "new"
    ]
    assert len(changed) == 95


def test_of_a_create_it_is_known_how_many_failed_and_not_which(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "async_partial")
    operation = later(project, olga, people(100))
    ask(operation)
    assert calls(operation) == [(ANSWERED, 95, 5)]
    assert operation.state == State.PARTLY_FAILED
    assert (operation.rows_succeeded, operation.rows_failed) == (95, 5)
    assert Call.objects.get().trust == Call.Trust.SUMS
    assert fates(operation) == (0, 0, 100)


def test_a_create_that_was_tried_twice_is_told(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "async_twice")
    operation = later(project, olga, people(3))
    ask(operation)
    assert calls(operation) == [(ANSWERED, 3, 0)]
    assert "2 times" in Call.objects.get().reason
    assert len(records(sandbox, "contact")) == 6


def test_while_it_is_worked_on_it_is_asked_about_again(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "never_ends")
    operation = later(project, olga, people(3))
    ask(operation)
    call = Call.objects.get()
    assert call.state == Call.State.ACCEPTED
    assert call.due_at
    assert call.due_at > timezone.now()
    call_sandbox(sandbox, "/sandbox/end", {"operation": call.remote_id})
    ask(operation)
    assert operation.state == State.SUCCEEDED


@pytest.mark.parametrize("fault", ["lost_operation", "unknown_status_forever"])
def test_what_cannot_be_told_stays_accepted_until_it_is_given_up(
    sandbox: Sandbox, project: Project, olga: User, fault: str
) -> None:
    plan_fault(sandbox, 1, fault)
    operation = later(project, olga, people(3))
    ask(operation)
    assert calls(operation) == [(ACCEPTED, 0, 0)]
    Call.objects.update(sent_at=timezone.now() - timedelta(days=8))
    ask(operation)
    assert operation.state == State.UNKNOWN
    assert Call.objects.get().reason == watch_calls.GIVEN_UP


def test_an_end_without_counts_is_unknown_and_stops_the_run(
    sandbox: Sandbox, project: Project, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_calls, "MOST_ACCEPTED", 1)
    plan_fault(sandbox, 1, "bulk_completed")
    operation = later(project, olga, people(250))
    ask(operation)
    assert operation.state == State.UNKNOWN
    run_calls.run(operation.pk)
    assert len(received(sandbox)) == 1


def test_no_more_is_sent_than_may_be_accepted_at_once(
    sandbox: Sandbox, project: Project, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_calls, "MOST_ACCEPTED", 2)
    operation = later(project, olga, people(300))
    assert [state for state, _, _ in calls(operation)] == [ACCEPTED, ACCEPTED, PLANNED]
    ask(operation)
    assert dispatch.enqueue_due_runs(timezone.now()) == 1
    run_calls.run(operation.pk)
    ask(operation)
    assert operation.state == State.SUCCEEDED
    assert len(received(sandbox)) == 3


def test_requests_that_fail_alike_stop_the_run(
    sandbox: Sandbox, project: Project, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_calls, "MOST_ACCEPTED", 3)
    bad = {f"r{number}": "" for number in range(300)}
    operation = later(project, olga, people(400, **bad))
    ask(operation)
    run_calls.run(operation.pk)
    assert calls(operation) == [*[(ANSWERED, 0, 100)] * 3, (PLANNED, 0, 0)]
    assert len(received(sandbox)) == 3
    operation.batch.refresh_from_db()
    assert operation.batch.stopped_why


def test_an_unknown_request_calls_a_person_while_others_are_worked_on(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "never_ends")
    plan_fault(sandbox, 2, "timeout_after")
    operation = later(project, olga, people(300))
    assert operation.state == State.UNKNOWN
    assert [state for state, _, _ in calls(operation)] == [
        ACCEPTED,
        "Outcome unknown",
        PLANNED,
    ]
    # Its rows are not joined while Ampersand works on some of them.
    assert not joined(operation).rows_store
    call = Call.objects.accepted().get()
    call_sandbox(sandbox, "/sandbox/end", {"operation": call.remote_id})
    ask(operation)
    assert operation.state == State.UNKNOWN
    assert operation.rows_succeeded == 100
    operation.batch.refresh_from_db()
    assert operation.batch.calls_due_at is None
    assert joined(operation).rows_store


def test_an_operation_that_is_another_ones_is_not_taken_for_ours(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "never_ends")
    first = later(project, olga, people(3))
    call = Call.objects.get(batch__operation=first)
    second = later(project, olga, people(4))
    other = Call.objects.get(batch__operation=second)
    Call.objects.filter(pk=other.pk).update(
        state=Call.State.SENDING, remote_id="", due_at=timezone.now()
    )
    told = record_call.Accepted(operation_id=call.remote_id, status_code=200)
    record_call.record(other, told)
    other.refresh_from_db()
    assert other.state == Call.State.UNKNOWN


def test_the_end_is_kept_once(sandbox: Sandbox, project: Project, olga: User) -> None:
    operation = later(project, olga, people(3))
    call = Call.objects.get()
    result = record_call.BatchResult(
        operation_id=call.remote_id,
        rows=(record_call.RowResult(state="succeeded"),) * 3,
        trust="counts",
        told=(3, 0),
        reasons=(),
        status_code=200,
        request_id=None,
        raw="",
    )
    record_call.record_end(call, result)
    record_call.record_end(call, result)
    operation.refresh_from_db()
    assert operation.rows_succeeded == 3


def test_two_workers_ask_once(sandbox: Sandbox, project: Project, olga: User) -> None:
    later(project, olga, people(3))
    call, now = Call.objects.get(), timezone.now()
    Call.objects.update(due_at=now)
    assert dispatch.enqueue_due_call_watches(now) == 1
    assert dispatch.enqueue_due_call_watches(now) == 0
    watch_calls.watch([call.pk], now)
    assert Call.objects.get().state == Call.State.ACCEPTED


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "delete", "primary_key": "Id"},
        {"deadline_hours": 0},
        {"deadline_hours": 49},
    ],
)
def test_the_database_refuses_what_cannot_be_asynchronous(
    sandbox: Sandbox, project: Project, olga: User, wrong: dict[str, Any]
) -> None:
    write = draft(project, olga, people(3))
    with pytest.raises(IntegrityError), transaction.atomic():
        Write.objects.filter(pk=write.pk).update(**{"deadline_hours": 1, **wrong})


@pytest.fixture
def form(project: Project) -> dict[str, Any]:
    """What the form of a CSV file holds for a create by today's API."""
    integration = project.integrations.get()
    return {
        "token": str(uuid.uuid4()),
        "project": project.pk,
        "integration": integration.pk,
        "object": integration.write_objects.get(name="contact").pk,
        "group": integration.groups.get().pk,
        "action": "create",
        "mode": "asynchronous",
    }


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ({}, 1),
        ({"deadline_hours": "48"}, 48),
        ({"mode": "synchronous", "deadline_hours": "5"}, None),
        ({"mode": "", "deadline_hours": "5"}, None),
        ({"action": "delete", "primary_key": "Id"}, None),
    ],
)
def test_the_form_offers_it_for_what_can_be_deferred(
    browser: Browser,
    sandbox: Sandbox,
    form: dict[str, Any],
    said: dict[str, Any],
    hours: int | None,
) -> None:
    csv = SimpleUploadedFile("contacts.csv", people(3))
    answer = browser.post("/writes/csv/", {**form, **said, "file": csv})
    assert answer.status_code == 302
    assert Write.objects.get().deadline_hours == hours


@pytest.mark.parametrize("hours", ["0", "49", "x"])
def test_the_form_refuses_other_deadlines(
    browser: Browser, form: dict[str, Any], hours: str
) -> None:
    csv = SimpleUploadedFile("contacts.csv", people(3))
    said = {**form, "deadline_hours": hours, "file": csv}
    answer = browser.post("/writes/csv/", said)
    assert answer.status_code == 422
    assert "deadline_hours" in answer.context["form"].errors


def test_a_review_says_what_an_asynchronous_create_risks(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, people(3), deadline_hours=24)
    page = browser.get(f"/writes/{write.pk}/").content.decode()
    assert 'id="asynchronous-create"' in page
    assert "up to 24 hours" in page
    assert "&quot;deadlineHours&quot;: 24" in page


def test_the_page_of_a_run_counts_what_is_being_written(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = later(project, olga, people(250))
    page = browser.get(f"/writes/{operation.batch.write_id}/requests/")
    progress = page.context["progress"]
    assert (progress.over, progress.accepted, progress.being_written) == (0, 3, 250)
    assert (progress.succeeded, progress.unknown, progress.not_sent) == (0, 0, 0)
    assert page.context["poll_seconds"]
    assert b'id="accepted"' in page.content
    path = f"/writes/{operation.batch.write_id}/requests/1/"
    assert browser.get(path).status_code == 200
    ask(operation)
    path = f"/writes/{operation.batch.write_id}/requests/"
    assert browser.get(path).context["poll_seconds"] is None


def test_what_is_not_told_is_said_of_the_operation(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "async_partial")
    operation = later(project, olga, people(100))
    ask(operation)
    assert "not which" in operation.reason
    assert "before you send" in operation.remedy
    page = browser.get(operation.get_absolute_url())
    assert b"not which" in page.content
    write = joined(operation)
    lines = b"".join(browser.get(f"/writes/{write.pk}/outcomes.csv")).decode()
    assert lines.count("unknown") == 100
    retry = browser.post(f"/writes/{write.pk}/retry/")
    assert retry.status_code == 302
    assert Write.objects.count() == 1
