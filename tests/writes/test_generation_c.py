"""A project of today's API: one record created, updated and deleted."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import Project
from operations.models import Operation
from operations.worker.watch import watch
from sandbox.app import Sandbox
from tests.conftest import make_project
from tests.writes.making import (
    confirm,
    make_draft,
    press_send,
    received,
    records,
    work_off,
)
from writes.models import Write

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(db: None) -> Project:
    """A project that speaks generation C."""
    return make_project("Today", remote_id="demo-c", generation="C")


def written(project: Project, user: User, **values: Any) -> Operation:
    """Confirm one record and do what workers do; return the operation."""
    operation = confirm(make_draft(project.integrations.get(), user, **values), user)
    work_off()
    operation.refresh_from_db()
    return operation


def test_a_record_is_created_updated_and_deleted(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    created = written(project, olga)
    assert created.state == State.SUCCEEDED
    assert created.remote_id
    record_id = created.record_id
    assert [each["Id"] for each in records(sandbox, "contact")] == [record_id]
    updated = written(
        project, olga, action="update", record_id=record_id, record={"FirstName": "A"}
    )
    assert (updated.state, updated.record_id) == (State.SUCCEEDED, record_id)
    assert records(sandbox, "contact")[0]["FirstName"] == "A"
    deleted = written(project, olga, action="delete", record_id=record_id, record={})
    assert (deleted.state, deleted.record_id) == (State.SUCCEEDED, record_id)
    assert records(sandbox, "contact") == []
    assert [each["worked"] for each in received(sandbox)] == [True, True, True]


def test_what_is_refused_keeps_the_operation_that_has_its_log(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    refused = written(project, olga, record={"Nope__c": "x"})
    assert refused.state == State.REJECTED
    assert refused.remote_id == received(sandbox)[0]["operationId"]
    assert "No such column" in refused.reason


def test_its_log_is_asked_for_once_and_changes_nothing_of_the_outcome(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = written(project, olga)
    assert operation.due_at
    watch([operation.pk], operation.due_at)
    operation.refresh_from_db()
    assert operation.log_entries.exists()
    assert operation.due_at is None
    assert (operation.state, operation.rows_succeeded) == (State.SUCCEEDED, 1)


def test_an_answer_that_names_an_operation_we_know_is_no_answer(
    sandbox: Sandbox, project: Project, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(project, olga)
    monkeypatch.setattr(
        "sandbox.operations.Operations.add_ended",
        lambda *args, **values: first.remote_id,
    )
    second = written(project, olga, record={"LastName": "Other"})
    assert second.state == State.UNKNOWN
    third = written(project, olga, record={"Nope__c": "x"})
    assert third.state == State.UNKNOWN


def test_nothing_made_for_one_api_is_sent_to_another(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = confirm(make_draft(project.integrations.get(), olga), olga)
    Project.objects.update(generation="A")
    work_off()
    operation.refresh_from_db()
    assert operation.state == State.CANCELLED
    assert received(sandbox) == []


@pytest.fixture
def deletion(target: dict[str, Any]) -> dict[str, Any]:
    """The form of a deletion, with fields that were typed before."""
    return {
        **target,
        "action": "delete",
        "record_id": "003000000000001AAA",
        "view": "rows",
        "field_name": ["LastName"],
        "field_type": ["number"],
        "field_value": ["no number"],
    }


def test_a_deletion_is_reviewed_without_fields_and_sent(
    browser: Browser, sandbox: Sandbox, deletion: dict[str, Any]
) -> None:
    assert browser.post("/writes/record/", deletion).status_code == 302
    write = Write.objects.get()
    assert (write.action, write.record_fields()) == ("delete", {})
    shown = browser.get(f"/writes/{write.pk}/").context["shown"]
    assert shown.body["record"] == {"id": "003000000000001AAA"}
    press_send(browser, write)
    work_off()
    assert Operation.objects.get().state == State.REJECTED
    (request,) = received(sandbox)
    assert not request["worked"]


def test_a_deletion_names_its_record(
    browser: Browser, deletion: dict[str, Any]
) -> None:
    answer = browser.post("/writes/record/", {**deletion, "record_id": ""})
    assert answer.status_code == 422
    assert answer.context["form"].has_error("record_id", "required")
    assert not Write.objects.exists()


def test_a_deletion_that_the_api_lacks_is_refused_before_the_review(
    browser: Browser, project: Project, deletion: dict[str, Any]
) -> None:
    Project.objects.update(generation="A")
    answer = browser.post("/writes/record/", deletion)
    assert answer.status_code == 422
    assert answer.context["form"].has_error("action", "not-capable")
    assert not Write.objects.exists()


@pytest.mark.parametrize(("source", "field"), [("csv", "action"), ("url", "project")])
def test_an_upsert_that_the_api_lacks_is_refused_before_the_review(
    browser: Browser, target: dict[str, Any], source: str, field: str
) -> None:
    typed = {**target, "primary_key": "id", "url": "https://files.example/a.csv"}
    answer = browser.post(f"/writes/{source}/", typed)
    assert answer.status_code == 422
    assert answer.context["form"].has_error(field, "not-capable")
    assert not Write.objects.exists()


def test_a_deletion_whose_outcome_is_unknown_is_decided_by_a_person(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    created = written(project, olga)
    draft = make_draft(
        project.integrations.get(),
        olga,
        action="delete",
        record_id=created.record_id,
        record={},
    )
    operation = confirm(draft, olga)
    left = {"state": State.UNKNOWN, "sent_at": timezone.now(), "due_at": None}
    Operation.objects.filter(pk=operation.pk).update(**left)
    path = f"/operations/{operation.pk}/reconcile/"
    assert browser.get(path).context["done"] == "deleted"
    browser.post(f"{path}written/", {"record_id": created.record_id})
    operation.refresh_from_db()
    assert operation.state == State.SUCCEEDED
    assert json.loads(draft.batches.get().body)["type"] == "delete"


@pytest.mark.parametrize(
    ("path", "actions"),
    [
        ("record", {"A": "create update", "C": "create delete update"}),
        ("csv", {"A": "upsert", "C": "by_id by_key create delete update"}),
    ],
)
def test_a_project_says_which_actions_its_api_has(
    browser: Browser, project: Project, path: str, actions: dict[str, str]
) -> None:
    make_project("Old")
    page = browser.get(f"/writes/{path}/").content.decode()
    for each in Project.objects.all():
        told = f'value="{each.pk}" data-actions="{actions[each.generation]}"'
        assert told in page
