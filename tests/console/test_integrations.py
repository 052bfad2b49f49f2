"""Integrations with their objects, and groups."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from console.access.roles import Role
from console.models import AuditEvent, Group, Integration, Project
from tests.answers import Shown, codes
from tests.conftest import OBJECTS
from writes.models import Write

VALUES = {"name": "HubSpot", "remote_id": "hubspot", "provider": "hubspot"}


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of somebody who may change connections."""
    return sign_in(Role.ADMIN)


def names(integration: Integration) -> list[str]:
    """Return the names of the objects that may be written."""
    return [row.name for row in integration.write_objects.all()]


def test_adding_an_integration(admin: Browser, project: Project) -> None:
    address = reverse("connections:integration_new", args=[project.pk])
    answer = admin.post(address, {**VALUES, "objects": " deals \r\n\r\ncontacts\r\n"})
    integration = project.integrations.get(remote_id="hubspot")
    assert answer["Location"] == project.get_absolute_url()
    assert names(integration) == ["contacts", "deals"]
    event = AuditEvent.objects.newest_first()[0]
    assert event.action == "integration.created"
    assert event.detail["objects"] == ["deals", "contacts"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"objects": ""}, "required"),
        ({"objects": "deals\ndeals"}, "twice"),
        ({"objects": "deals\n.."}, "dots"),
        ({"objects": "d" * 201}, "max_length"),
        ({"remote_id": "salesforce"}, "unique"),
        ({"name": ""}, "required"),
    ],
)
def test_bad_values_are_refused_and_kept(
    admin: Browser, project: Project, values: dict[str, str], code: str
) -> None:
    address = reverse("connections:integration_new", args=[project.pk])
    answer = admin.post(address, {**VALUES, "objects": "typed__c", **values})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == dict.fromkeys(values, [code])
    assert f'id="id_{next(iter(values))}_error"' in html
    assert values.get("objects", "typed__c") in html
    assert project.integrations.count() == 1


def test_another_project_may_have_the_same_integration(
    admin: Browser, project: Project
) -> None:
    other = Project.objects.create(name="Other", remote_id="o", environment="test")
    address = reverse("connections:integration_new", args=[other.pk])
    values = {**VALUES, "remote_id": "salesforce", "objects": "contact"}
    assert admin.post(address, values).status_code == 302


def test_editing_brings_the_objects_in_step(
    admin: Browser, integration: Integration
) -> None:
    address = reverse("connections:integration_edit", args=[integration.pk])
    html = admin.get(address).content.decode()
    assert "account\ncontact\nlead" in html
    kept = integration.write_objects.get(name="contact").pk
    values = {**VALUES, "remote_id": "salesforce", "objects": "contact\r\nquote"}
    assert admin.post(address, values).status_code == 302
    assert names(integration) == ["contact", "quote"]
    assert integration.write_objects.get(name="contact").pk == kept
    event = AuditEvent.objects.newest_first()[0]
    assert event.action == "integration.changed"
    assert event.detail["objects"] == [sorted(OBJECTS), ["contact", "quote"]]
    assert "remote_id" not in event.detail


def test_deleting_an_integration(admin: Browser, integration: Integration) -> None:
    address = reverse("connections:integration_delete", args=[integration.pk])
    admin.get(address)
    assert Integration.objects.exists()
    admin.post(address)
    assert not Integration.objects.exists()
    assert AuditEvent.objects.newest_first()[0].action == "integration.deleted"


def test_what_a_write_refers_to_stays(admin: Browser, integration: Integration) -> None:
    Write.objects.create(
        source="record",
        action="create",
        integration=integration,
        object_name="contact",
        group_ref="demo-group-id",
        started_by_name="somebody",
    )
    for name, pk in (
        ("integration_delete", integration.pk),
        ("project_delete", integration.project_id),
    ):
        answer = admin.post(reverse(f"connections:{name}", args=[pk]))
        assert answer.status_code == 422
        assert answer.context["blockers"] == ["writes"]
        assert "blocked" in Shown(answer).ids
    assert Integration.objects.exists()


def test_adding_a_group(admin: Browser, integration: Integration) -> None:
    address = reverse("connections:group_new", args=[integration.pk])
    answer = admin.post(address, {"group_ref": "acme-1", "name": "ACME"})
    assert answer["Location"] == integration.project.get_absolute_url()
    assert integration.groups.get(group_ref="acme-1").name == "ACME"
    event = AuditEvent.objects.newest_first()[0]
    assert (event.action, event.subject) == ("group.created", "ACME (acme-1)")
    assert event.project_name == "Demo"


@pytest.mark.parametrize(
    ("group_ref", "code"),
    [
        ("", "required"),
        ("demo-group-id", "unique"),
        ("x" * 201, "max_length"),
    ],
)
def test_a_bad_group_is_refused(
    admin: Browser, integration: Integration, group_ref: str, code: str
) -> None:
    address = reverse("connections:group_new", args=[integration.pk])
    answer = admin.post(address, {"group_ref": group_ref, "name": "Typed"})
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"group_ref": [code]}
    assert 'value="Typed"' in answer.content.decode()
    assert integration.groups.count() == 1


def test_changing_and_deleting_a_group(
    admin: Browser, integration: Integration
) -> None:
    group = integration.groups.get()
    edit = reverse("connections:group_edit", args=[group.pk])
    assert admin.post(edit, {"group_ref": "demo-group-id"}).status_code == 302
    group.refresh_from_db()
    assert str(group) == "demo-group-id"
    event = AuditEvent.objects.newest_first()[0]
    assert event.detail == {"name": ["Demo customer", ""]}
    delete = reverse("connections:group_delete", args=[group.pk])
    admin.get(delete)
    assert Group.objects.exists()
    admin.post(delete)
    assert not Group.objects.exists()
    assert AuditEvent.objects.newest_first()[0].action == "group.deleted"


def test_many_integrations_cost_no_more_queries(
    admin: Browser, project: Project
) -> None:
    counts = []
    for number in (0, 19):
        for index in range(number):
            row = Integration.objects.create(
                project=project, name=f"I{index}", remote_id=f"i{index}"
            )
            Group.objects.create(integration=row, group_ref="g")
        with CaptureQueriesContext(connection) as queries:
            admin.get(project.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1]
