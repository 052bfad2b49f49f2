"""A small CSV file makes neither much work nor a large row of the database."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser

from files.checking.check import check
from files.findings import FINDINGS_ROOM, GROUPS_ROOM, MORE_COLUMNS, Finding, Report
from tests.writes.conftest import _stored_in_a_folder_of_its_own  # noqa: F401
from writes.actions import begin_job
from writes.models import FileJob, Write
from writes.worker import run_job

# The row of a report may have so many bytes.
MOST = 2**20
COLUMNS = [f"c{number}" for number in range(4_900)]

BOMBS = {
    "commas": b"," * 1_900_000,
    "semicolons": b";" * 1_900_000,
    "lines of commas": (b"," * 1_000 + b"\n") * 1_900,
    "line ends": b"id\r\n\n\r" * 200_000,
    "equal rows": b"id,a\n" + b"k,x\n" * 150_000,
    "columns": b",".join(b"c%d" % number for number in range(270_000)) + b"\n1\n",
    "tabs as a value": b"id\ta\n" + b"\t" * 1_900_000,
    "a long name": b"id," + b"n" * 1_900_000 + b"\n1,2\n",
    "a long value": "id,a\n1,{}\n".format("\u2028" * 600_000).encode(),
    "findings of each column": (
        "id," + ",".join(COLUMNS) + "\n" + "1" + ", \u00e9" * 4_900 + "\n"
    ).encode()
    * 20,
    "quotes": b'"' * 1_900_000,
    "names beyond ASCII": ("id," + "\u00fc" * 250 + "," * 20).encode() + b"\n1\n",
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_a_report_fits_into_a_row_of_the_database(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    report = check(path, key="id")
    assert len(json.dumps(report.as_json())) <= MOST
    assert report.blocks


@pytest.mark.parametrize("sign", [",", ";", "x,", '"",'])
def test_more_columns_than_are_sent_end_the_check_at_the_header(
    sign: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id," + sign * 270_000 + "\n" + "1\n" * 1_000)
    report = check(path, key="id")
    assert report.blocks
    # Semicolons do not separate: it is one long name.
    assert (report.rows, report.columns, report.preview) == (0, [], [])


def test_groups_beyond_the_room_are_counted_together_and_passed_on() -> None:
    told: list[Finding] = []
    report = Report(sink=told.append)
    names = [f"{'n' * 240}{number}" for number in range(3_000)]
    for name in names:
        for row in range(2, 5):
            report.add("warns", "date", "No date.", row=row, column=name, value="x")
    groups = report.ordered()
    assert sum(group.total for group in groups) == len(told) == 9_000
    more = [group for group in groups if group.rule == MORE_COLUMNS]
    assert [(group.level, group.column) for group in more] == [("warns", None)]
    assert len(json.dumps(report.as_json())) < GROUPS_ROOM * 2 + FINDINGS_ROOM
    # What each of them is can still be seen.
    assert {finding.column for finding in told} == set(names)
    assert {finding.rule for finding in told} == {"date"}


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["line ends", "equal rows", "quotes"])
def test_a_file_that_is_much_work_is_left_to_a_worker(
    name: str,
    target: dict[str, Any],
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(begin_job, "PATIENCE", 0.0)
    file = SimpleUploadedFile("a.csv", BOMBS[name])
    values = {**target, "primary_key": "id", "file": file}
    answer = browser.post("/writes/csv/", values)
    assert answer.status_code == 302
    job = FileJob.objects.get()
    assert (job.state, job.attempts) == (FileJob.State.WAITING, 0)
    assert browser.get(answer["Location"]).status_code == 200
    run_job.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (FileJob.State.DONE, 1)
    report = Write.objects.get().check_report
    assert len(json.dumps(report)) <= MOST


@pytest.mark.django_db
@pytest.mark.parametrize("name", BOMBS)
def test_its_page_comes_with_one_request(
    name: str, target: dict[str, Any], browser: Browser
) -> None:
    file = SimpleUploadedFile("a.csv", BOMBS[name])
    values = {**target, "primary_key": "id", "file": file}
    answer = browser.post("/writes/csv/", values)
    page = browser.get(answer["Location"])
    assert page.status_code == 200
    assert not Write.objects.get().is_ready
    assert len(page.content) < 5 * MOST
