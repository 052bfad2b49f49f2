"""Groups and fields that are fetched from Ampersand."""

from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from ampersand import BatchLimit, Provider
from console.access.roles import Role
from console.connections.object_metadata import fields_for
from console.models import AuditEvent, Group, ObjectMetadata, Project, WriteObject
from files.field import Field
from files.fields.field_lists import as_json
from sandbox.app import Sandbox
from sandbox.installations import TOKEN
from tests.conftest import make_project, move_projects

pytestmark = pytest.mark.django_db

GROUP = "demo-group-id"


@pytest.fixture
def project(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


@pytest.fixture
def admin(sign_in: Any) -> Browser:
    """An admin's browser."""
    browser: Browser = sign_in(Role.ADMIN)
    return browser


def fetch_groups(browser: Browser, project: Project) -> Any:
    integration = project.integrations.get()
    path = f"/connections/integrations/{integration.pk}/groups/fetch/"
    return browser.post(path, follow=True)


def fetch_fields(browser: Browser, row: WriteObject, group: Group) -> Any:
    path = f"/connections/objects/{row.pk}/fields/fetch/"
    return browser.post(path, {"group": group.pk}, follow=True)


def contact(project: Project) -> WriteObject:
    return WriteObject.objects.get(integration__project=project, name="contact")


def test_installations_become_groups_with_health_and_objects(
    admin: Browser, sandbox: Sandbox, project: Project
) -> None:
    Group.objects.update(name="As we call it")
    fetch_groups(admin, project)
    groups = {each.group_ref: each for each in Group.objects.all()}
    assert groups[GROUP].name == "As we call it"
    assert groups["sample-org-id"].name == "Sample customer"
    assert groups["stale-org-id"].is_unwell
    assert not groups[GROUP].forbids_deleting("contact")
    assert groups[GROUP].forbids_deleting("account")
    assert groups[GROUP].lacks("nope__c")
    names = set(WriteObject.objects.values_list("name", flat=True))
    assert {"contact", "touchpoints__c"} <= names
    assert AuditEvent.objects.filter(action="groups.fetched").count() == 1


def test_what_is_not_installed_any_more_stays_and_says_so(
    admin: Browser, sandbox: Sandbox, project: Project
) -> None:
    integration = project.integrations.get()
    Group.objects.create(integration=integration, group_ref="typed")
    fetch_groups(admin, project)
    Group.objects.filter(group_ref="sample-org-id").update(group_ref="left")
    fetch_groups(admin, project)
    left = Group.objects.get(group_ref="left")
    assert left.is_unwell
    assert left.lacks("contact")
    assert Group.objects.get(group_ref="typed").seen_at is None


def test_no_secret_of_a_customer_is_kept_or_shown(
    admin: Browser,
    sandbox: Sandbox,
    project: Project,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Any,
) -> None:
    shown = fetch_groups(admin, project).content.decode()
    with (tmp_path / "everything.json").open("w") as file:
        call_command("dumpdata", stdout=file)
    kept = (tmp_path / "everything.json").read_text()
    assert "stale-org-id" in kept
    assert TOKEN not in kept + shown + caplog.text


def test_what_cannot_be_asked_changes_nothing(
    admin: Browser, sandbox: Sandbox, project: Project
) -> None:
    fetch_groups(admin, project)
    before = list(Group.objects.values())
    project.integrations.update(remote_id="nope")
    page = fetch_groups(admin, project)
    assert list(Group.objects.values()) == before
    assert page.context["messages"]._loaded_data[0].level_tag == "error"


def test_the_fields_of_a_customer_are_kept_with_their_digest(
    sign_in: Any, sandbox: Sandbox, project: Project
) -> None:
    row, group = contact(project), Group.objects.get()
    fetch_fields(sign_in(Role.OPERATOR), row, group)
    kept = ObjectMetadata.objects.get()
    assert len(kept.sha256) == 64
    fields = {each.name: each for each in fields_for(row, group)}
    assert fields["lastname"].is_required
    assert fields["createddate"].is_read_only
    assert fields["email"].type == "email"
    assert "Dr." in fields["salutation"].values


def test_a_failed_question_leaves_what_was_told_last(
    admin: Browser, sandbox: Sandbox, project: Project
) -> None:
    row, group = contact(project), Group.objects.get()
    fetch_fields(admin, row, group)
    before = ObjectMetadata.objects.get()
    move_projects(api_url="https://nowhere.invalid/v1")
    WriteObject.objects.filter(pk=row.pk).update(name="nope__c")
    fetch_fields(admin, WriteObject.objects.get(pk=row.pk), group)
    after = ObjectMetadata.objects.get()
    assert (after.fields, after.fetched_at) == (before.fields, before.fetched_at)
    assert after.problem
    assert fields_for(row, group)


def test_the_own_list_adds_lengths_to_what_ampersand_tells(
    admin: Browser, sandbox: Sandbox, project: Project
) -> None:
    row, group = contact(project), Group.objects.get()
    own = [
        Field(name="LastName", length=80, is_external_id=True),
        Field(name="Gone__c", length=5),
    ]
    WriteObject.objects.filter(pk=row.pk).update(fields=as_json(own))
    row.refresh_from_db()
    assert fields_for(row, group) == tuple(own)
    fetch_fields(admin, row, group)
    fields = {each.name: each for each in fields_for(row, group)}
    assert "Gone__c" not in fields
    assert (fields["LastName"].length, fields["LastName"].is_required) == (80, True)


@pytest.mark.parametrize("group", ["", "x", "0", "9" * 40, "²"])
def test_a_group_of_another_integration_is_none(
    admin: Browser, sandbox: Sandbox, project: Project, group: str
) -> None:
    path = f"/connections/objects/{contact(project).pk}/fields/"
    assert admin.get(path, {"group": group}).status_code == 200
    admin.post(f"{path}fetch/", {"group": group})
    assert not ObjectMetadata.objects.exists()


def test_the_provider_and_its_limits_come_with_the_groups(
    admin: Browser, sandbox: Sandbox, project: Project
) -> None:
    integration = project.integrations.get()
    assert integration.most_in_batch("create", "contact") == 100
    project.integrations.update(provider="")
    fetch_groups(admin, project)
    integration.refresh_from_db()
    assert (integration.provider, integration.most_in_batch("update")) == (
        "salesforce",
        100,
    )
    assert integration.limits_at
    assert integration.most_in_batch("delete") == 1


def test_limits_are_those_of_the_provider_they_were_told_of(project: Project) -> None:
    integration = project.integrations.get()
    few = BatchLimit(most=20, by_object={"Contact": 5})
    told = Provider(name="salesforce", create=few, update=BatchLimit())
    integration.keep_limits(told, timezone.now())
    assert integration.most_in_batch("create", "lead") == 20
    assert integration.most_in_batch("create", "contact") == 5
    assert integration.most_in_batch("update", "lead") == 1
    integration.provider = "hubspot"
    assert integration.most_in_batch("create", "contact") == 100
    integration.provider = "somethingElse"
    assert integration.most_in_batch("create", "contact") == 1


def test_where_the_provider_cannot_be_asked_about_its_limits_stay(
    admin: Browser, sandbox: Sandbox, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_groups(admin, project)
    before = project.integrations.get().batch_limits
    monkeypatch.setattr("sandbox.providers._KNOWN", {})
    page = fetch_groups(admin, project)
    assert project.integrations.get().batch_limits == before
    levels = [each.level_tag for each in page.context["messages"]._loaded_data]
    assert levels == ["success", "warning"]


def test_settings_of_fields_come_with_the_groups(
    admin: Browser, sandbox: Sandbox, project: Project
) -> None:
    fetch_groups(admin, project)
    group = Group.objects.get(group_ref="sample-org-id")
    settings = group.settings_of("lead")
    assert settings["description"].update == "never"
    assert settings["title"].update == "ifEmpty"
    assert settings["leadsource"].default == "Web"
    assert group.settings_of("contact") == {}
    assert Group.objects.get(group_ref=GROUP).settings_of("lead") == {}
