"""Errors by kind of what the sandbox refuses; counted again by `count_failures`."""

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from console.models import Integration
from operations.models import Failure, Operation
from sandbox.app import Sandbox
from tests.conftest import make_project
from tests.writes.making import confirm, make_draft, work_off
from tests.writes.test_runs import people
from writes.worker import run_calls

pytestmark = pytest.mark.django_db


def kept() -> list[tuple[int | None, str, int]]:
    found = Failure.objects.order_by("operation", "-rows", "code")
    return list(found.values_list("operation", "code", "rows"))


def test_what_a_file_a_run_and_a_record_were_refused_for(
    sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    csv = b"external_id__c,LastName\nk-1,One\nk-2,\nk-3,\n"
    draft = make_draft(integration, olga, csv=csv, primary_key="external_id__c")
    file = confirm(draft, olga)
    today = make_project("Today", remote_id="demo-c", generation="C")
    target = today.integrations.get()
    draft = make_draft(target, olga, csv=people(5, r1="", r2=""), action="create")
    run = confirm(draft, olga)
    run_calls.run(run.pk)
    record = confirm(make_draft(integration, olga, record={"FirstName": "x"}), olga)
    work_off()
    found = kept()
    rows = {pk: rows for pk, _, rows in found}
    for operation in Operation.objects.all():
        assert rows[operation.pk] == operation.rows_failed
    assert rows == {file.pk: 2, run.pk: 2, record.pk: 1}

    Failure.objects.all().delete()
    for _ in range(2):
        call_command("count_failures", verbosity=0)
        assert kept() == found
    call_command("count_failures", after=record.pk)
    assert kept() == found
