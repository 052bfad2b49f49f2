"""Pages of a write whose values retention took away: they say so, and offer nothing."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.models import Project
from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import levels
from tests.conftest import make_project
from tests.writes.making import make_draft
from tests.writes.test_evidence import download, files_of
from tests.writes.test_values_end import (
    CREATED,
    KEY,
    MARK,
    UPSERTED,
    csv_of,
    sent,
)
from writes.actions.resend import _content
from writes.actions.retention import sweep
from writes.evidence import verify
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

GONE = "data-values-deleted"


def swept(write: Write, user: User) -> Write:
    sent(write, user)
    sweep(timezone.now() + timedelta(days=31))
    write.refresh_from_db()
    assert write.values_deleted_at
    return write


def page(browser: Browser, path: str) -> str:
    answer = browser.get(path, follow=True)
    assert answer.status_code == 200
    assert MARK not in answer.text
    return answer.text


@pytest.fixture
def refused(sandbox: Sandbox, project: Project, olga: User) -> tuple[Write, Operation]:
    """A record that Salesforce refused, long ago."""
    record = {"LastName": MARK, "Email": MARK}
    draft = make_draft(project.integrations.get(), olga, record=record)
    write = swept(draft, olga)
    return write, write.batches.get().operation


def test_the_page_of_a_record_says_so_and_offers_nothing(
    refused: tuple[Write, Operation], browser: Browser
) -> None:
    write, operation = refused
    text = page(browser, f"/operations/{operation.pk}/")
    # In the place of the request, and in that of the raw response.
    assert text.count(GONE) == 2
    for offer in ("send-again", "edit-copy", 'id="curl"', "body.json"):
        assert offer not in text
    assert operation.state == "rejected"
    # Which kind of error it was stays.
    assert operation.failures.exists()
    assert browser.get(f"/writes/{write.pk}/body.json").status_code == 404


def test_nothing_of_it_is_sent_again(
    refused: tuple[Write, Operation], browser: Browser
) -> None:
    write, operation = refused
    answer = browser.get(f"/writes/{write.pk}/again/", follow=True)
    assert levels(answer) == ["error"]
    assert answer.redirect_chain[-1][0] == f"/operations/{operation.pk}/"
    answer = browser.get(f"/writes/record/?again={write.pk}")
    assert levels(answer) == ["warning"]
    assert MARK not in answer.text
    with pytest.raises(FileNotFoundError):
        _content(write.batches.get())
    with pytest.raises(FileNotFoundError):
        write.batches.get().request()


def test_the_pack_of_a_record_says_what_is_gone_and_is_whole(
    refused: tuple[Write, Operation], browser: Browser, tmp_path: Path
) -> None:
    write, _ = refused
    content = download(browser, write)
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    verify.verify(path)
    files = files_of(content)
    told = json.loads(files["evidence.json"])["left_out"]
    assert {"bodies.ndjson", "responses.ndjson"} <= {each["name"] for each in told}
    (request,) = [json.loads(line) for line in files["requests.ndjson"].splitlines()]
    assert request["body"]["sha256"] == write.batches.get().sha256
    assert request["body"]["in"] is None
    assert not any(MARK.encode() in each for each in files.values())


@pytest.mark.parametrize("path", ["", "file/", "rows/", "grid/", "evidence"])
def test_pages_of_a_file_open_without_its_values(
    path: str, sandbox: Sandbox, project: Project, olga: User, browser: Browser
) -> None:
    rows = make_draft(project.integrations.get(), olga, csv=UPSERTED, primary_key=KEY)
    write = swept(rows, olga)
    if path == "evidence":
        assert MARK.encode() not in b"".join(
            files_of(download(browser, write)).values()
        )
        return
    text = page(browser, f"/writes/{write.pk}/{path}")
    for offer in ("retry-failed", "fix-here", "send-again", "upload-corrected"):
        assert offer not in text


def test_pages_of_a_run_open_without_its_values(
    sandbox: Sandbox, olga: User, browser: Browser
) -> None:
    today = make_project("Today", remote_id="demo-c", generation="C")
    draft = make_draft(today.integrations.get(), olga, csv=CREATED, action="create")
    write = swept(draft, olga)
    operation = write.batches.get().operation
    assert "send-again" not in page(browser, f"/operations/{operation.pk}/")
    assert GONE in page(browser, f"/writes/{write.pk}/requests/1/")


@pytest.mark.parametrize("source", ["record", "csv"])
def test_a_discarded_draft_says_so(
    source: str, sandbox: Sandbox, project: Project, olga: User, browser: Browser
) -> None:
    values = {"record": {"LastName": MARK}}
    if source == "csv":
        csv = csv_of(f"k-1,{MARK}", head=f"{KEY},LastName")
        values = {"csv": csv, "primary_key": KEY}
    draft = make_draft(project.integrations.get(), olga, **values)
    sweep(timezone.now() + timedelta(days=2))
    assert GONE in page(browser, f"/writes/{draft.pk}/")
