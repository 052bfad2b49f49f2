"""No workbook is read in the web process, nor while a page waits."""

import io
import subprocess
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from files.reading import apart
from tests.files.test_workbooks import HEADER, plain, row, text, workbook
from tests.writes.conftest import _stored_in_a_folder_of_its_own  # noqa: F401
from tests.writes.making import have_jobs_done
from writes.models import FileJob, Write

pytestmark = pytest.mark.django_db

State = FileJob.State


def table(path: Path) -> bytes:
    """Return a workbook of two sheets with three rows each."""
    rows = [row(n, text(f"A{n}", f"k-{n}"), plain(f"B{n}", n)) for n in (2, 3, 4)]
    return workbook(path, HEADER, *rows, names=("A", "B")).read_bytes()


def archive(**parts: bytes) -> bytes:
    """Return a ZIP archive of these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return file.getvalue()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The processes that were started to read something."""
    started: list[Any] = []
    really = subprocess.Popen

    def start(*args: Any, **options: Any) -> Any:
        started.append(args)
        return really(*args, **options)

    monkeypatch.setattr(apart.subprocess, "Popen", start)
    return started


def upload(
    browser: Browser, target: dict[str, Any], data: bytes, name: str = "a.xlsx"
) -> Any:
    """Post a file as a write of its own, and return the answer."""
    file = SimpleUploadedFile(name, data)
    form = {**target, "token": uuid.uuid4(), "primary_key": "id", "file": file}
    return browser.post("/writes/csv/", form)


ARCHIVES = {
    "a workbook": ("a.xlsx", table),
    "one that is called a CSV file": ("a.csv", table),
    "an archive of something else": ("a.zip", lambda _: archive(a=b"x")),
    "an empty archive": ("a.xlsx", lambda _: archive()),
    "an OpenDocument sheet": (
        "a.ods",
        lambda _: archive(mimetype=b"spreadsheet", **{"content.xml": b""}),
    ),
    "the beginning of one": ("a.tsv", lambda _: b"PK\x03\x04"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_eight_uploads_of_workbooks_start_no_process(
    name: str,
    target: dict[str, Any],
    browser: Browser,
    tmp_path: Path,
    children: list[Any],
) -> None:
    file_name, make = ARCHIVES[name]
    data = make(tmp_path / "made.xlsx")
    for _ in range(8):
        answer = upload(browser, target, data, file_name)
        assert answer.status_code == 302
        page = browser.get(answer["Location"])
        assert 'id="file-work"' in page.text
    assert not children
    jobs = FileJob.objects.values_list("state", "attempts")
    assert list(jobs) == [(State.WAITING, 0)] * 8
    have_jobs_done()
    assert children
    assert {job.state for job in FileJob.objects.all()} == {State.DONE}
    assert all(write.inspection for write in Write.objects.all())


PRESSED = {
    "another sheet": {"do": "read", "sheet": "B"},
    "another beginning": {"do": "read", "sheet": "A", "begin": "2"},
    "check": {"do": "check"},
    "another name": {"do": "columns", "name_0": "id", "name_1": "b"},
    "a column left out": {
        "do": "columns",
        "name_0": "id",
        "name_1": "a",
        "leave_1": "1",
    },
}


@pytest.fixture
def write(target: dict[str, Any], browser: Browser, tmp_path: Path) -> Write:
    """A draft of a workbook that was checked, and is ready."""
    upload(browser, target, table(tmp_path / "made.xlsx"))
    have_jobs_done()
    write = Write.objects.get()
    browser.post(f"/writes/{write.pk}/file/", {"do": "read", "sheet": "A"})
    have_jobs_done()
    write.refresh_from_db()
    assert write.is_ready
    return write


@pytest.mark.parametrize("pressed", PRESSED)
def test_nor_does_what_is_done_with_one_later(
    pressed: str, write: Write, browser: Browser, children: list[Any]
) -> None:
    answer = browser.post(f"/writes/{write.pk}/file/", PRESSED[pressed], follow=True)
    assert 'id="file-work"' in answer.text
    assert not children
    have_jobs_done()
    write.refresh_from_db()
    assert children
    assert write.check_report


def test_nor_does_a_trial_or_putting_it_away(
    write: Write, browser: Browser, children: list[Any]
) -> None:
    browser.post(f"/writes/{write.pk}/trial/", {"rows": "1"})
    trial = Write.objects.get(relation=Write.Relation.TRIAL)
    assert FileJob.objects.filter(state=State.WAITING).count() == 2
    assert not children
    have_jobs_done()
    children.clear()
    browser.post(f"/writes/{trial.pk}/discard/")
    assert FileJob.objects.filter(state=State.WAITING, write=write).exists()
    assert not children
    have_jobs_done()
    write.refresh_from_db()
    assert (write.is_ready, write.row_count) == (True, 3)


def test_a_table_is_still_checked_while_its_page_waits(
    target: dict[str, Any], browser: Browser, children: list[Any]
) -> None:
    """Though its first letters are those of an archive."""
    upload(browser, target, b"PK,id\n1,2\n", "a.csv")
    assert FileJob.objects.get().state == State.DONE
    assert not children
