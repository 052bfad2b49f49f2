"""The operations of a customer that other programs started."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.connections.installations import fetch_groups
from console.models import AuditEvent, Group, Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, make_project
from tests.sandbox.support import KEY
from tests.writes.making import call_sandbox
from tests.writes.test_runs import people, run
from writes import dispatch
from writes.worker import import_operations

pytestmark = pytest.mark.django_db

OBJECTS = "/v1/projects/demo-c/integrations/salesforce/objects"


@pytest.fixture
def project(db: None, sandbox: Sandbox, olga: User) -> Project:
    """A project that speaks today's API and knows its installations."""
    project = make_project("Today", remote_id="demo-c", generation="C")
    fetch_groups(project.integrations.get(), actor(olga))
    return project


def others(sandbox: Sandbox, count: int) -> list[str]:
    """Have another program write; return the ids of its operations."""
    body = {"groupRef": "demo-group-id", "type": "create", "record": {"LastName": "x"}}
    answers = [
        call_sandbox(sandbox, f"{OBJECTS}/contact", body, key=KEY["X-Api-Key"])
        for _ in range(count)
    ]
    return [each["operationId"] for each in answers]


def press(browser: Browser, project: Project, group_ref: str) -> Any:
    group = Group.objects.get(integration__project=project, group_ref=group_ref)
    return browser.post(f"/writes/groups/{group.pk}/import/", follow=True)


def test_what_is_new_is_followed_once(
    browser: Browser, sandbox: Sandbox, project: Project
) -> None:
    made = others(sandbox, 450)
    press(browser, project, "demo-group-id")
    followed = Operation.objects.filter(action="follow")
    assert sorted(followed.values_list("remote_id", flat=True)) == sorted(made)
    assert set(followed.values_list("object_name", "group_ref")) == {
        ("contact", "demo-group-id")
    }
    press(browser, project, "demo-group-id")
    assert followed.count() == 450
    told = AuditEvent.objects.filter(action="operations.imported").order_by("pk")
    assert [event.detail["new"] for event in told] == [450, 0]


def test_requests_of_our_own_are_not_imported(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    run(project, olga, people(250))
    press(browser, project, "demo-group-id")
    assert not Operation.objects.filter(action="follow").exists()


def test_a_group_without_an_installation_says_so(
    browser: Browser, sandbox: Sandbox, project: Project
) -> None:
    Group.objects.update(installation_id="")
    page = press(browser, project, "demo-group-id")
    assert page.context["messages"]._loaded_data[0].level_tag == "error"
    assert not Operation.objects.exists()


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The groups whose import was given to a worker."""
    asked: list[int] = []
    monkeypatch.setattr(dispatch, "enqueue_safely", lambda _, pk: asked.append(pk))
    return asked


def test_every_hour_where_the_project_says_so(
    project: Project, enqueued: list[int]
) -> None:
    now = timezone.now()
    assert dispatch.enqueue_due_imports(now) == 0
    Project.objects.update(imports_operations=True)
    installed = set(
        Group.objects.exclude(installation_id="").values_list("pk", flat=True)
    )
    dispatch.enqueue_due_imports(now)
    assert set(enqueued) == installed
    dispatch.enqueue_due_imports(now + timedelta(minutes=59))
    assert len(enqueued) == len(installed)
    dispatch.enqueue_due_imports(now + timedelta(minutes=60))
    assert len(enqueued) == 2 * len(installed)


def test_in_the_background_the_youngest_wait_for_the_next_time(
    sandbox: Sandbox, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = others(sandbox, 3)
    group = Group.objects.get(group_ref="demo-group-id")
    followed = Operation.objects.filter(action="follow")
    import_operations.import_in_background(group.pk)
    assert not followed.exists()
    Project.objects.update(imports_operations=True)
    import_operations.import_in_background(group.pk)
    assert not followed.exists()
    monkeypatch.setattr(import_operations, "TOO_YOUNG", timedelta(seconds=-5))
    for _ in range(2):
        import_operations.import_in_background(group.pk)
        assert sorted(followed.values_list("remote_id", flat=True)) == sorted(made)
    assert set(followed.values_list("started_by_name", flat=True)) == {"system"}
    events = AuditEvent.objects.filter(action="operations.imported")
    assert [event.detail["new"] for event in events] == [3]


def test_who_cannot_be_asked_in_the_background_is_asked_the_next_time(
    sandbox: Sandbox, project: Project
) -> None:
    Project.objects.update(imports_operations=True)
    Group.objects.update(installation_id="")
    import_operations.import_in_background(Group.objects.all()[0].pk)
    assert not Operation.objects.exists()
