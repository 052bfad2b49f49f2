"""Create or update by a key: looked up in the customer's system, then written."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import timezone

from ampersand import Client, RequestInvalid, SearchHit
from console.models import Project, WriteObject
from console.runtime import db_clock
from files.field import Field
from files.fields.field_lists import as_json
from files.mending.recipes import Recipe
from operations.limits import rate_limit
from operations.models import Gate, Operation
from sandbox.app import Sandbox
from tests.conftest import make_project
from tests.writes.making import (
    check_draft,
    confirm,
    get,
    have_jobs_done,
    make_draft,
    received,
    records,
)
from writes.actions import begin_job
from writes.models import FileJob, KeyLookup, Write
from writes.recipe import recipe_as_json
from writes.worker import look_up, run_calls

pytestmark = pytest.mark.django_db

KEY = "ORACLE_ID__c"


@pytest.fixture
def project(db: None) -> Project:
    """A project that speaks today's API."""
    return make_project("Today", remote_id="demo-c", generation="C")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited for a turn, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(look_up, "pause", waited.append)
    return waited


@pytest.fixture
def known(sandbox: Sandbox, project: Project, olga: User) -> None:
    """Three accounts: one has the key one, two have the key two."""
    csv = f"Name,{KEY}\nOne,one\nFirst,two\nSecond,two\n".encode()
    made = make_draft(
        project.integrations.get(),
        olga,
        object_name="account",
        action="create",
        csv=csv,
    )
    run_calls.run(confirm(made, olga).pk)


def draft(project: Project, user: User, *keys: str, **values: Any) -> Write:
    rows = [f"{key},Name of {key}" for key in keys]
    csv = "\n".join([f"{KEY},Name", *rows, ""]).encode()
    values = {"object_name": "account", "primary_key": KEY, **values}
    return make_draft(
        project.integrations.get(), user, csv=csv, action="by_key", **values
    )


def searches(sandbox: Sandbox) -> list[str]:
    return [each["value"] for each in get(sandbox, "/sandbox/searches")]


def told(write: Write) -> list[tuple[str, int]]:
    """Return rule and row of everything that blocks."""
    groups = write.check_report["groups"]
    found = [f for g in groups if g["level"] == "blocks" for f in g["first"]]
    return [(finding["rule"], finding["row"]) for finding in found]


@pytest.mark.usefixtures("known")
def test_none_one_and_two_hits_are_a_create_an_update_and_an_error(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, "one", "new", "two", faulty=True)
    assert told(write) == [("key-several", 4)]
    assert sorted(searches(sandbox)) == ["new", "one", "two"]
    left_out = recipe_as_json(Recipe(left_out=((4, 4),)))
    write.revise(is_ready=False, recipe_json=left_out)
    check_draft(write)
    # What is known is not asked for again.
    assert len(searches(sandbox)) == 3
    assert write.check_report["run"] == {"creates": 1, "updates": 1, "calls": 2}
    sent = write.path_of("as_sent").read_text().splitlines()
    id_ = next(r["Id"] for r in records(sandbox, "account") if r["Name"] == "One")
    assert sent == [f"id,{KEY},Name", ",new,Name of new", f"{id_},one,Name of one"]
    operation = confirm(write, olga)
    run_calls.run(operation.pk)
    operation.refresh_from_db()
    assert operation.state == Operation.State.SUCCEEDED
    names = [each["Name"] for each in records(sandbox, "account")]
    assert names == ["Name of one", "First", "Second", "Name of new"]
    assert not KeyLookup.objects.exists()


@pytest.mark.parametrize("key", ["O'Brien", "a\\b", "x" * 256])
def test_a_key_that_could_find_another_record_is_not_asked_for(
    sandbox: Sandbox, project: Project, olga: User, key: str
) -> None:
    write = draft(project, olga, "one", key, faulty=True)
    assert ("key-not-asked", 3) in told(write)
    assert searches(sandbox) == []


@pytest.mark.parametrize("kind", ["boolean", "date", "datetime"])
def test_a_key_of_a_kind_without_quotes_is_not_asked_for(
    sandbox: Sandbox, project: Project, olga: User, kind: Any
) -> None:
    fields = as_json([Field(name=KEY, type=kind), Field(name="Name")])
    WriteObject.objects.filter(name="account").update(fields=fields)
    key = {"boolean": "true", "date": "2026-01-02"}.get(kind, "2026-01-02T03:04:05Z")
    write = draft(project, olga, key, faulty=True)
    assert told(write) == [("key-not-asked", 2)]
    assert searches(sandbox) == []


def test_keys_that_one_search_finds_alike_are_errors_of_their_rows(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, "a-1", "b", "A-1", faulty=True)
    assert told(write) == [("key-shared", 2), ("key-shared", 4)]
    assert searches(sandbox) == []


