"""Workbooks that are made to take the memory or the time of who reads them."""

import html
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from console.runtime.trouble import MEMORY
from files.reading import apart
from files.reading.inspection import Inspection, inspect
from files.reading.read import Read, read
from tests.files.test_workbooks import HEADER, workbook
from tests.security.workbooks import BOMBS, Maker, texts
from tests.texts import numbers
from tests.writes.conftest import _stored_in_a_folder_of_its_own  # noqa: F401
from writes.models import FileJob, Write
from writes.worker import run_job

State = FileJob.State


def work(path: Path) -> tuple[Inspection, Read]:
    """Do with a workbook what is done with an upload; the file as read is beside it."""
    found = inspect(path)
    return found, read(path, path.with_suffix(".csv"), found, found.suggested)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_one_message(tmp_path: Path, name: str) -> None:
    make, number = BOMBS[name]
    path = make(tmp_path / "x.xlsx")
    _, result = work(path)
    [finding] = result.findings
    assert (finding.level, result.is_refused) == ("blocks", True)
    assert not number or number in numbers(finding.message)
    assert len(finding.message) < 500
    # Nothing is left behind.
    assert [each for each in tmp_path.iterdir() if each.is_file()] == [path]


def test_many_texts_are_read(tmp_path: Path) -> None:
    path = texts(tmp_path / "x.xlsx", 1_000_000)
    _, result = work(path)
    assert not result.findings
    assert path.with_suffix(".csv").read_text() == "a\na\n"


# --- The job that reads one ----------------------------------------------------------


@pytest.fixture
def upload(
    target: dict[str, Any], browser: Browser, tmp_path: Path
) -> Callable[[Maker], FileJob]:
    """A function that uploads a workbook, and returns the job that waits."""

    def uploaded(make: Maker) -> FileJob:
        data = make(tmp_path / "made.xlsx").read_bytes()
        file = SimpleUploadedFile("a.xlsx", data)
        browser.post("/writes/csv/", {**target, "primary_key": "id", "file": file})
        return FileJob.objects.get()

    return uploaded


def run(job: FileJob) -> FileJob:
    run_job.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["long cell, light", "a billion laughs", "far corner"])
def test_a_sheet_that_cannot_be_read_says_so_on_its_page(
    name: str, upload: Callable[[Maker], FileJob], browser: Browser
) -> None:
    assert run(upload(BOMBS[name][0])).state == State.DONE
    write = Write.objects.get()
    page = f"/writes/{write.pk}/file/"
    browser.post(page, {"do": "read", "sheet": "A"})
    job = run(FileJob.objects.latest("pk"))
    assert (job.state, job.attempts) == (State.FAILED, 1)
    assert run_job._GONE[job.kind] not in job.problem
    answer = browser.get(page)
    assert answer.status_code == 200
    assert job.problem in html.unescape(answer.text)


@contextmanager
def killing_children() -> Iterator[list[int]]:
    """Kill each child of this process as the system does for want of memory."""
    killed: list[int] = []
    is_over = Event()

    def kill() -> None:
        while not is_over.wait(0.005):
            for each in Path("/proc/self/task").glob("*/children"):
                # Whoever ended meanwhile is not there any more.
                with suppress(OSError):
                    kill_those(each.read_text().split())

    def kill_those(children: list[str]) -> None:
        for child in children:
            # Before that it is a copy of this process.
            if b"files.reading.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(int(child), signal.SIGKILL)
                killed.append(int(child))

    thread = Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize("step", ["look", "write"])
def test_a_child_that_the_system_kills_is_not_called_a_fault_of_the_file(
    step: str, tmp_path: Path
) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER)
    found = inspect(path)
    target = tmp_path / "out"
    do = {
        "look": lambda: inspect(path),
        "write": lambda: read(path, target, found, found.suggested),
    }
    with killing_children() as killed, pytest.raises(apart.Killed):
        do[step]()
    assert killed
    assert not target.exists()


@pytest.mark.django_db
def test_it_is_tried_once_more_and_then_said(
    upload: Callable[[Maker], FileJob], browser: Browser
) -> None:
    job = upload(lambda path: workbook(path, HEADER))
    with killing_children():
        assert run(job).state == State.WAITING
        assert run(job).state == State.FAILED
    assert job.attempts == 2
    assert "Nothing was sent." in job.problem
    assert MEMORY.remedy in job.problem
    page = f"/writes/{job.write_id}/file/"
    assert job.problem in html.unescape(browser.get(page).text)
    # What was not the file's fault may be done again.
    browser.post(page, {"do": "check"})
    assert run(FileJob.objects.latest("pk")).state == State.DONE
