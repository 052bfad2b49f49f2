"""The form for a CSV file: what is wrong with it, and what is kept of it."""

from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from console import uploads
from console.models import Integration
from tests.answers import Shown, codes
from tests.writes.making import make_draft
from tests.writes.pages import Page
from writes.models import Write
from writes.worker import run_job

HOSTILE = "<img src=x onerror=alert(1)>"
SOUND = b"id,LastName\n1,Berg\n2,Tal\n"
MIB = 1024 * 1024

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def kept(folder: Path) -> list[Path]:
    """Return every file that was stored."""
    return [path for path in folder.rglob("*") if path.is_file()]


def upload(
    browser: Browser,
    target: dict[str, Any],
    data: bytes,
    name: str = "contacts.csv",
    key: str = "id",
    **others: Any,
) -> Any:
    """Post a file and return the answer."""
    file = SimpleUploadedFile(name, data)
    form = {**target, "primary_key": key, "file": file}
    return browser.post("/writes/csv/", form, **others)


def test_a_sound_file_is_kept_as_it_came_and_as_it_goes(
    browser: Browser, target: dict[str, Any]
) -> None:
    data = b"\xef\xbb\xbfID,LastName\r\n1,Berg\r\n"
    upload(browser, target, data)
    write = Write.objects.get()
    with write.original.open("rb") as file:
        assert file.read() == data
    with write.as_sent.open("rb") as file:
        assert file.read() == b"ID,LastName\n1,Berg\n"
    assert (write.row_count, write.file_name) == (1, "contacts.csv")
    assert write.primary_key == "ID"


def test_the_review_tells_what_was_changed(
    browser: Browser, target: dict[str, Any]
) -> None:
    answer = upload(browser, target, b"\xef\xbb\xbfID\r\n1\r\n", follow=True)
    report = Write.objects.get().check_report
    # Its byte order mark and two line ends.
    assert sorted(change["count"] for change in report["changes"]) == [1, 2]
    [key] = report["groups"]
    assert key["rule"] == "key-case"
    shown = unescape(answer.content.decode())
    for told in (*(c["what"] for c in report["changes"]), key["first"][0]["message"]):
        assert told in shown


@pytest.mark.parametrize("htmx", [False, True])
def test_a_file_with_faults_is_kept_and_its_page_lists_them(
    htmx: bool, browser: Browser, target: dict[str, Any]
) -> None:
    data = b"id,LastName\n1,Berg\n1,Tal\n,Lau\n4\n"
    headers = {"HX-Request": "true"} if htmx else {}
    answer = upload(browser, target, data, headers=headers)
    write = Write.objects.get()
    page = f"/writes/{write.pk}/file/"
    assert answer.headers["HX-Redirect" if htmx else "Location"] == page
    assert not write.is_ready
    shown = browser.get(page).context["rules"]
    groups = [group for rule in shown for group in rule.groups]
    rows = {finding["row"] for group in groups for finding in group["first"]}
    assert {2, 3, 4, 5} <= rows


def test_a_file_in_latin_1_is_read_only_after_a_question(
    browser: Browser, target: dict[str, Any]
) -> None:
    answer = upload(browser, target, "id,a\n1,é\n".encode("latin-1"), follow=True)
    assert "reading-heading" in Page(answer).ids
    write = Write.objects.get()
    assert (write.is_ready, write.as_sent.name) == (False, "")


def test_no_file_is_told_at_its_field(browser: Browser, target: dict[str, Any]) -> None:
    answer = browser.post("/writes/csv/", {**target, "primary_key": "id"})
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"file": ["required"]}
    assert "id_file_error" in Page(answer).ids


def test_an_empty_file_is_told(browser: Browser, target: dict[str, Any]) -> None:
    answer = upload(browser, target, b"", follow=True)
    assert [group["rule"] for group in answer.context["report"]["groups"]] == ["empty"]
    assert not Write.objects.get().is_ready


