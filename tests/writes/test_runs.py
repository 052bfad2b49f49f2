"""A run: the rows of a file as records, a hundred in a request, each sent once."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from ampersand import BatchLimit, NotSent, Provider, RequestInvalid
from console.models import ApiKey, Project
from files.rows.row_store import RowStore
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import SANDBOX_KEY, actor, make_project
from tests.writes.making import (
    confirm,
    make_draft,
    plan_fault,
    received,
    records,
)
from writes.actions import run as actions
from writes.actions import settle
from writes.models import Batch, Call, FileJob, Write
from writes.worker import record_call, run_calls, run_job

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


def people(count: int, **bad: str) -> bytes:
    """Return a file of contacts; `bad` names rows by their number that lack a name."""
    lines = ["LastName,FirstName"]
    lines += [f"{'' if f'r{n}' in bad else f'Nr {n}'},x" for n in range(count)]
    return "\n".join([*lines, ""]).encode()


def draft(project: Project, user: User, csv: bytes, **values: Any) -> Write:
    values.setdefault("action", "create")
    return make_draft(project.integrations.get(), user, csv=csv, **values)


def run(project: Project, user: User, csv: bytes, **values: Any) -> Operation:
    """Confirm a file and send its requests; return the operation."""
    operation = confirm(draft(project, user, csv, **values), user)
    run_calls.run(operation.pk)
    operation.refresh_from_db()
    return operation


def calls(operation: Operation) -> list[tuple[str, int, int]]:
    """Return state, successes and failures of each request."""
    found = Call.objects.filter(batch__operation=operation).order_by("number")
    return [(each.get_state_display(), each.succeeded, each.failed) for each in found]


def test_250_rows_are_three_requests_with_their_ids(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = run(project, olga, people(250))
    assert operation.state == State.SUCCEEDED
    assert calls(operation) == [
        ("Answered", 100, 0),
        ("Answered", 100, 0),
        ("Answered", 50, 0),
    ]
    assert (operation.rows_succeeded, operation.rows_failed) == (250, 0)
    assert len(received(sandbox)) == 3
    found = Call.objects.order_by("number")
    ids = [row[1] for call in found for row in call.rows_told()]
    assert ids == [each["Id"] for each in records(sandbox, "contact")]
    assert Operation.objects.count() == 1


def test_one_row_that_lacks_something_fails_alone(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = run(project, olga, people(250, r148="lacks"))
    assert operation.state == State.PARTLY_FAILED
    assert calls(operation)[1] == ("Answered", 99, 1)
    told = Call.objects.get(number=2).rows_told()
    (failed,) = [n for n, row in enumerate(told) if row[0] == "failed"]
    assert failed == 48
    assert "Required fields are missing: [LastName]" in told[48][2]


def test_all_or_none_rolls_one_request_back_and_no_other(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = run(project, olga, people(250, r148="lacks"), all_or_none=True)
    assert calls(operation) == [
        ("Answered", 100, 0),
        ("Answered", 0, 100),
        ("Answered", 50, 0),
    ]
    reasons = [row[2] for row in Call.objects.get(number=2).rows_told()]
    assert sum("rolled back" in reason for reason in reasons) == 99


def test_updates_go_by_the_id_of_each_row(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    run(project, olga, people(3))
    ids = [each["Id"] for each in records(sandbox, "contact")]
    lines = ["Id,FirstName", *(f"{each},new" for each in ids)]
    csv = "\n".join([*lines, ""]).encode()
    operation = run(project, olga, csv, action="update", primary_key="Id")
    assert operation.state == State.SUCCEEDED
    assert {each["FirstName"] for each in records(sandbox, "contact")} == {"new"}


def test_deletes_go_one_by_one_and_what_is_gone_fails_alone(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    run(project, olga, people(5))
    ids = [each["Id"] for each in records(sandbox, "contact")]
    csv = "\n".join(["Id", *ids, "003SB0000009999AAA", ""]).encode()
    operation = run(project, olga, csv, action="delete", primary_key="Id")
    assert len(calls(operation)) == 6
    assert (operation.rows_succeeded, operation.rows_failed) == (5, 1)
    assert records(sandbox, "contact") == []


def test_what_is_gone_already_stops_no_deletion(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    run(project, olga, people(6))
    ids = [each["Id"] for each in records(sandbox, "contact")]
    for csv_ids in (ids[:5], ids):
        csv = "\n".join(["Id", *csv_ids, ""]).encode()
        operation = run(project, olga, csv, action="delete", primary_key="Id")
    assert (operation.rows_succeeded, operation.rows_failed) == (1, 5)
    assert {each.reason for each in operation.batch.calls.all()[:5]} == {
        "error writing contact: bad request: ENTITY_IS_DELETED: entity is deleted"
    }


@pytest.mark.parametrize(
    ("fault", "rows"),
    [
        ("batch_no_results", "succeeded"),
        ("batch_results_short", "succeeded"),
        ("batch_counts_wrong", "unknown"),
        ("server_error_422", "unknown"),
        ("timeout_after", "unknown"),
        ("reset_after", "unknown"),
        ("500", "unknown"),
    ],
)
def test_what_is_not_proven_is_unknown_and_stops_the_run(
    sandbox: Sandbox, project: Project, olga: User, fault: str, rows: str
) -> None:
    plan_fault(sandbox, 2, fault)
    operation = run(project, olga, people(300))
    second = Call.objects.get(number=2)
    if rows == "succeeded":
        assert operation.state == State.SUCCEEDED
        assert second.trust == Call.Trust.COUNTS
        return
    assert operation.state == State.UNKNOWN
    assert second.state == Call.State.UNKNOWN
    assert Call.objects.get(number=3).state == Call.State.PLANNED
    assert len(received(sandbox)) == 2
    run_calls.run(operation.pk)
    assert len(received(sandbox)) == 2


@pytest.mark.parametrize("fault", ["401", "403", "404"])
def test_a_refusal_of_the_project_stops_the_run_after_one_request(
    sandbox: Sandbox, project: Project, olga: User, fault: str
) -> None:
    plan_fault(sandbox, 2, fault)
    operation = run(project, olga, people(300))
    assert calls(operation) == [
        ("Answered", 100, 0),
        ("Answered", 0, 100),
        ("Not sent yet", 0, 0),
    ]
    assert operation.state == State.IN_PROGRESS
    assert operation.batch.__class__.objects.get().stopped_why


def test_what_ampersand_does_not_take_now_waits_and_goes_once_more(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 2, "429")
    operation = run(project, olga, people(300))
    assert [state for state, _, _ in calls(operation)] == [
        "Answered",
        "Not sent yet",
        "Not sent yet",
    ]
    batch = operation.batch
    batch.refresh_from_db()
    assert batch.calls_due_at > timezone.now()


def test_a_file_that_was_changed_is_not_sent(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, people(3))
    operation = confirm(write, olga)
    path = write.path_of("as_sent")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"Nr 1", b"Nr 9"))
    run_calls.run(operation.pk)
    assert received(sandbox) == []
    operation.refresh_from_db()
    assert operation.state == State.HELD
    assert operation.reason


def test_a_worker_that_vanished_leaves_one_unknown_request(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = confirm(draft(project, olga, people(300)), olga)
    now = timezone.now()
    sending = {"state": Call.State.SENDING, "sent_at": now, "due_at": now}
    Call.objects.filter(number=1).update(**sending)
    Operation.objects.filter(pk=operation.pk).update(
        state=State.IN_PROGRESS, sent_at=now, due_at=None
    )
    assert run_calls.recover_overdue(timezone.now()) == 1
    operation.refresh_from_db()
    assert operation.state == State.UNKNOWN
    run_calls.run(operation.pk)
    assert received(sandbox) == []


def test_the_body_is_what_was_planned(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = run(project, olga, people(3))
    (envelope,) = operation.batch.envelopes().values()
    said = json.loads(envelope.before + envelope.after)
    assert said == {
        "groupRef": "demo-group-id",
        "type": "create",
        "mode": "synchronous",
        "batch": [],
    }


def test_the_rows_come_home_with_their_ids_and_reasons(
    sandbox: Sandbox, project: Project, olga: User, browser: Browser
) -> None:
    operation = run(project, olga, people(250, r148="lacks"))
    settle.join_told(timezone.now())
    for job in FileJob.objects.filter(kind=FileJob.Kind.JOIN):
        run_job.run(job.pk)
    write = operation.batch.write
    write.refresh_from_db()
    totals = write.rows_totals
    assert totals is not None
    assert (totals.succeeded, totals.failed, totals.unknown) == (249, 1, 0)
    with RowStore(write.path_of("rows_store")) as store:
        (failed,) = store.page(state="failed").rows
        assert failed.row == 150
        assert "[LastName]" in failed.error
        ids = [row.record for row in store.outcomes("succeeded")]
    assert ids == [each["Id"] for each in records(sandbox, "contact")]
    page = browser.get(f"/writes/{write.pk}/rows/?state=succeeded")
    assert ids[0] in page.content.decode()
    lines = b"".join(browser.get(f"/writes/{write.pk}/outcomes.csv"))
    assert ids[-1].encode() in lines


def test_a_late_answer_lets_a_run_go_on(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = confirm(draft(project, olga, people(150)), olga)
    client = operation.project.client()

    def meanwhile(_: object, *args: Any, **how: str) -> Any:
        # The lease runs out while the worker is stopped.
        Call.objects.filter(state=Call.State.SENDING).update(due_at=timezone.now())
        run_calls.recover_overdue(timezone.now())
        assert Operation.objects.get().state == State.UNKNOWN
        return really(*args, **how)

    really = client.send_batch
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(client), "send_batch", meanwhile)
        run_calls.run(operation.pk)
    assert calls(operation)[0] == ("Answered", 100, 0)
    operation.refresh_from_db()
    batch = operation.batch
    batch.refresh_from_db()
    assert operation.state in (State.IN_PROGRESS, State.SUCCEEDED)
    run_calls.run(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED
    assert operation.rows_succeeded == 150


def test_an_answer_that_names_the_operation_of_another_run_proves_nothing(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    run(project, olga, people(2))
    known = Call.objects.get().remote_id
    client = project.client()
    really = client.send_batch

    def as_before(_: object, *args: Any, **how: str) -> Any:
        return replace(really(*args, **how), operation_id=known)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(client), "send_batch", as_before)
        operation = run(project, olga, people(3))
    assert operation.state == State.UNKNOWN
    assert calls(operation) == [("Outcome unknown", 0, 0)]


def test_nothing_more_of_a_run_leaves_with_a_key_that_was_revoked(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = confirm(draft(project, olga, people(250)), olga)
    client = project.client()
    really = client.send_batch

    def meanwhile(_: object, *args: Any, **how: str) -> Any:
        for key in project.api_keys.filter(revoked_at=None):
            key.revoke()
        return really(*args, **how)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(client), "send_batch", meanwhile)
        run_calls.run(operation.pk)
    assert [state for state, _, _ in calls(operation)] == [
        *("Answered", "Not sent yet", "Not sent yet")
    ]
    # The clock has a worker turn to it again, who says why it rests.
    assert Batch.objects.get().calls_due_at
    run_calls.run(operation.pk)
    assert Batch.objects.get().stopped_why
    ApiKey.objects.create(project=project, label="new", value=SANDBOX_KEY)
    assert actions.go_on(operation.batch, actor(olga))
    run_calls.run(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED
    assert len(received(sandbox)) == 3


def test_what_turns_out_late_not_to_have_left_lets_a_run_go_on(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "timeout_after")
    operation = run(project, olga, people(150))
    assert operation.state == State.UNKNOWN
    record_call.record(Call.objects.get(number=1), NotSent("No connection was made"))
    operation.refresh_from_db()
    assert operation.state == State.IN_PROGRESS
    assert [state for state, _, _ in calls(operation)] == ["Not sent yet"] * 2


def test_a_request_carries_as_many_records_as_its_provider_takes(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    limit(project, 3)
    operation = run(project, olga, people(7))
    assert calls(operation) == [("Answered", n, 0) for n in (3, 3, 1)]
    assert len(received(sandbox)) == 3


@pytest.mark.parametrize("fault", ["", "500"])
def test_to_a_provider_without_batches_each_record_goes_alone(
    sandbox: Sandbox, project: Project, olga: User, fault: str
) -> None:
    project.integrations.update(provider="somethingElse")
    if fault:
        plan_fault(sandbox, 2, fault)
    operation = run(project, olga, people(3, r0="lacks"))
    states = [("Answered", 0, 1), ("Answered", 1, 0), ("Answered", 1, 0)]
    if fault:
        states[1:] = [("Outcome unknown", 0, 0), ("Not sent yet", 0, 0)]
    assert calls(operation) == states
    ids = [row[1] for call in Call.objects.all() for row in call.rows_told()]
    assert [each for each in ids if each] == [
        each["Id"] for each in records(sandbox, "contact")
    ]
    assert '"batch"' not in operation.batch.body


def test_what_was_reviewed_with_another_limit_is_not_sent(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, people(7))
    limit(project, 3)
    write = Write.objects.get(pk=write.pk)
    with pytest.raises(RequestInvalid):
        confirm(write, olga)
    assert received(sandbox) == []
    assert write.is_draft


def limit(project: Project, most: int) -> None:
    """Have Ampersand tell that so many records go in one request."""
    integration = project.integrations.get()
    told = BatchLimit(most=most)
    provider = Provider(name="salesforce", create=told, update=told)
    integration.keep_limits(provider, timezone.now())
    integration.save()