def test_more_keys_than_are_looked_up_are_refused_without_asking(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    keys = [f"k{number}" for number in range(look_up.MOST_KEYS + 1)]
    write = draft(project, olga, *keys, faulty=True)
    assert told(write) == [("too-many-keys", 1)]
    assert searches(sandbox) == []


def test_a_column_of_ids_beside_the_key_is_refused(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    csv = f"{KEY},Name,Id\na,x,\n".encode()
    write = make_draft(
        project.integrations.get(),
        olga,
        object_name="account",
        action="by_key",
        primary_key=KEY,
        csv=csv,
        faulty=True,
    )
    assert told(write) == [("id-column", 1)]
    assert searches(sandbox) == []


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "hit",
    [
        SearchHit(id="001SB0000000001AAA", shown=({KEY: "another"},)),
        SearchHit(id="001SB0000000001AAA", shown=({},)),
        SearchHit(id="", shown=({KEY: "ONE"},)),
    ],
)
def test_a_record_that_does_not_show_the_key_and_an_id_is_none(
    project: Project, olga: User, monkeypatch: pytest.MonkeyPatch, hit: SearchHit
) -> None:
    monkeypatch.setattr(Client, "search", lambda self, **asked: (hit,))
    write = draft(project, olga, "one", faulty=True)
    assert told(write) == [("key-not-shown", 2)]


def test_no_page_asks_for_keys(sandbox: Sandbox, project: Project, olga: User) -> None:
    write = draft(project, olga, "a")
    KeyLookup.objects.all().delete()
    before = searches(sandbox)
    job = begin_job.begin(write, FileJob.Kind.CHECK, size=10)
    assert job.state == FileJob.State.WAITING
    assert searches(sandbox) == before
    have_jobs_done()
    job.refresh_from_db()
    assert job.state == FileJob.State.DONE
    assert len(searches(sandbox)) == len(before) + 1


def test_a_worker_that_was_killed_is_followed_by_one_that_asks_for_the_rest(
    sandbox: Sandbox, project: Project, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = rate_limit.admit_searches
    turns: list[int] = []

    def until_killed(project: Project, count: int) -> Any:
        turns.append(count)
        if len(turns) == 3:
            raise KeyboardInterrupt
        return really(project, count)

    monkeypatch.setattr(rate_limit, "admit_searches", until_killed)
    keys = [f"k{number}" for number in range(12)]
    with pytest.raises(KeyboardInterrupt):
        draft(project, olga, *keys)
    assert KeyLookup.objects.count() == 10
    # The lease of the one that was killed runs out.
    FileJob.objects.update(due_at=db_clock.now())
    write = Write.objects.get()
    check_draft(write)
    assert write.is_ready
    assert sorted(searches(sandbox)) == sorted(keys)


def test_what_ampersand_refuses_to_tell_is_no_answer(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    csv = b"custom_id__c\na\n"
    values = {"action": "by_key", "primary_key": "custom_id__c", "csv": csv}
    integration = project.integrations.get()
    with pytest.raises(AssertionError, match="not in the read section"):
        make_draft(integration, olga, object_name="tactics__c", **values)  # type: ignore[arg-type]
    job = FileJob.objects.get()
    assert job.state == FileJob.State.FAILED
    assert job.problem.startswith("Nothing was sent.")


@pytest.mark.parametrize("minutes", [15, -120])
def test_keys_that_were_looked_up_too_long_ago_are_not_confirmed(
    sandbox: Sandbox, project: Project, olga: User, browser: Browser, minutes: int
) -> None:
    """Nor those of a moment that is still to come: nobody knows when that was."""
    write = draft(project, olga, "a")
    assert 'id="looked-up"' in browser.get(f"/writes/{write.pk}/").content.decode()
    old = timezone.now() - timedelta(minutes=minutes)
    Write.objects.update(looked_up_at=old)
    KeyLookup.objects.update(looked_up_at=old)
    write.refresh_from_db()
    with pytest.raises(RequestInvalid):
        confirm(write, olga)
    assert received(sandbox) == []
    page = browser.get(f"/writes/{write.pk}/").content.decode()
    assert "Look up keys again" in page
    assert 'form="confirm"' not in page
    browser.post(f"/writes/{write.pk}/file/", {"do": "look-up"})
    have_jobs_done()
    assert searches(sandbox) == ["a", "a"]
    write.refresh_from_db()
    assert confirm(write, olga).state == Operation.State.WAITING


def test_a_file_whose_keys_take_longer_than_they_count_is_given_up(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, "a", "b")
    old = db_clock.now() - timedelta(minutes=16)
    KeyLookup.objects.filter(key="a").update(looked_up_at=old)
    with pytest.raises(AssertionError, match="longer than 15 minutes"):
        check_draft(write)
    assert not KeyLookup.objects.exists()


def test_what_was_told_of_one_customer_is_not_taken_for_another(
    sandbox: Sandbox, project: Project, olga: User
) -> None:
    write = draft(project, olga, "a")
    write.revise(is_ready=False, group_ref="sample-org-id")
    check_draft(write)
    assert searches(sandbox) == ["a", "a"]


@pytest.mark.parametrize(
    ("key", "address", "error"),
    [
        ("Id", "https://sandbox.invalid/v1", "Ids do not need a lookup."),
        (KEY, "", "has no search URL."),
    ],
)
def test_the_form_says_why_nothing_can_be_looked_up(
    project: Project, browser: Browser, key: str, address: str, error: str
) -> None:
    Project.objects.update(search_url=address)
    integration = project.integrations.get()
    form = {
        "token": str(uuid.uuid4()),
        "project": project.pk,
        "integration": integration.pk,
        "object": integration.write_objects.get(name="account").pk,
        "group": integration.groups.get().pk,
        "action": "by_key",
        "primary_key": key,
        "file": SimpleUploadedFile("a.csv", f"{key},Name\na,b\n".encode()),
    }
    answer = browser.post("/writes/csv/", form)
    assert answer.status_code == 422
    assert error in answer.content.decode()


def test_searches_keep_their_pace_over_all_workers(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = db_clock.now()
    monkeypatch.setattr(db_clock, "now", lambda: now)
    waits = [rate_limit.admit_searches(project, 5) for _ in range(3)]
    assert waits == [timedelta(seconds=seconds) for seconds in (0, 1, 2)]
    Gate.objects.update(reads_closed_until=now + timedelta(seconds=30))
    assert isinstance(rate_limit.admit_searches(project, 1), rate_limit.NotNow)
