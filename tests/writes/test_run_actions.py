"""What a person sees of a run, and decides about it."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from ampersand import Client, NotSent
from console import freeze
from console.health import pulse
from console.models import EnvironmentControl, Project, Pulse, WriteObject
from console.runtime import db_clock
from files.field import Field
from files.fields.field_lists import as_json
from operations.models import Operation
from sandbox.app import Sandbox
from tests.conftest import actor
from tests.writes.making import (
    confirm,
    plan_fault,
    press_send,
    received,
    records,
    work_off,
)
from tests.writes.test_runs import calls, draft, people, run
from tests.writes.test_runs import project as project  # noqa: PLC0414 - a fixture
from writes import dispatch
from writes.actions import run as actions
from writes.actions.hold_restored import hold_restored
from writes.models import Batch, Call, Write
from writes.models.call import packed
from writes.worker import run_calls

State = Operation.State

pytestmark = pytest.mark.django_db


@pytest.fixture
def unknown(sandbox: Sandbox, project: Project, olga: User) -> Operation:
    """A run of three requests whose second had no answer."""
    plan_fault(sandbox, 2, "timeout_after")
    return run(project, olga, people(250))


@pytest.fixture
def stopped(sandbox: Sandbox, project: Project, olga: User) -> Operation:
    """A run of three requests whose second was refused for the key."""
    plan_fault(sandbox, 2, "401")
    return run(project, olga, people(250))


def shown_states(answer: Any) -> set[str]:
    """The states that badges on a page show."""
    return set(re.findall(r'class="state state-(\w+)"', answer.text))


def path(operation: Operation, below: str = "") -> str:
    return f"/writes/{operation.batch.write_id}/requests/{below}"


def fresh(operation: Operation) -> Operation:
    return Operation.objects.get(pk=operation.pk)


def test_the_page_of_the_operation_shows_the_run(
    browser: Browser, unknown: Operation
) -> None:
    page = browser.get(unknown.get_absolute_url())
    assert page.status_code == 200
    assert b'id="undecided"' in page.content
    panel = browser.get(path(unknown))
    progress = panel.context["progress"]
    assert (progress.over, progress.calls, progress.undecided) == (1, 3, 1)
    assert (progress.succeeded, progress.unknown, progress.not_sent) == (100, 100, 50)
    assert [each.number for each in panel.context["requests"]] == [2, 1, 3]
    seen = panel.context["seen"]
    assert browser.get(path(unknown), {"seen": seen}).status_code == 204


def test_the_page_of_a_stopped_run_says_so_until_it_goes_on(
    browser: Browser, stopped: Operation
) -> None:
    page = browser.get(stopped.get_absolute_url())
    assert b'id="stopped"' in page.content
    assert "Unauthorized" in page.context["sentence"].why
    assert b'id="send-again"' not in page.content
    assert b'id="go-on"' in page.content
    # Its badge does not claim that it goes on, here nor in the list.
    assert fresh(stopped).state == State.IN_PROGRESS
    listed = [
        browser.get(each) for each in ("/operations/", "/", "/search/?q=contacts")
    ]
    for answer in (page, *listed):
        assert shown_states(answer) == {"rests"}
    write = stopped.batch.write_id
    browser.post(f"/writes/{write}/pause/")
    assert fresh(stopped).reason.startswith("Paused by")
    browser.post(f"/writes/{write}/resume/")
    assert "Unauthorized" in fresh(stopped).reason
    browser.post(path(stopped, "go-on/"))
    assert fresh(stopped).reason == ""
    assert shown_states(browser.get("/operations/")) == {"in_progress"}


def test_what_is_being_sent_is_not_called_unknown(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = confirm(draft(project, olga, people(250)), olga)
    now = db_clock.now()
    first = Call.objects.filter(number=1)
    first.update(state=Call.State.SENDING, sent_at=now, due_at=now)
    progress = browser.get(path(operation)).context["progress"]
    assert (progress.leaving, progress.unknown, progress.not_sent) == (100, 0, 150)


def test_the_panel_asks_the_same_of_many_requests_as_of_few(
    browser: Browser,
    project: Project,
    olga: User,
    sandbox: Sandbox,
) -> None:
    counted = []
    for rows in (3, 6_000):
        operation = confirm(draft(project, olga, people(rows)), olga)
        browser.get(path(operation))
        with CaptureQueriesContext(connection) as queries:
            panel = browser.get(path(operation))
        counted.append(len(queries))
        assert len(panel.context["requests"]) == min(50, rows // 100 + 1)
        plans = [explained(each["sql"]) for each in queries if "call" in each["sql"]]
        assert not any("TEMP B-TREE FOR ORDER BY" in plan for plan in plans)
    assert counted[0] == counted[1]


def explained(sql: str) -> str:
    """Return how SQLite does a query, "" elsewhere."""
    if connection.vendor != "sqlite":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return str(cursor.fetchall())


def test_a_planned_request_is_as_its_model_makes_it(
    project: Project, olga: User, sandbox: Sandbox
) -> None:
    operation = confirm(draft(project, olga, people(3)), olga)
    planned = Call.objects.get()
    names = ("type", "first_row", "last_row", "offset", "length", "sha256", "size")
    own = {name: getattr(planned, name) for name in names}
    made = Call.objects.create(batch=operation.batch, number=2, **own)
    for field in Call._meta.concrete_fields:
        if field.name not in ("id", "number"):
            told = [getattr(each, field.attname) for each in (planned, made)]
            assert told[0] == told[1], field.name


@pytest.mark.parametrize(
    ("found", "counts", "state"),
    [
        ("written", (250, 0), State.SUCCEEDED),
        ("not_written", (150, 100), State.PARTLY_FAILED),
    ],
)
def test_a_run_goes_on_once_nothing_is_unknown(
    browser: Browser,
    sandbox: Sandbox,
    unknown: Operation,
    found: str,
    counts: tuple[int, int],
    state: str,
) -> None:
    said = {"found": found, "looked_at": "the contacts of today"}
    browser.post(path(unknown, "2/decide/"), said)
    assert fresh(unknown).state == State.IN_PROGRESS
    run_calls.run(unknown.pk)
    ended = fresh(unknown)
    assert ended.state == state
    assert (ended.rows_succeeded, ended.rows_failed) == counts
    assert len(received(sandbox)) == 3


@pytest.mark.parametrize(
    ("found", "counts"), [("written", (3, 0)), ("not_written", (2, 1))]
)
def test_a_decision_is_about_the_rows_that_are_unknown(
    browser: Browser,
    sandbox: Sandbox,
    project: Project,
    olga: User,
    found: str,
    counts: tuple[int, int],
) -> None:
    operation = run(project, olga, people(3))
    told = [["succeeded", "a", ""], ["unknown", "", ""], ["succeeded", "c", ""]]
    Call.objects.update(
        state=Call.State.UNKNOWN, succeeded=2, outcome=packed(json.dumps(told))
    )
    Operation.objects.update(state=State.UNKNOWN, ended_at=None, rows_succeeded=2)
    Batch.objects.update(calls_over=0)
    said = {"found": found, "looked_at": "the contact of row 2"}
    browser.post(path(operation, "1/decide/"), said)
    ended = fresh(operation)
    assert (ended.rows_succeeded, ended.rows_failed) == counts
    kept = Call.objects.get().rows_told()
    assert [row[1] for row in kept] == ["a", "", "c"]
    assert kept[1][0] == ("succeeded" if found == "written" else "failed")
    assert kept[1][2]


def test_of_two_people_one_decides(browser: Browser, unknown: Operation) -> None:
    said = {"found": "written", "looked_at": "x"}
    browser.post(path(unknown, "2/decide/"), said)
    browser.post(path(unknown, "2/decide/"), {**said, "found": "not_written"})
    assert fresh(unknown).rows_succeeded == 200


def test_a_decision_says_what_was_looked_at(
    browser: Browser, unknown: Operation
) -> None:
    answer = browser.post(path(unknown, "2/decide/"), {"found": "written"})
    assert answer.status_code == 422
    assert Call.objects.get(number=2).state == Call.State.UNKNOWN


def test_the_page_of_a_request_has_its_rows_body_and_answer(
    browser: Browser, unknown: Operation
) -> None:
    page = browser.get(path(unknown, "1/"))
    assert len(page.context["rows"]) == 100
    assert page.context["body"].startswith('{"groupRef":"demo-group-id"')
    assert browser.get(path(unknown, "2/")).context["rows"] == []
    assert browser.get(path(unknown, "9/")).status_code == 404


def test_a_stopped_run_goes_on_when_a_person_says_so(
    browser: Browser, sandbox: Sandbox, stopped: Operation
) -> None:
    run_calls.run(stopped.pk)
    assert len(received(sandbox)) == 2
    browser.post(path(stopped, "go-on/"))
    run_calls.run(stopped.pk)
    assert calls(stopped)[2] == ("Answered", 50, 0)
    assert fresh(stopped).state == State.PARTLY_FAILED


def test_what_a_person_let_go_on_is_stopped_by_new_failures_alone(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = run(project, olga, b"FirstName\n" + b"x\n" * 900)
    assert len(received(sandbox)) == 3
    browser.post(path(operation, "go-on/"))
    run_calls.run(operation.pk)
    assert len(received(sandbox)) == 6


def test_what_is_unknown_is_decided_before_a_run_goes_on(
    browser: Browser, sandbox: Sandbox, unknown: Operation
) -> None:
    browser.post(path(unknown, "go-on/"))
    run_calls.run(unknown.pk)
    assert len(received(sandbox)) == 2


def test_the_rest_can_be_cancelled(
    browser: Browser, sandbox: Sandbox, stopped: Operation
) -> None:
    browser.post(path(stopped, "cancel-rest/"))
    run_calls.run(stopped.pk)
    ended = fresh(stopped)
    assert ended.state == State.PARTLY_FAILED
    assert calls(stopped)[2] == ("Cancelled", 0, 0)
    assert len(received(sandbox)) == 2
    progress = browser.get(path(stopped)).context["progress"]
    assert (progress.over, progress.not_sent) == (3, 50)
    assert ended.rows_unknown == 0
    page = browser.get(ended.get_absolute_url()).text
    assert "50 not sent" in page
    assert "unknown rows" not in page


def test_a_run_of_which_nothing_was_taken_and_the_rest_is_cancelled_wrote_nothing(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 1, "429")
    operation = run(project, olga, people(250))
    browser.post(path(operation, "cancel-rest/"))
    ended = fresh(operation)
    assert ended.rows_unknown == 0
    assert "Nothing was written" in browser.get(ended.get_absolute_url()).text


@pytest.mark.parametrize("is_late", [False, True])
def test_what_has_not_left_after_all_is_cancelled_with_the_rest(
    sandbox: Sandbox, project: Project, olga: User, is_late: bool
) -> None:
    """Nobody waits for it any more: it must not go by itself afterwards."""
    operation = confirm(draft(project, olga, people(250)), olga)

    def meanwhile(*_: Any, **how: str) -> Any:
        if is_late:
            Call.objects.filter(state=Call.State.SENDING).update(due_at=db_clock.now())
            run_calls.recover_overdue(db_clock.now())
        assert actions.cancel_rest(operation.batch, actor(olga)) == 2
        raise NotSent("No connection was made")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Client, "send_batch", meanwhile)
        run_calls.run(operation.pk)
    Call.objects.filter(due_at__isnull=False).update(due_at=db_clock.now())
    run_calls.run(operation.pk)
    assert received(sandbox) == []
    assert calls(operation) == [("Cancelled", 0, 0)] * 3
    batch = fresh(operation).batch
    assert (batch.calls_over, batch.calls_due_at) == (3, None)
    assert fresh(operation).state in Operation.ENDED


def test_a_run_can_be_cancelled_before_its_first_request(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    operation = confirm(draft(project, olga, people(3)), olga)
    browser.post(path(operation, "cancel-rest/"))
    run_calls.run(operation.pk)
    assert fresh(operation).state == State.CANCELLED
    assert received(sandbox) == []


def test_a_paused_run_sends_nothing_until_it_is_resumed(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    plan_fault(sandbox, 2, "429")
    operation = run(project, olga, people(250))
    write = operation.batch.write
    browser.post(f"/writes/{write.pk}/pause/")
    Call.objects.update(due_at=None)
    Batch.objects.update(calls_due_at=None)
    before = len(received(sandbox))
    run_calls.run(operation.pk)
    assert len(received(sandbox)) == before
    browser.post(f"/writes/{write.pk}/resume/")
    batch = Batch.objects.get()
    assert batch.calls_due_at is not None


@pytest.mark.parametrize("below", ["", "1/"])
def test_what_is_no_run_has_no_requests(
    browser: Browser, integration: Any, olga: User, below: str
) -> None:
    from tests.writes.making import make_draft

    write: Write = make_draft(integration, olga)
    assert browser.get(f"/writes/{write.pk}/requests/{below}").status_code == 404


def test_the_failed_rows_are_retried_to_success(
    browser: Browser, sandbox: Sandbox, unknown: Operation
) -> None:
    from tests.writes.making import work_off

    said = {"found": "not_written", "looked_at": "x"}
    browser.post(path(unknown, "2/decide/"), said)
    run_calls.run(unknown.pk)
    work_off()
    write = unknown.batch.write
    browser.post(f"/writes/{write.pk}/retry/")
    child = Write.objects.exclude(pk=write.pk).get()
    assert (child.action, child.row_count) == ("create", 100)
    operation = confirm(child, child.started_by, repeat_reason="not written")
    run_calls.run(operation.pk)
    assert fresh(operation).state == State.SUCCEEDED
    assert len(records(sandbox, "contact")) == 350


def test_a_review_says_how_many_requests_and_shows_the_first(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, people(250))
    page = browser.get(f"/writes/{write.pk}/")
    assert write.check_report["run"]["calls"] == 3
    assert len(page.context["shown"].body["batch"]) == 3
    assert page.context["problem"] == ""
    press_send(browser, write)
    assert Operation.objects.get().kind == Operation.Kind.RUN


def test_requests_go_at_the_same_time_where_a_person_says_so(
    browser: Browser, project: Project, olga: User
) -> None:
    write = draft(project, olga, people(250))
    page = f"/writes/{write.pk}/deliver/"
    for said, together in (({"is_parallel": "on"}, True), ({}, False)):
        edition = write.edition
        assert browser.post(page, said).status_code == 302
        write.refresh_from_db()
        assert (write.is_parallel, write.edition) == (together, edition + 1)
        assert write.delivery == Write.Delivery.TEXT
    assert b'name="is_parallel"' in browser.get(f"/writes/{write.pk}/").content
    one = draft(project, olga, people(3))
    assert b'name="is_parallel"' not in browser.get(f"/writes/{one.pk}/").content


@pytest.mark.parametrize(("together", "workers"), [(True, 4), (False, 1)])
def test_as_many_workers_send_as_requests_may_go_at_once(
    project: Project,
    olga: User,
    together: bool,
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(
        dispatch, "enqueue_safely", lambda _, operation: asked.append(operation)
    )
    Project.objects.update(max_at_once=4)
    write = draft(project, olga, people(250), is_parallel=together)
    operation = confirm(write, olga)
    asked.clear()
    dispatch.enqueue_send(Operation.objects.get(pk=operation.pk))
    assert asked == [operation.pk] * workers


@pytest.mark.parametrize("count", ["", "2", "4", "three"])
def test_deleting_many_asks_how_many(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User, count: str
) -> None:
    csv = b"Id\n003SB0000000001\n003SB0000000002\n003SB0000000003\n"
    write = draft(project, olga, csv, action="delete", primary_key="Id")
    assert press_send(browser, write, {"count": count}).status_code == 422
    assert not Operation.objects.exists()
    press_send(browser, write, {"count": "3"})
    assert Operation.objects.get().state == State.WAITING


@pytest.mark.parametrize(
    ("csv", "action", "rule"),
    [
        (b"Id,LastName\n1,x\n", "create", "id-column"),
        (b"Id,LastName\n003SB0000000001,x\n", "delete", "extra-column"),
        (b"LastName\nx\n", "update", "key-missing"),
        (b"Id,LastName\n,x\n", "update", "blank-key"),
        (
            b"Id,LastName\n003SB0000000001,x\n003SB0000000001,y\n",
            "update",
            "repeated-key",
        ),
    ],
)
def test_what_no_request_can_carry_blocks(
    sandbox: Sandbox, project: Project, olga: User, csv: bytes, action: str, rule: str
) -> None:
    key = "" if action == "create" else "Id"
    write = draft(project, olga, csv, action=action, primary_key=key, faulty=True)
    groups = write.check_report["groups"]
    assert rule in {each["rule"] for each in groups if each["level"] == "blocks"}


def test_a_cell_of_a_wrong_kind_is_told_at_its_row(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    fields = [Field(name="LastName"), Field(name="Kids__c", type="int")]
    WriteObject.objects.filter(name="contact").update(fields=as_json(fields))
    csv = b"LastName,Kids__c\na,1\nb,007\nc,\n"
    write = draft(project, olga, csv, faulty=True)
    (group,) = [g for g in write.check_report["groups"] if g["rule"] == "kind"]
    assert [(each["row"], each["column"]) for each in group["first"]] == [
        (3, "Kids__c")
    ]


def test_a_restored_backup_holds_what_a_run_has_not_sent(
    browser: Browser, sandbox: Sandbox, stopped: Operation
) -> None:
    pulse.beat(db_clock.now())
    pulse.beat(db_clock.now())
    Batch.objects.update(stopped_why="", calls_due_at=db_clock.now())
    Pulse.objects.update(number=F("number") - 1)
    run_calls.run(stopped.pk)
    assert hold_restored(db_clock.now()) == 1
    run_calls.run(stopped.pk)
    assert len(received(sandbox)) == 2
    assert Write.objects.get().paused_at is not None


def test_what_a_restored_backup_held_and_is_cancelled_may_have_been_sent(
    sandbox: Sandbox, stopped: Operation, olga: User
) -> None:
    pulse.beat(db_clock.now())
    pulse.beat(db_clock.now())
    Pulse.objects.update(number=F("number") - 1)
    assert hold_restored(db_clock.now()) == 1
    before = len(received(sandbox))
    assert actions.cancel_rest(stopped.batch, actor(olga))
    work_off()
    totals = Write.objects.get().rows_totals
    assert totals
    assert (totals.not_sent, totals.unknown > 0) == (0, True)
    assert len(received(sandbox)) == before


def test_a_restored_backup_holds_a_run_that_asks_about_an_outcome(
    sandbox: Sandbox, unknown: Operation, olga: User
) -> None:
    pulse.beat(db_clock.now())
    pulse.beat(db_clock.now())
    Pulse.objects.update(number=F("number") - 1)
    assert hold_restored(db_clock.now()) == 1
    before = len(received(sandbox))
    for control in EnvironmentControl.objects.frozen():
        freeze.unfreeze(control, actor(olga))
    call = Call.objects.get(state=Call.State.UNKNOWN)
    actions.decide(call, actor(olga), was_written=True, looked_at="Salesforce")
    run_calls.run(unknown.pk)
    assert Call.objects.filter(state=Call.State.PLANNED).exists()
    assert len(received(sandbox)) == before


@pytest.mark.parametrize("below", ["", "written/", "not-written/", "send-again/"])
def test_a_run_is_not_decided_about_as_a_whole(
    browser: Browser, unknown: Operation, below: str
) -> None:
    address = f"/operations/{unknown.pk}/reconcile/{below}"
    answer = (
        browser.post(address, {"record_id": "1"}) if below else browser.get(address)
    )
    assert answer.status_code == 404
    assert fresh(unknown).state == State.UNKNOWN


def test_nobody_asks_ampersand_about_a_run(
    browser: Browser, stopped: Operation
) -> None:
    assert not stopped.can_be_asked
    browser.post(f"/operations/{stopped.pk}/ask-now/")
    assert fresh(stopped).due_at is None


@pytest.mark.parametrize("action", ["create", "update", "delete"])
def test_every_kind_of_run_has_its_pages(
    browser: Browser, sandbox: Sandbox, project: Project, olga: User, action: str
) -> None:
    column = {"create": "LastName", "update": "Id,FirstName", "delete": "Id"}[action]
    cells = {"create": "x", "update": "003SB0000000001,x", "delete": "003SB0000000001"}
    csv = f"{column}\n{cells[action]}\n".encode()
    key = "" if action == "create" else "Id"
    operation = run(project, olga, csv, action=action, primary_key=key)
    assert browser.get(operation.get_absolute_url()).status_code == 200
    page = browser.get(path(operation, "1/"))
    assert f'"type":"{action}"' in page.context["body"]
    assert browser.get("/operations/").status_code == 200
    assert browser.get("/").status_code == 200


def test_the_page_of_a_run_looks_for_news_until_its_end(
    browser: Browser, sandbox: Sandbox, stopped: Operation
) -> None:
    status = f"{stopped.get_absolute_url()}status/"
    assert browser.get(status).context["poll_seconds"]
    browser.post(path(stopped, "cancel-rest/"))
    assert browser.get(status).context["poll_seconds"] is None
