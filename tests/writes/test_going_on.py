"""A clean file goes on to its review by itself, whatever its size."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from writes.actions import begin_job
from writes.models import FileJob, Write
from writes.worker import run_job

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

HEADER = b"external_id__c,LastName\n"
CLEAN = HEADER + b"a-1,Berg\na-2,Lau\n"
WARNED = b"EXTERNAL_ID__C,LastName\na-1,Berg\n"
BLOCKED = HEADER + b"a-1,Berg\na-1,Lau\n"


@pytest.fixture(autouse=True)
def _all_files_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begin_job, "SMALL", 1)


def upload(browser: Browser, target: dict[str, Any], data: bytes) -> str:
    """Upload a file; return where the browser is sent to wait."""
    file = SimpleUploadedFile("contacts.csv", data)
    values = {**target, "primary_key": "external_id__c", "file": file}
    answer = browser.post("/writes/csv/", values)
    assert answer.status_code == 302
    return str(answer["Location"])


def check() -> Write:
    run_job.run(FileJob.objects.get(state__in=FileJob.OPEN).pk)
    return Write.objects.get()


def polled(page: str) -> str:
    """Return the address that a waiting page asks."""
    found = re.search(r'id="file-work".*?hx-get="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


def refreshed(page: str) -> str:
    """Return where the link leads that stands for asking without JavaScript."""
    found = re.search(r'<noscript><p><a href="([^"]+)"', page)
    assert found
    return found[1]


def test_the_waiting_page_of_a_clean_file_leads_to_the_review(
    target: dict[str, Any], browser: Browser
) -> None:
    page = browser.get(upload(browser, target, CLEAN)).text
    fragment = browser.get(polled(page).replace("seen=", "seen=x")).text
    write = check()
    for waiting in (page, fragment):
        answer = browser.get(polled(waiting), headers={"HX-Request": "true"})
        assert answer["HX-Redirect"] == f"/writes/{write.pk}/"
        assert browser.get(refreshed(waiting))["Location"] == f"/writes/{write.pk}/"


@pytest.mark.parametrize("data", [WARNED, BLOCKED])
def test_what_has_findings_stays_on_its_page(
    data: bytes, target: dict[str, Any], browser: Browser
) -> None:
    page = browser.get(upload(browser, target, data)).text
    write = check()
    assert not write.is_ready or write.has_warnings
    answer = browser.get(polled(page), headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
    assert browser.get(refreshed(page)).status_code == 200


def test_who_changes_the_file_stays_on_its_page(
    target: dict[str, Any], browser: Browser
) -> None:
    upload(browser, target, CLEAN)
    write = check()
    answer = browser.post(f"/writes/{write.pk}/file/?then=review", {"do": "check"})
    assert answer["Location"] == f"/writes/{write.pk}/file/"
    page = browser.get(answer["Location"]).text
    check()
    answer = browser.get(polled(page), headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert browser.get(refreshed(page)).status_code == 200


def test_what_was_sent_or_put_away_meanwhile_is_not_gone_on_with(
    target: dict[str, Any], browser: Browser
) -> None:
    place = upload(browser, target, CLEAN)
    write = check()
    browser.post(f"/writes/{write.pk}/discard/")
    assert browser.get(place).status_code == 200