def test_a_large_file_is_checked_by_the_worker_and_goes_in_parts(
    browser: Browser, target: dict[str, Any]
) -> None:
    row = b"%d," + b"x" * 100_000 + b"\n"
    data = b"id,a\n" + b"".join(row % number for number in range(110))
    answer = upload(browser, target, data, follow=True)
    assert "file-work" in Page(answer).ids
    write = Write.objects.get()
    assert not write.is_ready
    run_job.run(write.jobs.get().pk)
    write.refresh_from_db()
    assert (write.is_ready, write.delivery) == (True, "parts")
    assert len(write.check_report["parts"]) == 2


def test_a_file_over_1_gib_is_not_kept_at_all(
    browser: Browser,
    target: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert uploads.LARGEST_FILE == 1024 * MIB
    monkeypatch.setattr(uploads, "LARGEST_FILE", MIB)
    answer = upload(browser, target, b"id\n" + b"x" * MIB)
    assert answer.status_code == 413
    assert codes(answer.context["form"]) == {"file": ["too-big"]}
    assert Page(answer).submits["primary_key"] == ["id"]
    assert not answer.wsgi_request.FILES
    assert not Write.objects.exists()
    assert kept(tmp_path) == []
    assert upload(browser, target, b"id\n" + b"x" * (MIB - 3)).status_code == 302


def test_a_body_that_is_cut_off_is_a_bad_request(browser: Browser) -> None:
    answer = browser.post(
        "/writes/csv/",
        b"--x\r\nContent-Disposition: form-data; na",
        content_type="multipart/form-data; boundary=",
    )
    assert answer.status_code == 400
    assert not Write.objects.exists()


@pytest.mark.hostile
@pytest.mark.parametrize("key", ["", "x" * 201, "i\0d"])
def test_a_wrong_primary_key_is_told_at_its_field(
    key: str, browser: Browser, target: dict[str, Any]
) -> None:
    answer = upload(browser, target, SOUND, key=key)
    assert answer.status_code == 422
    assert "id_primary_key_error" in Page(answer).ids


@pytest.mark.hostile
def test_hostile_text_of_a_file_is_escaped(
    browser: Browser, target: dict[str, Any]
) -> None:
    data = f'id,"{HOSTILE}"\n1,"{HOSTILE}"\n'.encode()
    name = f"{HOSTILE}\x07.csv"
    for answer in (
        upload(browser, target, data, name=name, follow=True),
        upload(browser, target, data + b"1,x\n", name=name, follow=True),
        upload(browser, target, data, name=name, key=HOSTILE + "y", follow=True),
    ):
        assert "<img src=x" not in answer.content.decode()
        assert "&lt;img src=x" in answer.content.decode()
        assert Page(answer).inline == []


def test_a_long_file_name_is_cut(browser: Browser, target: dict[str, Any]) -> None:
    assert upload(browser, target, SOUND, name="x" * 400 + ".csv").status_code == 302
    assert Write.objects.get().file_name.endswith(".csv")


def test_the_earlier_file_serves_again_until_another_is_chosen(
    browser: Browser, target: dict[str, Any], integration: Integration, olga: User
) -> None:
    first = make_draft(integration, olga, csv=SOUND, primary_key="id")
    form = {**target, "primary_key": "LastName", "again": first.pk}
    answer = browser.get("/writes/csv/", {"again": first.pk})
    assert "contacts.csv" in Shown(answer).texts["id_file_helptext"]
    browser.post("/writes/csv/", form)
    second = Write.objects.exclude(pk=first.pk).get()
    assert second.path_of("as_sent").read_bytes() == SOUND
    assert second.primary_key == "LastName"
    upload(browser, {**target, "again": first.pk}, b"id\n7\n")
    second.refresh_from_db()
    assert second.path_of("as_sent").read_bytes() == b"id\n7\n"


def test_an_earlier_file_that_is_gone_is_told_at_its_field(
    browser: Browser, target: dict[str, Any], integration: Integration, olga: User
) -> None:
    first = make_draft(integration, olga, csv=SOUND, primary_key="id")
    first.original.storage.delete(first.original.name)
    form = {**target, "primary_key": "id", "again": first.pk}
    answer = browser.post("/writes/csv/", form)
    assert answer.status_code == 422
    assert "id_file_error" in Page(answer).ids
    assert Write.objects.count() == 1
