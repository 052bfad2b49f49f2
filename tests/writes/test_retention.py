"""Forgetting: files go after their time, and never while something may need them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client as Browser
from django.utils import timezone

from console.models import AuditEvent, Integration
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import levels
from tests.conftest import actor, move_projects
from tests.writes.making import confirm, make_draft, press_send, settled, work_off
from writes import dispatch
from writes.actions import begin_job, derive
from writes.actions.retention import sweep
from writes.models import Batch, FileJob, Write
from writes.storage import stored

State = Write.State
KEY = "external_id__c"
DATA = b"external_id__c,LastName\r\nk-1,Berg\r\nk-2,\r\n"

pytestmark = pytest.mark.django_db


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def later(**parts: float) -> datetime:
    return timezone.now() + timedelta(**parts)


@pytest.fixture
def sent(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    """A write whose rows know how they fared."""
    write = settled(make_draft(integration, olga, csv=DATA, primary_key=KEY), olga)
    assert write.rows_store
    assert write.batches.get().is_settled
    return write


@pytest.mark.parametrize(
    ("environment", "days"), [("sandbox", 30), ("test", 30), ("production", 90)]
)
def test_files_are_kept_for_the_days_of_their_environment(
    environment: str, days: int, sent: Write, tmp_path: Path
) -> None:
    move_projects(environment=environment)
    assert sweep(later(days=days, minutes=-1)) == 0
    assert len(files(tmp_path)) > 0
    assert sweep(later(days=days, minutes=1)) == 1
    assert files(tmp_path) == []
    assert sweep(later(days=days, minutes=1)) == 0


def test_digests_counts_and_audit_stay_and_the_pages_say_so(
    sent: Write, browser: Browser
) -> None:
    def counts() -> list[Any]:
        sent.refresh_from_db()
        totals = sent.rows_totals
        assert totals
        digests = (sent.inspection["sha256"], sent.check_report["as_sent_sha256"])
        groups = sent.check_report["groups"]
        found = [(group["rule"], group["total"]) for group in groups]
        rows = (totals.succeeded, totals.failed, totals.unknown, totals.not_sent)
        return [sent.row_count, digests, found, rows, sent.check_report["parts"]]

    before = counts()
    sweep(later(days=31))
    assert counts() == before
    assert sent.files_deleted_at
    event = AuditEvent.objects.get(action="write.files_deleted")
    assert (event.actor_name, event.detail["rows"]) == ("system", 2)
    assert event.detail["original_sha256"] == sent.inspection["sha256"]
    assert AuditEvent.objects.first_broken() is None
    for path in ("", "file/", "rows/"):
        answer = browser.get(f"/writes/{sent.pk}/{path}", follow=True)
        assert answer.status_code == 200
        assert "data-files-deleted" in answer.content.decode()
    paths = ("original.csv", "as-sent.csv", "failed.csv", "outcomes.csv", "body.json")
    for path in paths:
        assert browser.get(f"/writes/{sent.pk}/{path}").status_code == 404
    answer = browser.post(f"/writes/{sent.pk}/retry/", follow=True)
    assert levels(answer) == ["error"]
    assert not sent.children.exists()


@pytest.mark.parametrize(
    "state", ["held", "waiting", "sending", "in_progress", "unknown"]
)
def test_nothing_goes_while_an_operation_may_need_it(
    state: str, sent: Write, tmp_path: Path
) -> None:
    values = {"due_at": timezone.now(), "sent_at": timezone.now()}
    Operation.objects.update(state=state, **values)
    Batch.objects.update(is_settled=state != "unknown")
    before = set(files(tmp_path))
    assert sweep(later(days=365)) == (state == "unknown" and 0)
    assert set(files(tmp_path)) == before


def test_nothing_goes_while_its_rows_are_joined(sent: Write, tmp_path: Path) -> None:
    begin_job.begin(sent, FileJob.Kind.JOIN, size=0, wait=False)
    before = set(files(tmp_path))
    assert sweep(later(days=365)) == 0
    assert set(files(tmp_path)) == before


def test_a_draft_goes_after_a_day_without_anybody(
    integration: Integration, olga: User, browser: Browser, tmp_path: Path
) -> None:
    write = make_draft(integration, olga, csv=DATA, primary_key=KEY)
    record = make_draft(integration, olga)
    assert sweep(later(hours=23)) == 0
    sweep(later(hours=25))
    for draft in (write, record):
        draft.refresh_from_db()
        assert draft.state == State.DISCARDED
    assert files(tmp_path) == []
    for path in ("", "file/"):
        assert browser.get(f"/writes/{write.pk}/{path}").status_code == 200
    assert press_send(browser, write).status_code == 422
    assert not Operation.objects.exists()
    assert sweep(later(hours=26)) == 0


def test_a_draft_that_somebody_came_back_to_stays(
    integration: Integration, olga: User
) -> None:
    write = make_draft(integration, olga, csv=DATA, primary_key=KEY)
    write.change(only_from=State.DRAFT, changed_at=later(hours=20))
    assert sweep(later(hours=25)) == 0
    write.refresh_from_db()
    assert write.is_draft


def test_what_was_discarded_goes_after_a_day_too(
    integration: Integration, olga: User, browser: Browser, tmp_path: Path
) -> None:
    write = make_draft(integration, olga, csv=DATA, primary_key=KEY)
    browser.post(f"/writes/{write.pk}/discard/")
    assert files(tmp_path)
    assert sweep(later(hours=25)) == 1
    assert files(tmp_path) == []


@pytest.mark.parametrize("sent_first", ["trial", "rest"])
def test_the_other_half_of_what_was_sent_is_kept(
    sent_first: str, sandbox: Sandbox, integration: Integration, olga: User
) -> None:
    rest = make_draft(integration, olga, csv=DATA, primary_key=KEY)
    trial = derive.try_first(rest, actor(olga), 1)
    for draft in (rest, trial):
        begin_job.begin(draft, FileJob.Kind.CHECK, size=0)
        draft.refresh_from_db()
    first, second = (trial, rest) if sent_first == "trial" else (rest, trial)
    confirm(first, olga)
    work_off()
    sweep(later(days=5))
    second.refresh_from_db()
    assert (second.is_draft, second.row_count) == (True, 1)
    Operation.objects.update(due_at=None)
    Batch.objects.update(is_settled=True)
    for days in (31, 33):
        sweep(later(days=days))
    second.refresh_from_db()
    assert second.state == State.DISCARDED


def test_a_file_that_nobody_names_goes_after_a_day(
    sent: Write, tmp_path: Path, settings: Any
) -> None:
    left = settings.FILE_UPLOAD_TEMP_DIR / "abc.upload"
    left.write_bytes(b"x")
    stray = tmp_path / stored(ContentFile(b"x"), "as-read")
    named = set(files(tmp_path)) - {left, stray}
    sweep(later(hours=23))
    assert set(files(tmp_path)) == named | {left, stray}
    sweep(later(hours=25))
    assert set(files(tmp_path)) == named


def test_a_new_link_to_an_old_file_is_no_stray(
    sent: Write, tmp_path: Path, settings: Any
) -> None:
    """It has the old file's time, and its write is only being made."""
    import os

    settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    path = sent.path_of("original")
    os.utime(path, (0, 0))
    twin = path.with_name("twin.csv")
    twin.hardlink_to(path)
    sweep(timezone.now())
    assert twin.exists()


def test_what_is_left_in_the_store_is_given_to_the_worker(
    sent: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[int] = []
    monkeypatch.setattr(dispatch, "enqueue_deletion", nudged.append)
    sweep(timezone.now())
    assert nudged == []
    Batch.objects.update(store_name="left.csv")
    sweep(timezone.now())
    assert nudged == [sent.batches.get().pk]
