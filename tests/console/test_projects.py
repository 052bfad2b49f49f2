"""Projects: list, page, add, change, delete."""

import re
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
from tests.answers import Shown, codes
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
    "id_spelling": "id",
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
    assert "data-empty" in html
    assert html.count(NEW) == 1


def test_the_list_shows_what_matters_of_a_project(
    admin: Browser, project: Project
) -> None:
    html = admin.get("/connections/").content.decode()
    for text in (project.get_absolute_url(), "Sandbox", "demo", "••••-KEY", "Never"):
        assert text in html


def test_the_list_says_that_a_key_is_missing(admin: Browser, project: Project) -> None:
    project.api_keys.defer("value").get().revoke()
    assert Shown(admin.get("/connections/")).data["state"] == ["missing"]


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
    pace = Shown(admin.get(answer["Location"])).texts["pace"]
    assert re.findall(r"[\d.]+", pace) == ["1", "0.50", "200"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "required"),
        ("remote_id", "..", "dots"),
        ("remote_id", "a\x00b", "null_characters_not_allowed"),
        ("environment", "moon", "invalid_choice"),
        ("api_url", "api.withampersand.com", "address"),
        ("api_url", "https://a b/v1", "spaces"),
        ("api_url", "https://u:p@host/v1", "user-name"),
        ("write_url", "https://host/v1?x=1", "query"),
        ("write_url", "http://host/v1", "https"),
        ("write_url", "HTTP://host/v1", "https"),
        ("generation", "Z", "invalid_choice"),
        ("max_at_once", "0", "min_value"),
        ("max_per_second", "0.01", "min_value"),
        ("max_per_second", "inf", "invalid"),
        ("reads_per_second", "many", "invalid"),
    ],
)
def test_bad_values_come_back_with_a_reason_and_all_that_was_typed(
    admin: Browser, field: str, value: str, code: str
) -> None:
    events = AuditEvent.objects.count()
    answer = admin.post(NEW, {**VALUES, field: value})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert code in codes(answer.context["form"])[field]
    assert f'id="id_{field}_error"' in html
    assert "data-form-errors" in html
    assert 'value="acme-project"' in html or field == "remote_id"
    assert not Project.objects.exists()
    assert AuditEvent.objects.count() == events


def test_two_projects_cannot_share_a_name(admin: Browser, project: Project) -> None:
    answer = admin.post(NEW, {**VALUES, "name": project.name})
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"name": ["unique"]}


def test_changing_a_project_records_before_and_after(
    admin: Browser, project: Project
) -> None:
    address = reverse("connections:project_edit", args=[project.pk])
    answer = admin.post(address, {**VALUES, "name": "Demo"})
    project.refresh_from_db()
    assert answer.status_code == 302
    assert project.environment == "production"
    # Its key was given for the sandbox.
    last_event("key.revoked")
    event = AuditEvent.objects.newest_first()[1]
    assert event.action == "project.changed"
    assert event.detail["environment"] == ["sandbox", "production"]
    assert "name" not in event.detail


def test_a_refused_change_does_not_rename_the_page(
    admin: Browser, project: Project
) -> None:
    address = reverse("connections:project_edit", args=[project.pk])
    answer = admin.post(address, {**VALUES, "environment": ""})
    assert answer.status_code == 422
    [title] = re.findall("<h1>(.*)</h1>", answer.text)
    assert "Demo" in title
    assert "ACME" not in title
    assert 'value="ACME"' in answer.content.decode()


def test_deleting_asks_first(admin: Browser, project: Project) -> None:
    address = reverse("connections:project_delete", args=[project.pk])
    assert "confirm" in Shown(admin.get(address)).ids
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
        assert answer.context["blockers"] == ["operations"]
        ids = Shown(answer).ids
        assert "blocked" in ids
        assert "confirm" not in ids
    assert answer.status_code == 422
    assert Project.objects.exists()
    assert AuditEvent.objects.count() == events


def test_a_lost_field_key_breaks_no_page(admin: Browser, project: Project) -> None:
    other = "bm90LXRoZS1yaWdodC1rZXktYnV0LTMyLWJ5dGVzISE="
    with override_settings(FIELD_KEYS=[other]):
        assert admin.get("/connections/").status_code == 200
        answer = admin.get(project.get_absolute_url())
    assert "FIELD_KEYS" in Shown(answer).texts["key-problem"]
    assert "••••-KEY" in answer.text
