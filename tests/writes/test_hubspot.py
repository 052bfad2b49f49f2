"""A HubSpot behind today's API: conflicts, and results in another order."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.connections.installations import fetch_groups
from console.models import Integration, WriteObject
from files.rows.row_store import RowStore
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, make_project
from tests.writes.making import (
    confirm,
    make_draft,
    plan_fault,
    press_send,
    received,
    records,
    work_off,
)
from writes.actions import settle
from writes.models import Call, FileJob, Write
from writes.worker import run_calls, run_job

pytestmark = pytest.mark.django_db

State = Operation.State


@pytest.fixture
def integration(sandbox: Sandbox, olga: User) -> Integration:
    """An integration of HubSpot, as Ampersand tells it."""
    project = make_project("HubSpot", remote_id="demo-c-hubspot", generation="C")
    integration = project.integrations.get()
    integration.remote_id = "hubspot"
    integration.save()
    fetch_groups(integration, actor(olga))
    integration.refresh_from_db()
    assert WriteObject.objects.filter(name="companies").exists()
    return integration


def run(integration: Integration, user: User, *lines: str, **values: Any) -> Operation:
    """Send a file of contacts; return its operation."""
    csv = "\n".join([*lines, ""]).encode()
    how = {"object_name": "contacts", "action": "create", **values}
    operation = confirm(make_draft(integration, user, csv=csv, **how), user)
    run_calls.run(operation.pk)
    operation.refresh_from_db()
    return operation


def joined(operation: Operation) -> Write:
    settle.join_told(timezone.now())
    for job in FileJob.objects.filter(kind=FileJob.Kind.JOIN):
        run_job.run(job.pk)
    write: Write = operation.batch.write
    write.refresh_from_db()
    return write


def people(count: int) -> list[str]:
    rows = [f"Nr {number},p{number}@example.com" for number in range(count)]
    return ["lastname,email", *rows]


def test_the_installations_tell_the_provider(integration: Integration) -> None:
    assert integration.provider == "hubspot"
    assert integration.most_in_batch("update", "contacts") == 100


def test_a_duplicate_fails_alone_and_names_who_it_is(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    run(integration, olga, "email", "ann@example.com")
    operation = run(integration, olga, "email", "Ann@example.com", "bo@example.com")
    assert operation.state == State.PARTLY_FAILED
    failed, written = Call.objects.latest("pk").rows_told()
    assert failed[0] == "failed"
    assert "Contact already exists. Existing ID: 171591000198" in failed[2]
    assert written == ["succeeded", "171596044870", ""]


def test_ids_that_may_be_of_other_rows_are_told_nowhere(
    sandbox: Sandbox, browser: Browser, integration: Integration, olga: User
) -> None:
    plan_fault(sandbox, 1, "batch_swapped")
    operation = run(integration, olga, *people(10))
    assert (operation.state, operation.rows_succeeded) == (State.SUCCEEDED, 10)
    call = Call.objects.get()
    assert (call.trust, call.succeeded) == (Call.Trust.UNVERIFIED, 10)
    assert call.answer_text()
    page = browser.get(operation.get_absolute_url()).content.decode()
    assert 'id="unverified"' in page
    write = joined(operation)
    with RowStore(write.path_of("rows_store")) as store:
        found = list(store.outcomes("succeeded"))
    assert len(found) == 10
    ids = [each["hs_object_id"] for each in records(sandbox, "contacts")]
    assert [row.record for row in found if row.record] == []
    lines = b"".join(browser.get(f"/writes/{write.pk}/outcomes.csv")).decode()
    assert not any(each in lines for each in ids)


def test_ids_in_order_are_told_and_no_alarm_is_given(
    sandbox: Sandbox, browser: Browser, integration: Integration, olga: User
) -> None:
    operation = run(integration, olga, *people(10))
    ids = [row[1] for row in Call.objects.get().rows_told()]
    assert ids == [each["hs_object_id"] for each in records(sandbox, "contacts")]
    page = browser.get(operation.get_absolute_url()).content.decode()
    assert 'id="unverified"' not in page


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["lastname,nope", "a,b"], 'Property "nope" does not exist'),
        (["email,nope", "a@example.com,b", "b@example.com,"], "does not exist"),
    ],
)
def test_an_unknown_property_fails_all_rows(
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    lines: list[str],
    why: str,
) -> None:
    operation = run(integration, olga, *lines)
    assert operation.state == State.FAILED
    assert all(why in row[2] for row in Call.objects.get().rows_told())
    assert records(sandbox, "contacts") == []


def test_what_clears_a_field_is_an_empty_text(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    run(integration, olga, "lastname,company,num_employees", "Berg,Acme,5")
    (made,) = records(sandbox, "contacts")
    lines = ["Id,company,num_employees", f"{made['hs_object_id']},#N/A,#N/A"]
    updates = {"action": "update", "primary_key": "Id"}
    operation = run(integration, olga, *lines, **updates)
    assert operation.state == State.SUCCEEDED
    (changed,) = records(sandbox, "contacts")
    assert (changed["company"], changed["num_employees"]) == ("", "")
    assert changed["lastname"] == "Berg"


@pytest.fixture
def form(integration: Integration) -> dict[str, Any]:
    """The form of one contact, with an association."""
    return {
        "token": str(uuid.uuid4()),
        "project": integration.project_id,
        "integration": integration.pk,
        "object": integration.write_objects.get(name="contacts").pk,
        "group": integration.groups.get(group_ref="demo-group-id").pk,
        "action": "create",
        "view": "rows",
        "field_name": ["lastname"],
        "field_type": ["text"],
        "field_value": ["Berg"],
        "association_to": ["18417469260", ""],
        "association_type": ["279", ""],
        "association_category": ["HUBSPOT_DEFINED"] * 2,
    }


LINKS = [
    {
        "to": {"id": "18417469260"},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
    }
]


def test_a_record_is_sent_with_its_associations(
    sandbox: Sandbox, browser: Browser, form: dict[str, Any]
) -> None:
    assert browser.post("/writes/record/", form).status_code == 302
    write = Write.objects.get()
    shown = browser.get(f"/writes/{write.pk}/").context["shown"]
    assert shown.body["associations"] == LINKS
    again = browser.get(f"/writes/record/?again={write.pk}")
    assert again.context["typed"].associations[0].to == "18417469260"
    press_send(browser, write)
    work_off()
    operation = Operation.objects.get()
    assert operation.state == State.SUCCEEDED
    assert received(sandbox)[0]["bodySha256"] == operation.batch.sha256


def test_an_update_whose_associations_fail_is_unknown_and_was_made(
    sandbox: Sandbox, browser: Browser, form: dict[str, Any]
) -> None:
    browser.post("/writes/record/", form)
    press_send(browser, Write.objects.get())
    work_off()
    (made,) = records(sandbox, "contacts")
    update = {"action": "update", "record_id": made["hs_object_id"]}
    values = {"token": str(uuid.uuid4()), "field_value": ["Lee"]}
    browser.post("/writes/record/", {**form, **update, **values})
    plan_fault(sandbox, 1, "associations_fail_after")
    press_send(browser, Write.objects.latest("pk"))
    work_off()
    assert Operation.objects.latest("pk").state == State.UNKNOWN
    assert records(sandbox, "contacts")[0]["lastname"] == "Lee"


@pytest.mark.parametrize(
    "wrong",
    [
        {"association_to": ["", ""]},
        {"association_to": ["a b", ""]},
        {"association_type": ["0", ""]},
        {"association_type": ["x", ""]},
        {"association_category": ["OTHER", ""]},
    ],
)
def test_what_is_no_association_is_told_at_its_row(
    browser: Browser, form: dict[str, Any], wrong: dict[str, Any]
) -> None:
    answer = browser.post("/writes/record/", {**form, **wrong})
    assert answer.status_code == 422
    assert answer.context["typed"].associations[0].error
    assert not Write.objects.exists()


def test_associations_go_to_hubspot_alone(
    browser: Browser, form: dict[str, Any]
) -> None:
    Integration.objects.update(provider="salesforce")
    answer = browser.post("/writes/record/", form)
    assert answer.context["typed"].associations[0].error
    more = browser.post("/writes/record/", {**form, "do": "associate"})
    assert len(more.context["typed"].association_rows) == 3
    assert not Write.objects.exists()
