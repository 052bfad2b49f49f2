"""Projects: list, page, add, change, delete."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.access.roles import Role
from console.models import AuditEvent, Project
from operations.models import Operation
from tests.conftest import make_project

NEW = "/connections/new/"
VALUES = {
    "name": "ACME",
    "remote_id": "acme-project",
    "environment": "production",
    "write_url": "https://write.withampersand.com/v1",
    "api_url": "https://api.withampersand.com/v1",
    "generation": "A",
    "update_style": "patch",
    "max_at_once": "4",
    "max_per_second": "5",
    "reads_per_second": "200",
}


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of somebody who may change connections."""
    return sign_in(Role.ADMIN)


def last_event(action: str) -> AuditEvent:
    """Return the newest audit event, which must be `action`."""
    event = AuditEvent.objects.newest_first()[0]
    assert event.action == action
    return event


def test_an_empty_list_offers_the_one_thing_to_do(admin: Browser) -> None:
    html = admin.get("/connections/").content.decode()
    assert "No project yet" in html
    assert html.count(NEW) == 1


def test_the_list_shows_what_matters_of_a_project(
    admin: Browser, project: Project
) -> None:
    html = admin.get("/connections/").content.decode()
    for text in (project.get_absolute_url(), "Sandbox", "demo", "••••-KEY", "Never"):
        assert text in html


def test_the_list_says_that_a_key_is_missing(admin: Browser, project: Project) -> None:
    project.api_keys.defer("value").get().revoke()
    assert "No active key" in admin.get("/connections/").content.decode()


def test_twenty_projects_cost_as_many_queries_as_one(
    admin: Browser, project: Project
) -> None:
    counts = []
    for number in (0, 19):
        for index in range(number):
            make_project(f"Project {index}")
        with CaptureQueriesContext(connection) as queries:
            admin.get("/connections/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_adding_a_project(admin: Browser) -> None:
    answer = admin.post(NEW, VALUES)
    project = Project.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == project.get_absolute_url()
    event = last_event("project.created")
    assert (event.subject, event.project_name) == ("ACME", "ACME")
    assert event.actor_name == "admin"
    assert event.detail["environment"] == "production"


def test_the_pace_is_set_with_decimals_and_shown(admin: Browser) -> None:
    answer = admin.post(NEW, {**VALUES, "max_at_once": "1", "max_per_second": "0.5"})
    html = admin.get(answer["Location"]).content.decode()
    assert "At most 1 write at once and 0.50 a second; 200 reads a second" in html


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "This field is required."),
        ("remote_id", "..", "This cannot be an id or a name."),
        ("remote_id", "a\x00b", "Null characters are not allowed."),
        ("environment", "moon", "Select a valid choice."),
        ("api_url", "api.withampersand.com", "Give the full address"),
        ("api_url", "https://a b/v1", "Remove spaces"),
        ("api_url", "https://u:p@host/v1", "Leave user name and password out"),
        ("write_url", "https://host/v1?x=1", "Leave out everything"),
        ("write_url", "http://host/v1", "A production address must be https."),
        ("write_url", "HTTP://host/v1", "A production address must be https."),
        ("generation", "Z", "Select a valid choice."),
        ("max_at_once", "0", "greater than or equal to 1"),
        ("max_per_second", "0.01", "greater than or equal to 0.05"),
        ("max_per_second", "inf", "Enter a number."),
        ("reads_per_second", "many", "Enter a whole number."),
    ],
)
def test_bad_values_come_back_with_a_reason_and_all_that_was_typed(
    admin: Browser, field: str, value: str, words: str
) -> None:
    events = AuditEvent.objects.count()
    answer = admin.post(NEW, {**VALUES, field: value})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert words in html
    assert "Nothing was sent or saved." in html
    assert 'value="acme-project"' in html or field == "remote_id"
    assert not Project.objects.exists()
    assert AuditEvent.objects.count() == events


def test_two_projects_cannot_share_a_name(admin: Browser, project: Project) -> None:
    answer = admin.post(NEW, {**VALUES, "name": project.name})
    assert answer.status_code == 422
    assert "There is a project of this name already." in answer.content.decode()


def test_changing_a_project_records_before_and_after(
    admin: Browser, project: Project
) -> None:
    address = reverse("connections:project_edit", args=[project.pk])
    answer = admin.post(address, {**VALUES, "name": "Demo"})
    project.refresh_from_db()
    assert answer.status_code == 302
    assert project.environment == "production"
    event = last_event("project.changed")
    assert event.detail["environment"] == ["sandbox", "production"]
    assert "name" not in event.detail


def test_a_refused_change_does_not_rename_the_page(
    admin: Browser, project: Project
) -> None:
    address = reverse("connections:project_edit", args=[project.pk])
    answer = admin.post(address, {**VALUES, "environment": ""})
    assert answer.status_code == 422
    assert "<h1>Edit Demo</h1>" in answer.content.decode()
    assert 'value="ACME"' in answer.content.decode()


def test_deleting_asks_first(admin: Browser, project: Project) -> None:
    address = reverse("connections:project_delete", args=[project.pk])
    assert "Delete Demo?" in admin.get(address).content.decode()
    assert Project.objects.exists()
    answer = admin.post(address)
    assert answer["Location"] == "/connections/"
    assert not Project.objects.exists()
    event = last_event("project.deleted")
    assert (event.subject, event.project_name) == ("Demo", "Demo")


def test_a_project_with_operations_stays(admin: Browser, project: Project) -> None:
    Operation.objects.create(
        project=project, action="follow", state="in_progress", remote_id="1"
    )
    address = reverse("connections:project_delete", args=[project.pk])
    events = AuditEvent.objects.count()
    for answer in (admin.get(address), admin.post(address)):
        html = answer.content.decode()
        assert "There are operations that refer to it" in html
        assert "Delete project" not in html
    assert answer.status_code == 422
    assert Project.objects.exists()
    assert AuditEvent.objects.count() == events


def test_a_lost_field_key_breaks_no_page(admin: Browser, project: Project) -> None:
    other = "bm90LXRoZS1yaWdodC1rZXktYnV0LTMyLWJ5dGVzISE="
    with override_settings(FIELD_KEYS=[other]):
        assert admin.get("/connections/").status_code == 200
        html = admin.get(project.get_absolute_url()).content.decode()
    assert "Nothing can be sent to this project." in html
    assert "no longer in FIELD_KEYS" in html
    assert "••••-KEY" in html
