"""The files of a write come byte for byte, and are never shown in the browser."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration
from console.runtime.trouble import MISSING
from tests.writes.making import make_draft, press_send
from writes.models import Write
from writes.views import downloads

CSV = b'\xef\xbb\xbfid,a\r\n1,"x\r\n=cmd()"\r\n'
AS_SENT = b'id,a\n1,"x\n=cmd()"\n'

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """A draft of a file that is sent otherwise than it came."""
    return make_draft(integration, olga, csv=CSV, primary_key="id")


def content(answer: Any) -> bytes:
    """Return the body of an answer, streamed or not."""
    if answer.streaming:
        return b"".join(answer.streaming_content)
    return bytes(answer.content)


@pytest.mark.parametrize(
    ("name", "expected"), [("original.csv", CSV), ("as-sent.csv", AS_SENT)]
)
def test_a_file_comes_byte_for_byte_to_be_saved(
    name: str, expected: bytes, write: Write, browser: Browser
) -> None:
    answer = browser.get(f"/writes/{write.pk}/{name}")
    assert content(answer) == expected
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == (
        f'attachment; filename="write-{write.pk}-{name}"'
    )
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_body_is_what_was_confirmed(write: Write, browser: Browser) -> None:
    assert browser.get(f"/writes/{write.pk}/body.json").status_code == 404
    press_send(browser, write)
    answer = browser.get(f"/writes/{write.pk}/body.json")
    assert content(answer) == write.batches.get().request().content()
    assert json.loads(content(answer))["recordsCSV"] == AS_SENT.decode()
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["original.csv", "as-sent.csv", "body.json"])
def test_a_file_that_is_gone_is_not_there(
    name: str, write: Write, browser: Browser
) -> None:
    press_send(browser, write)
    for kept in (write.original, write.as_sent):
        kept.storage.delete(kept.name)
    assert browser.get(f"/writes/{write.pk}/{name}").status_code == 404


@pytest.mark.parametrize("name", ["original.csv", "as-sent.csv", "body.json"])
def test_a_draft_of_a_record_has_no_files(
    name: str, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga)
    assert browser.get(f"/writes/{write.pk}/{name}").status_code == 404


@pytest.mark.parametrize("name", ["original.csv", "as-sent.csv", "body.json"])
def test_what_was_sent_may_be_read_by_a_viewer(
    name: str, write: Write, browser: Browser, sign_in: Callable[..., Browser]
) -> None:
    press_send(browser, write)
    viewer = sign_in(Role.VIEWER)
    answer = viewer.get(f"/writes/{write.pk}/{name}")
    assert answer.status_code == 200
    answer.close()


def test_a_file_that_is_missing_is_told_in_words(
    write: Write, browser: Browser
) -> None:
    path = write.path_of("original")
    path.unlink()
    answer = browser.get(f"/writes/{write.pk}/original.csv")
    assert answer.status_code == 404
    # What is missing, since when it was there, and what that means.
    for words in (
        f"write {write.pk}",
        write.file_name,
        "What was sent is not affected",
    ):
        assert words in answer.text
    assert f"{write.created_at:%-d %b %Y}" in answer.text
    for column in ("as_sent", "rows_store"):
        assert column not in answer.text


@pytest.mark.parametrize(
    "name", ["original.csv", "as-sent.csv", "body.json", "findings.csv"]
)
def test_one_that_is_taken_away_at_that_moment_is_told_in_words(
    name: str, write: Write, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> Any:
        text = "the system's words"
        raise FileNotFoundError(errno.ENOENT, text, "/where/it/lies")

    press_send(browser, write)
    monkeypatch.setattr(downloads, "measure", gone)
    monkeypatch.setattr(Write, "path_of", gone)
    answer = browser.get(f"/writes/{write.pk}/{name}")
    assert answer.status_code == 404
    for raw in ("Errno", "/where/it/lies", "the system"):
        assert raw not in answer.text


@pytest.mark.parametrize("name", ["original.csv", "as-sent.csv", "body.json"])
def test_one_that_is_out_of_sight_is_not_called_gone(
    name: str, write: Write, browser: Browser, settings: Any, tmp_path: Path
) -> None:
    press_send(browser, write)
    for kind in ("original", "as_sent"):
        write.path_of(kind).unlink()
    settings.DATA_DIR = tmp_path / "unmounted"
    answer = browser.get(f"/writes/{write.pk}/{name}")
    assert MISSING.text in answer.text
    assert "upload the file again" not in answer.text
