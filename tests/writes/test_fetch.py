"""A refused address: the console fetches the file itself, and it is fixed there."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from operations.models import Operation
from tests.answers import levels
from tests.writes.making import have_jobs_done
from tests.writes.pages import Page
from tests.writes.test_url_check import CSV, Web, review, web
from writes.models import FileJob, Write
from writes.worker import fetch_file

__all__ = ["web"]

FAULTY = CSV.replace(b"\n", b"\r\n") + b"k-1,Again\r\n"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def fetch(browser: Browser, write: Write) -> Write:
    """Press the button; return the draft that the page is of then."""
    answer = browser.post(f"/writes/{write.pk}/fetch/")
    made = Write.objects.latest("pk")
    assert answer["Location"] == f"/writes/{made.pk}/file/?then=review"
    return made


@pytest.fixture
def refused(web: Web, browser: Browser, target: dict[str, Any]) -> Write:
    """A draft whose address gives a file without the key."""
    answer = review(browser, target, web.url, "Nr")
    assert "fetch" in Page(answer).ids
    return Write.objects.get()


def test_it_becomes_a_file_with_the_same_destination(
    web: Web, browser: Browser, refused: Write
) -> None:
    web.content = FAULTY
    made = fetch(browser, refused)
    # Nothing is fetched while a page waits.
    assert (made.original.name, made.jobs.get().state) == ("", "waiting")
    refused.refresh_from_db()
    assert refused.state == Write.State.DISCARDED
    have_jobs_done()
    made.refresh_from_db()
    assert (made.source, made.file_name) == ("csv", "data.csv")
    for name in ("integration_id", "object_name", "group_ref", "primary_key", "action"):
        assert getattr(made, name) == getattr(refused, name)
    assert made.path_of("original").read_bytes() == FAULTY
    assert not made.is_ready
    # Signed addresses are as good as passwords.
    assert (made.url, made.remote_file) == ("", {})
    assert not Operation.objects.exists()


def test_an_address_that_gives_no_file_is_not_offered(
    web: Web, browser: Browser, target: dict[str, Any]
) -> None:
    web.status = 404
    answer = review(browser, target, web.url)
    assert "fetch" not in Page(answer).ids
    answer = browser.post(f"/writes/{Write.objects.get().pk}/fetch/", follow=True)
    assert levels(answer) == ["warning"]
    assert Write.objects.get().is_draft


def refuse(web: Web, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    web.status = 403


def lead_inside(web: Web, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PRIVATE_HOSTS = []


def be_too_large(web: Web, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_file, "LARGEST_FILE", 10)


@pytest.mark.parametrize("prevent", [refuse, lead_inside, be_too_large])
def test_what_does_not_come_is_told_and_leaves_nothing(
    prevent: Any,
    web: Web,
    browser: Browser,
    refused: Write,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    made = fetch(browser, refused)
    prevent(web, settings, monkeypatch)
    have_jobs_done()
    job = made.jobs.get()
    assert (job.state, job.attempts) == (FileJob.State.FAILED, 1)
    answer = browser.get(f"/writes/{made.pk}/file/")
    assert "Nothing was sent." in answer.text
    assert "unchecked-heading" in Page(answer).ids
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    # It can be tried again from there, by a worker again.
    monkeypatch.undo()
    web.status = 200
    settings.PRIVATE_HOSTS = [("127.0.0.1", web.server_address[1])]
    browser.post(f"/writes/{made.pk}/file/", {"do": "check", "edition": made.edition})
    have_jobs_done()
    made.refresh_from_db()
    assert made.path_of("original").read_bytes() == CSV


def test_what_was_discarded_meanwhile_is_not_fetched(
    browser: Browser, refused: Write, olga: User
) -> None:
    made = fetch(browser, refused)
    browser.post(f"/writes/{made.pk}/discard/")
    have_jobs_done()
    made.refresh_from_db()
    assert (made.original.name, made.state) == ("", "discarded")
