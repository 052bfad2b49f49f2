"""Finding the row at fault in a request that failed as a whole: by halves of it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.models import Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, make_project
from tests.writes.making import (
    check_draft,
    confirm,
    make_draft,
    plan_fault,
    received,
    records,
)
from writes.actions import derive
from writes.actions.derive import NoChild
from writes.models import Call, Write
from writes.worker import run_calls

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


def people(project: Project, user: User, count: int, *, wrong: int) -> Write:
    """Return a draft of contacts; the value of one makes its whole request fail."""
    lines = ["LastName,DoNotCall"]
    lines += [f"n{n},{'maybe' if n == wrong else 'true'}" for n in range(count)]
    csv = "\n".join([*lines, ""]).encode()
    return make_draft(project.integrations.get(), user, csv=csv, action="create")


def send(write: Write, user: User) -> list[Call]:
    operation = confirm(write, user, repeat_reason="In halves")
    run_calls.run(operation.pk)
    found = Call.objects.filter(batch__operation=operation).order_by("number")
    return list(found.select_related("batch__write__integration__project"))


def test_one_row_of_a_hundred_is_found_by_fourteen_requests(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    (first,) = send(people(project, olga, 100, wrong=36), olga)
    assert first.has_hidden_fault
    assert records(sandbox, "contact") == []
    call = first
    while call.has_hidden_fault:
        made = derive.halve(call, actor(olga))
        check_draft(made)
        halves = send(made, olga)
        assert len(halves) == 2
        (call,) = [each for each in halves if each.failed]
    assert len(received(sandbox)) == 1 + 14
    assert call.row_count == 1
    rows = call.batch.write.path_of("as_sent").read_text().splitlines()
    assert rows[call.first_row - 1] == "n36,maybe"
    written = [each["LastName"] for each in records(sandbox, "contact")]
    assert sorted(written) == sorted(f"n{n}" for n in range(100) if n != 36)


def test_the_page_of_the_request_makes_the_draft_and_sends_nothing(
    sandbox: Sandbox, project: Project, olga: User, browser: Browser
) -> None:
    (call,) = send(people(project, olga, 3, wrong=1), olga)
    page = f"/writes/{call.batch.write_id}/requests/1/"
    assert 'id="halves"' in browser.get(page).content.decode()
    answer = browser.post(f"{page}halves/", follow=True)
    made = Write.objects.get(parent=call.batch.write)
    assert made.check_report["run"]["calls"] == 2
    assert "in <strong>2 requests</strong>" in answer.content.decode()
    assert len(received(sandbox)) == 1
    # A second draft of the same rows could send them twice.
    browser.post(f"{page}halves/")
    assert Write.objects.filter(parent=call.batch.write).count() == 1


@pytest.mark.parametrize("fault", ["401", "404"])
def test_who_is_refused_finds_no_row(
    sandbox: Sandbox, project: Project, olga: User, fault: str
) -> None:
    plan_fault(sandbox, 1, fault)
    (call,) = send(people(project, olga, 3, wrong=-1), olga)
    assert call.failed == 3
    with pytest.raises(NoChild):
        derive.halve(call, actor(olga))


def test_rows_that_are_told_apart_or_unknown_need_no_halves(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    csv = b"LastName,FirstName\n,x\n,y\n"
    write = make_draft(project.integrations.get(), olga, csv=csv, action="create")
    (told,) = send(write, olga)
    assert (told.failed, told.has_hidden_fault) == (2, False)
    plan_fault(sandbox, 1, "server_error_422")
    (unknown,) = send(people(project, olga, 3, wrong=-1), olga)
    assert unknown.batch.operation.state == Operation.State.UNKNOWN
    assert not unknown.has_hidden_fault
