"""Rows are joined again as often as somebody wishes, while file and logs are kept."""

import sqlite3
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.utils import timezone

from console.models import AuditEvent, Integration
from console.runtime import trouble
from files.rows import row_tables
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import begin_job, retention
from writes.models import FileJob, Write
from writes.worker import run_job

State = FileJob.State
JOIN = FileJob.Kind.JOIN
KEY = "external_id__c"

pytestmark = pytest.mark.django_db


def sqlite_error(code: int) -> sqlite3.OperationalError:
    """Return an error as SQLite raises it."""
    error = sqlite3.OperationalError("as SQLite calls it")
    error.sqlite_errorcode = code
    return error


class FullDisk:
    """In place of a new database: it cannot be written to."""

    def __init__(self, path: Path, **_: Any) -> None:
        path.touch()

    def executescript(self, script: str) -> None:
        raise sqlite_error(sqlite3.SQLITE_FULL)

    def close(self) -> None:
        pass


@pytest.fixture
def draft(integration: Integration, olga: User) -> Write:
    """Three rows, of which one will fail."""
    data = b"external_id__c,LastName\nk-1,A\nk-2,\nk-3,C\n"
    return make_draft(integration, olga, csv=data, primary_key=KEY)


@pytest.fixture
def joined(sandbox: Sandbox, draft: Write, olga: User) -> Write:
    """They were sent and joined."""
    confirm(draft, olga)
    work_off()
    draft.batches.update(is_settled=True)
    draft.refresh_from_db()
    return draft


@pytest.fixture
def failed(
    sandbox: Sandbox, draft: Write, olga: User, monkeypatch: pytest.MonkeyPatch
) -> Write:
    """They were sent, and joining them failed."""
    with monkeypatch.context() as patch:
        patch.setattr(row_tables.sqlite3, "connect", FullDisk)
        confirm(draft, olga)
        for _ in range(3):
            work_off()
            FileJob.objects.filter(state__in=FileJob.OPEN).update(due_at=timezone.now())
    draft.refresh_from_db()
    job = FileJob.objects.last_of(draft, JOIN)
    assert job
    assert job.state == State.FAILED
    return draft


def join(write: Write) -> FileJob:
    """Do the join that is open; return its job."""
    job = write.jobs.get(kind=JOIN, state__in=FileJob.OPEN)
    run_job.run(job.pk)
    job.refresh_from_db()
    write.refresh_from_db()
    return job


def half_made(folder: Path) -> list[Path]:
    """Return the files that nobody finished."""
    return [path for path in folder.rglob(".*") if path.is_file()]


def test_a_full_disk_leaves_nothing_behind_and_is_told_as_what_it_is(
    failed: Write, tmp_path: Path
) -> None:
    job = FileJob.objects.last_of(failed, JOIN)
    assert job
    assert trouble.FULL.text in job.problem
    assert "Nothing was sent" not in job.problem
    assert half_made(tmp_path) == []


def test_a_button_joins_again_what_failed(failed: Write, browser: Browser) -> None:
    page = f"/writes/{failed.pk}/rows/"
    assert "join-again" in Shown(browser.get(page)).ids
    answer = browser.post(f"/writes/{failed.pk}/rejoin/")
    assert answer.status_code == 302
    assert answer["Location"] == page
    # While it works there is nothing to press, and no word of a failure.
    assert "join-again" not in Shown(browser.get(page)).ids
    assert join(failed).state == State.DONE
    assert failed.rows_totals
    assert (failed.rows_totals.succeeded, failed.rows_totals.failed) == (2, 1)
    event = AuditEvent.objects.get(action="rows.rejoined")
    assert (event.actor_name, event.detail) == ("olga", {"write": failed.pk})


def test_the_page_of_the_operation_says_that_rows_were_not_joined(
    failed: Write, browser: Browser
) -> None:
    panel = browser.get(f"/writes/{failed.pk}/rows/panel/")
    assert panel.context["is_not_joined"]
    assert "when the write has ended" not in panel.text


def test_rows_that_are_there_are_joined_again_and_stay_until_then(
    joined: Write, browser: Browser
) -> None:
    page = f"/writes/{joined.pk}/rows/"
    assert "join-again" in Shown(browser.get(page)).ids
    before = joined.path_of("rows_store")
    for _ in range(2):
        browser.post(f"/writes/{joined.pk}/rejoin/")
    assert before.exists()
    assert {"joining", "rows-heading"} <= Shown(browser.get(page)).ids
    assert AuditEvent.objects.filter(action="rows.rejoined").count() == 1
    assert join(joined).state == State.DONE
    assert not before.exists()
    assert joined.path_of("rows_store").exists()


