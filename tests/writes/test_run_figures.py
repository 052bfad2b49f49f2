"""Runs of hundreds of requests, counted to the last one."""

from collections import Counter

import pytest
from django.contrib.auth.models import User

from console.models import Project
from operations.models import Gate, Operation
from sandbox.app import Sandbox
from tests.writes.making import confirm, plan_fault, received, records
from tests.writes.test_runs import draft, people, run
from tests.writes.test_runs import project as project  # noqa: PLC0414 - a fixture
from writes.models import Batch, Call
from writes.worker import run_calls

State = Operation.State

pytestmark = pytest.mark.django_db


def counted(operation: Operation) -> dict[str, int]:
    """Return how many requests are in each state."""
    found = Call.objects.filter(batch__operation=operation)
    return dict(Counter(call.get_state_display() for call in found))


def contacts(sandbox: Sandbox, project: Project, user: User, count: int) -> list[str]:
    """Have so many contacts in the SaaS; return their ids."""
    run(project, user, people(count))
    return [each["Id"] for each in records(sandbox, "contact")]


def deleting(project: Project, user: User, ids: list[str]) -> Operation:
    """Confirm the deletion of records, one request each."""
    csv = "\n".join(["Id", *ids, ""]).encode()
    write = draft(project, user, csv, action="delete", primary_key="Id")
    return confirm(write, user)


def go(operation: Operation) -> Operation:
    """Send what may be sent now, in as many slices of time as that takes."""
    before: dict[str, int] = {}
    while before != (now := counted(operation)):
        run_calls.run(operation.pk)
        before = now
    operation.refresh_from_db()
    return operation


def test_the_seventh_of_500_waits_as_asked_and_goes_once_more(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    ids = contacts(sandbox, project, olga, 500)
    before = len(received(sandbox))
    plan_fault(sandbox, 7, "429")
    operation = go(deleting(project, olga, ids))
    assert counted(operation) == {"Answered": 6, "Not sent yet": 494}
    assert len(received(sandbox)) == before + 7
    # Until then nothing leaves.
    go(operation)
    assert len(received(sandbox)) == before + 7
    Gate.objects.update(writes_closed_until=None)
    Call.objects.update(due_at=None)
    go(operation)
    assert counted(operation) == {"Answered": 500}
    assert Call.objects.get(batch__operation=operation, number=7).attempts == 2
    assert operation.rows_succeeded == 500
    assert len(received(sandbox)) == before + 501
    assert records(sandbox, "contact") == []


def test_the_second_of_500_is_refused_for_the_key(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    ids = contacts(sandbox, project, olga, 500)
    plan_fault(sandbox, 2, "401")
    operation = go(deleting(project, olga, ids))
    assert counted(operation) == {"Answered": 2, "Not sent yet": 498}
    assert (operation.rows_succeeded, operation.rows_failed) == (1, 1)
    assert Batch.objects.get(operation=operation).stopped_why
    assert len(records(sandbox, "contact")) == 499


def test_of_1000_to_delete_ten_are_gone_already(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    ids = contacts(sandbox, project, olga, 1_000)
    gone = ids[::100]
    go(deleting(project, olga, gone))
    before = len(received(sandbox))
    operation = go(deleting(project, olga, ids))
    assert counted(operation) == {"Answered": 1_000}
    assert len(received(sandbox)) == before + 1_000
    assert (operation.rows_succeeded, operation.rows_failed) == (990, 10)
    failed = Call.objects.filter(batch__operation=operation, failed=1)
    assert [call.number for call in failed] == list(range(1, 1_001, 100))
    assert all("ENTITY_IS_DELETED" in call.reason for call in failed)


def test_where_deletion_is_off_one_of_1000_is_refused(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    ids = [f"003SB{number:010}" for number in range(1_000)]
    csv = "\n".join(["Id", *ids, ""]).encode()
    write = draft(project, olga, csv, action="delete", primary_key="Id")
    # A customer whose installation allows none.
    write.group_ref = "sample-org-id"
    write.save()
    operation = go(confirm(write, olga))
    assert counted(operation) == {"Answered": 1, "Not sent yet": 999}
    assert len(received(sandbox)) == 1
    assert "not enabled" in Batch.objects.get(operation=operation).stopped_why
