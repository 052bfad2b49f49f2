"""Workbooks that are made to take the memory or the time of who reads them."""

import html
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from files.reading.inspection import inspect
from files.reading.read import read
from tests.files.test_workbooks import HEADER, workbook
from tests.writes.conftest import _stored_in_a_folder_of_its_own  # noqa: F401
from writes.actions import begin_job
from writes.models import FileJob, Write
from writes.worker import run_job

MIB = 2**20
SHEET = "xl/worksheets/sheet1.xml"
LONG = b"<worksheet><sheetData><row><c t='inlineStr'><is><t>%s"


def bomb(path: Path, part: str, head: bytes, filling: bytes, size: int) -> Path:
    """Write a workbook, one part of which is `head` and a filling again and again."""
    honest = workbook(path.with_suffix(".honest"), HEADER)
    block = filling * (MIB // len(filling))
    with (
        zipfile.ZipFile(honest) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made,
    ):
        for name in source.namelist():
            if name != part:
                made.writestr(name, source.read(name))
        with made.open(part, "w") as file:
            file.write(head)
            for _ in range(size // MIB):
                file.write(block)
    return path


BOMBS = {
    "long cell": (SHEET, LONG % b"", b"x", 64 * MIB),
    "long cell, light": (SHEET, LONG % b"", b"x", 12 * MIB),
    "long attribute": (SHEET, b"<worksheet a='", b"x", 12 * MIB),
    "long comment": ("xl/styles.xml", b"<styleSheet><!--", b"x", 12 * MIB),
    "text in many pieces": (
        *("xl/sharedStrings.xml", b"<sst><si>"),
        *(b"<r><t>" + b"x" * 999 + b"</t></r>", 12 * MIB),
    ),
    "far corner": (
        *(SHEET, b"<worksheet><sheetData><row r='1048576'>"),
        *(b"<c r='XFD1048576'><v>1</v></c>", MIB),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_one_message(tmp_path: Path, name: str) -> None:
    path = bomb(tmp_path / "x.xlsx", *BOMBS[name])
    found = inspect(path)
    result = read(path, tmp_path / "out", found, found.suggested)
    assert [finding.level for finding in result.findings] == ["blocks"]
    assert result.is_refused
    assert not (tmp_path / "out").exists()


@pytest.mark.django_db
def test_a_sheet_that_cannot_be_read_says_so_on_its_page(
    target: dict[str, Any], browser: Browser, tmp_path: Path
) -> None:
    path = bomb(tmp_path / "x.xlsx", *BOMBS["long cell, light"])
    file = SimpleUploadedFile("x.xlsx", path.read_bytes())
    browser.post("/writes/csv/", {**target, "primary_key": "id", "file": file})
    write = Write.objects.get()
    assert write.inspected is not None
    write.reading = write.inspected.suggested.as_json()
    write.save()
    job = begin_job.begin(write, FileJob.Kind.CHECK, size=1)
    assert (job.state, job.attempts) == (FileJob.State.FAILED, 1)
    assert run_job._GONE[job.kind] not in job.problem
    page = browser.get(f"/writes/{write.pk}/file/")
    assert page.status_code == 200
    assert job.problem in html.unescape(page.text)