def test_that_joining_again_failed_is_told_beside_what_was_joined_before(
    joined: Write, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.post(f"/writes/{joined.pk}/rejoin/")
    monkeypatch.setattr(run_job, "MOST_ATTEMPTS", 1)
    with monkeypatch.context() as patch:
        patch.setattr(row_tables.sqlite3, "connect", FullDisk)
        assert join(joined).state == State.FAILED
    page = browser.get(f"/writes/{joined.pk}/rows/")
    assert {"join-failed", "rows-heading", "join-again"} <= Shown(page).ids


@pytest.mark.parametrize("what", ["older", "broken", "gone", "never", "words"])
def test_rows_of_another_version_can_be_joined_again(
    what: str, joined: Write, browser: Browser
) -> None:
    """The page must not say for ever that the write has not ended."""
    path = joined.path_of("rows_store")
    if what == "older":
        path.unlink()
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE outcomes (row INTEGER, state TEXT)")
        database.close()
    elif what == "broken":
        path.write_bytes(b"SQLite format 3\0" + bytes(5000))
    elif what == "gone":
        path.unlink()
    elif what == "words":
        Write.objects.update(rows_report={"total": 3})
    else:
        joined.jobs.all().delete()
        Write.objects.update(rows_store="", rows_report={}, rows_told="")
    page = browser.get(f"/writes/{joined.pk}/rows/")
    assert page.status_code == 200
    assert page.context["has_ended"]
    assert "join-again" in Shown(page).ids
    if what != "words":
        for name in ("failed.csv", "outcomes.csv"):
            answer = browser.get(f"/writes/{joined.pk}/{name}")
            assert answer.status_code == 404
        browser.post(f"/writes/{joined.pk}/retry/")
        assert not joined.children.exists()
    browser.post(f"/writes/{joined.pk}/rejoin/")
    assert join(joined).state == State.DONE
    assert "rows-heading" in Shown(browser.get(f"/writes/{joined.pk}/rows/")).ids


def test_what_has_not_ended_is_not_joined(
    draft: Write, olga: User, browser: Browser
) -> None:
    browser.post(f"/writes/{draft.pk}/rejoin/")
    confirm(draft, olga)
    browser.post(f"/writes/{draft.pk}/rejoin/")
    assert not draft.jobs.filter(kind=JOIN).exists()
    assert not AuditEvent.objects.filter(action="rows.rejoined").exists()
    page = browser.get(f"/writes/{draft.pk}/rows/")
    assert not page.context["has_ended"]
    assert "join-again" not in Shown(page).ids


def test_what_was_swept_away_is_not_joined(joined: Write, browser: Browser) -> None:
    retention.sweep(timezone.now() + timedelta(days=100))
    browser.post(f"/writes/{joined.pk}/rejoin/")
    assert joined.jobs.filter(kind=JOIN).count() == 1
    page = browser.get(f"/writes/{joined.pk}/rows/")
    assert "join-again" not in Shown(page).ids


def told(*args: Any, **options: Any) -> str:
    """Return what the command says."""
    out = StringIO()
    call_command("rejoin", *args, stdout=out, stderr=out, **options)
    return out.getvalue()


def test_the_command_joins_all_that_failed(failed: Write) -> None:
    assert told(failed=True).startswith("1 of 1 ")
    assert join(failed).state == State.DONE
    assert told(failed=True).startswith("0 of 0 ")


def test_the_command_finds_what_was_never_joined(joined: Write) -> None:
    joined.jobs.all().delete()
    Write.objects.update(rows_store="", rows_report={}, rows_told="")
    assert told("--failed").startswith("1 of 1 ")


def test_the_command_joins_one_by_either_number(joined: Write) -> None:
    assert told(str(joined.pk)).startswith("1 write ")
    assert join(joined).state == State.DONE
    operation = joined.batches.get().operation_id
    assert told("--operation", str(operation)).startswith("1 write ")
    assert join(joined).state == State.DONE
    names = AuditEvent.objects.filter(action="rows.rejoined")
    assert {event.actor_name for event in names} == {"the command line"}


def test_the_command_names_what_it_cannot_join(draft: Write) -> None:
    for args in ([str(draft.pk)], ["999999"], ["--operation", "999999"]):
        with pytest.raises(CommandError, match="Nothing was begun"):
            call_command("rejoin", *args)


def test_news_after_a_failure_are_joined_by_themselves(
    failed: Write, olga: User
) -> None:
    operation = failed.batches.get().operation
    number = operation.version + 1
    operation.transitions.create(
        number=number,
        from_state=operation.state,
        to_state="succeeded" if operation.state != "succeeded" else "failed",
        actor_name="",
    )
    failed.batches.update(is_settled=False)
    work_off()
    failed.refresh_from_db()
    assert failed.rows_totals


def test_what_a_killed_process_half_made_is_swept(
    joined: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = joined.path_of("rows_store").parent
    left = folder / f".{'0' * 32}.rows.sqlite3.{'1' * 32}"
    left.touch()
    named = {path for path in tmp_path.rglob("*") if path.is_file()} - {left}
    soon, later = (timezone.now() + timedelta(minutes=m) for m in (50, 70))
    retention.sweep(soon)
    assert left.exists()
    # Somebody may be making it.
    job = begin_job.begin(joined, JOIN, size=0, wait=False)
    retention.sweep(later)
    assert left.exists()
    run_job.run(job.pk)
    joined.refresh_from_db()
    named = (named | {joined.path_of("rows_store")}) & set(tmp_path.rglob("*"))
    retention.sweep(later)
    assert half_made(tmp_path) == []
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == named
