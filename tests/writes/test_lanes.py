"""Create or update by id: two lanes in one write, told by the rows of the file."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import Project
from files.mending.recipes import Recipe
from files.rows.row_store import RowStore
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor, make_project
from tests.writes.making import confirm, make_draft, received, records
from writes.actions import derive, settle
from writes.models import Call, FileJob, Write
from writes.recipe import recipe_as_json
from writes.worker import run_calls, run_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


def draft(project: Project, user: User, lines: list[str], **values: object) -> Write:
    csv = "\n".join(lines).encode()
    values = {"action": "by_id", "primary_key": "Id", **values}
    return make_draft(project.integrations.get(), user, csv=csv, **values)  # type: ignore[arg-type]


def sent(write: Write, user: User) -> Operation:
    operation = confirm(write, user)
    run_calls.run(operation.pk)
    operation.refresh_from_db()
    settle.join_told(timezone.now())
    for job in FileJob.objects.filter(kind=FileJob.Kind.JOIN, state__in=FileJob.OPEN):
        run_job.run(job.pk)
    write.refresh_from_db()
    return operation


@pytest.fixture
def known(sandbox: Sandbox, project: Project, olga: User) -> list[str]:
    """The ids of three contacts that are there."""
    lines = ["Id,LastName", ",One", ",Two", ",Three"]
    sent(draft(project, olga, lines), olga)
    return [each["Id"] for each in records(sandbox, "contact")]


@pytest.mark.parametrize("cell", ["", "003SB0000000001"])
def test_a_file_of_one_lane_goes_out_byte_for_byte(
    project: Project, olga: User, cell: str
) -> None:
    write = draft(project, olga, ["Id,LastName", f"{cell},One", ""])
    assert write.check_report["changes"] == []
    assert write.path_of("as_sent").read_bytes() == (
        f"Id,LastName\n{cell},One\n".encode()
    )


def test_a_row_without_an_id_is_created_and_one_with_an_id_updated(
    sandbox: Sandbox, project: Project, olga: User, known: list[str]
) -> None:
    rows = [f"{known[2]},C", ",New", f"{known[0]},A", ",Newer"]
    write = draft(project, olga, ["Id,LastName", *rows])
    assert write.check_report["run"] == {"creates": 2, "updates": 2, "calls": 2}
    assert [each["count"] for each in write.check_report["changes"]] == [1, 2]
    operation = sent(write, olga)
    assert operation.state == Operation.State.SUCCEEDED
    assert [each["LastName"] for each in records(sandbox, "contact")] == [
        "A",
        "Two",
        "C",
        "New",
        "Newer",
    ]
    found = Call.objects.filter(batch__operation=operation).order_by("number")
    assert [(c.type, c.first_row, c.last_row) for c in found] == [
        ("create", 2, 3),
        ("update", 4, 5),
    ]


def test_each_row_is_told_by_its_number_in_the_file(
    sandbox: Sandbox,
    project: Project,
    olga: User,
    browser: Browser,
    known: list[str],
) -> None:
    # Rows 2 and 5 of the file are refused: one of each lane.
    lines = ["Id,LastName", f"{known[0][:-4]}9AAA,A", ",New", f"{known[1]},B", ",#N/A"]
    write = draft(project, olga, lines)
    sent(write, olga)
    with RowStore(write.path_of("rows_store")) as store:
        told = [(row.row, row.sent_row, row.state) for row in store.outcomes()]
    assert told == [
        (2, 4, "failed"),
        (3, 2, "succeeded"),
        (4, 5, "succeeded"),
        (5, 3, "failed"),
    ]
    with_reasons = b"".join(browser.get(f"/writes/{write.pk}/failed-with-reasons.csv"))
    assert b'"5"' in with_reasons
    page = browser.get(f"/writes/{write.pk}/requests/2/").content.decode()
    assert 'class="number">4</td>' in page
    retry = derive.retry_failed(write, actor(olga))
    kept = retry.path_of("original").read_text().splitlines()
    assert kept == [lines[0], lines[1], lines[4]]


def test_rows_left_out_do_not_shift_the_others(
    sandbox: Sandbox, project: Project, olga: User, known: list[str]
) -> None:
    rows = [f"{known[0]},A", ",Out", f"{known[1]},B", ",In"]
    left_out = recipe_as_json(Recipe(left_out=((3, 3),)))
    write = draft(project, olga, ["Id,LastName", *rows], recipe_json=left_out)
    sent(write, olga)
    with RowStore(write.path_of("rows_store")) as store:
        assert [row.row for row in store.outcomes()] == [2, 4, 5]
        assert {row.row: row.sent_row for row in store.outcomes()} == {2: 3, 4: 4, 5: 2}


def test_more_than_a_request_takes_of_either_lane(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    first = draft(project, olga, ["Id,LastName", *(f",n{n}" for n in range(120))])
    sent(first, olga)
    ids = [each["Id"] for each in records(sandbox, "contact")]
    mixed = [line for n, id_ in enumerate(ids) for line in (f"{id_},u{n}", f",c{n}")]
    operation = sent(draft(project, olga, ["Id,LastName", *mixed]), olga)
    found = Call.objects.filter(batch__operation=operation).order_by("number")
    assert [(c.type, c.row_count) for c in found] == [
        ("create", 100),
        ("create", 20),
        ("update", 100),
        ("update", 20),
    ]
    assert operation.rows_succeeded == 240
    names = [each["LastName"] for each in records(sandbox, "contact")]
    assert names == [f"u{n}" for n in range(120)] + [f"c{n}" for n in range(120)]
    assert len(received(sandbox)) == 2 + 4


@pytest.mark.parametrize(
    ("ids", "rule"), [("same", "repeated-key"), ("null", "blank-key")]
)
def test_an_id_twice_and_one_that_is_none_are_told(
    sandbox: Sandbox,
    project: Project,
    olga: User,
    known: list[str],
    ids: str,
    rule: str,
) -> None:
    first = known[0] if ids == "same" else "#N/A"
    lines = ["Id,LastName", f"{first},A", f"{known[0][:15]},B", ",C", ",D"]
    write = draft(project, olga, lines, faulty=True)
    assert rule in {group["rule"] for group in write.check_report["groups"]}


def test_review_says_how_many_are_created_and_how_many_updated(
    sandbox: Sandbox, project: Project, olga: User, browser: Browser, known: list[str]
) -> None:
    write = draft(project, olga, ["Id,LastName", f"{known[0]},A", ",New", ",Newer"])
    page = browser.get(f"/writes/{write.pk}/").content.decode()
    assert "<strong>2 created</strong>, then <strong>1 updated</strong>" in page
