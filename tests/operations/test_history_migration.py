"""What the migration tells operations that were made before it."""

import importlib

import pytest
from django.apps import apps

from console.access.roles import Role
from console.models import Integration, Project
from operations.models import Operation
from tests.conftest import make_project, make_user
from tests.operations.conftest import make_operation
from tests.writes.making import confirm, make_draft

migration = importlib.import_module("operations.migrations.0010_history")

pytestmark = pytest.mark.django_db


def test_every_operation_learns_its_source_and_its_write(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = make_user("olga", Role.OPERATOR)
    integration: Integration = project.integrations.get()
    record = confirm(make_draft(integration, olga), olga)
    url = confirm(
        make_draft(integration, olga, url="https://x.example/y", primary_key="id"), olga
    )
    imported = make_operation(project, action="follow")
    followed = make_operation(project, action="follow", integration=None)
    wanted = {
        record.pk: ("record", record.batch.write_id),
        url.pk: ("url", url.batch.write_id),
        imported.pk: ("imported", None),
        followed.pk: ("followed", None),
    }
    made = Operation.objects.filter(pk__in=[record.pk, url.pk])
    rows = Operation.objects.values_list("pk", "source", "write_number")
    assert {pk: rest for pk, *rest in rows.filter(pk__in=made)} == {
        pk: list(wanted[pk]) for pk in (record.pk, url.pk)
    }
    Operation.objects.update(source="", write_number=None)
    monkeypatch.setattr(migration, "BLOCK", 1)
    migration.tell_sources(apps, None)
    assert {pk: tuple(rest) for pk, *rest in rows} == wanted


def test_every_operation_learns_its_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_project("Other", environment="production")
    wanted = {
        make_operation(place).pk: place.environment
        for place in (project, other, project)
    }
    rows = Operation.objects.values_list("pk", "environment")
    assert dict(rows) == wanted
    Operation.objects.update(environment="test")
    copying = importlib.import_module("operations.migrations.0017_found_by_index")
    monkeypatch.setattr(copying, "BLOCK", 1)
    copying.copy_environments(apps, None)
    assert dict(rows) == wanted
