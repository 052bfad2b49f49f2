"""What Salesforce shall do besides: chosen, kept, shown and sent."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from console.models import Integration, Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import make_project
from tests.writes.making import have_jobs_done, press_send, received, work_off
from writes.models import Call, Write
from writes.worker import run_calls

pytestmark = pytest.mark.django_db

CHOSEN = {
    "auto_assign": "FALSE",
    "allow_save": "on",
    "run_as_current_user": "on",
    "update_mru": "on",
    "client": "Some.Client/100",
}
HEADERS = {
    "Sforce-Auto-Assign": "FALSE",
    "Sforce-Duplicate-Rule-Header": "allowSave=true; runAsCurrentUser=true",
    "Sforce-Mru": "updateMru=true",
    "Sforce-Call-Options": "client=Some.Client/100",
}
SENT = [{"key": name, "value": value} for name, value in HEADERS.items()]


@pytest.fixture
def project(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


@pytest.fixture
def form(target: dict[str, Any]) -> dict[str, Any]:
    """The form of one record, with options."""
    rows = {"field_name": ["LastName"], "field_type": ["text"], "field_value": ["Berg"]}
    return {**target, "action": "create", "view": "rows", **rows, **CHOSEN}


def test_a_record_carries_what_was_chosen_and_every_page_says_so(
    browser: Browser, sandbox: Sandbox, form: dict[str, Any]
) -> None:
    assert browser.post("/writes/record/", form).status_code == 302
    write = Write.objects.get()
    assert write.headers_json == HEADERS
    review = browser.get(f"/writes/{write.pk}/")
    assert review.context["shown"].body["headers"] == SENT
    assert "Sforce-Duplicate-Rule-Header" in review.context["curl"]
    assert 'id="provider-headers"' in review.content.decode()
    press_send(browser, write)
    work_off()
    operation = Operation.objects.get()
    assert operation.state == Operation.State.SUCCEEDED
    assert json.loads(operation.batch.body)["headers"] == SENT
    assert received(sandbox)[0]["bodySha256"] == operation.batch.sha256
    page = browser.get(operation.get_absolute_url()).content.decode()
    assert "<dt>Sforce-Auto-Assign</dt>" in page


def test_the_rows_of_a_file_carry_it_in_every_request(
    browser: Browser, sandbox: Sandbox, target: dict[str, Any]
) -> None:
    lines = ["LastName", *(f"Nr {number}" for number in range(150)), ""]
    file = SimpleUploadedFile("people.csv", "\n".join(lines).encode())
    answer = browser.post(
        "/writes/csv/", {**target, "action": "create", "file": file, **CHOSEN}
    )
    assert answer.status_code == 302
    write = Write.objects.get()
    have_jobs_done()
    assert browser.get(f"/writes/{write.pk}/").context["shown"].body["headers"] == SENT
    press_send(browser, write)
    run_calls.run(Operation.objects.get().pk)
    assert Operation.objects.get().rows_succeeded == 150
    digests = [bytes(each.sha256).hex() for each in Call.objects.order_by("number")]
    assert [each["bodySha256"] for each in received(sandbox)] == digests
    page = browser.get(f"/writes/{write.pk}/requests/2/").content.decode()
    assert "Sforce-Mru" in page


def test_the_form_begins_with_what_was_chosen_before(
    browser: Browser, form: dict[str, Any]
) -> None:
    rule = {"auto_assign": "", "assignment_rule": "01Q000000000001AAA"}
    browser.post("/writes/record/", {**form, **rule})
    write = Write.objects.get()
    again = browser.get(f"/writes/record/?again={write.pk}").context["form"]
    assert again.has_options
    said = {name: again[name].value() for name in (*CHOSEN, "assignment_rule")}
    assert said["assignment_rule"] == rule["assignment_rule"]
    assert (said["auto_assign"], said["allow_save"]) == ("", True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("assignment_rule", "01Q000000000001AAA"),
        ("assignment_rule", "01Q"),
        ("auto_assign", "MAYBE"),
        ("client", "a, defaultNamespace=b"),
        ("client", "a\nAuthorization: b"),
    ],
)
def test_what_is_no_option_is_refused_at_its_field(
    browser: Browser, form: dict[str, Any], field: str, value: str
) -> None:
    answer = browser.post("/writes/record/", {**form, field: value})
    assert answer.status_code == 422
    assert answer.context["form"].has_error(field)
    assert not Write.objects.exists()


@pytest.mark.parametrize(
    ("generation", "provider"), [("A", "salesforce"), ("C", "hubspot")]
)
def test_options_go_to_salesforce_through_todays_api_alone(
    browser: Browser,
    project: Project,
    form: dict[str, Any],
    generation: str,
    provider: str,
) -> None:
    Project.objects.update(generation=generation)
    Integration.objects.update(provider=provider)
    answer = browser.post("/writes/record/", form)
    assert answer.context["form"].has_error("auto_assign", "not-taken")
    plain = {name: value for name, value in form.items() if name not in CHOSEN}
    assert browser.post("/writes/record/", plain).status_code == 302
