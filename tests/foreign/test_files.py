"""Files that other people wrote: read, checked, and written to the sandbox."""

from pathlib import Path

import pytest

from files.checking.check import check
from files.findings import Report
from files.reading.inspection import inspect
from files.reading.read import read
from tests.sandbox.support import Console


@pytest.fixture
def data(foreign: Path) -> Path:
    """The folder of the files."""
    return foreign / "data"


def found(path: Path, key: str) -> dict[tuple[str, str | None], int]:
    """Return how many findings that block a file has, by rule and column."""
    report = Report()
    check(path, key=key, report=report)
    blocking = [group for group in report.groups.values() if group.level == "blocks"]
    return {(group.rule, group.column): group.total for group in blocking}


def test_a_plain_file_goes_twice_and_stays_as_many_records(data: Path) -> None:
    path = data / "opportunities.csv"
    assert inspect(path).doubts == ()
    assert found(path, "external_id__c") == {}
    console = Console()
    for _ in range(2):
        finished = console.finish("opportunity", "external_id__c", path.read_text())
        assert finished.result == "Batch write completed (3000 succeeded, 0 failed)"
    count = console.http.get("/sandbox/records/opportunity?count=1").json()
    assert count == {"count": 3000}


def test_the_row_with_a_bad_date_fails_alone(data: Path) -> None:
    csv = (data / "opportunities-partial-failure.csv").read_text()
    finished = Console().finish("opportunity", "external_id__c", csv)
    assert finished.status == "success"
    ((reason, keys),) = finished.failures.items()
    assert reason.startswith("INVALID_FIELD:")
    assert "2003-04-987654321987654321" in reason
    assert keys == ["external-id-3"]


def test_an_export_is_read_once_its_encoding_is_agreed_to(
    data: Path, tmp_path: Path
) -> None:
    original, as_read = data / "accounts.csv", tmp_path / "as-read.csv"
    inspected = inspect(original)
    assert (inspected.encoding, inspected.is_utf8) == ("cp1252", False)
    read(original, as_read, inspected, inspected.suggested)
    assert "Crédito Inmobiliario" in as_read.read_text(encoding="utf-8")
    assert found(as_read, "ORACLE_ID__C") == {("blank-key", "ORACLE_ID__C"): 11}


def test_an_export_is_refused_row_by_row_for_its_read_only_columns(data: Path) -> None:
    raw = (data / "accounts.csv").read_bytes()
    console = Console(fetch=lambda _: raw.decode("utf-8", "replace"))
    finished = console.finish("account", "ORACLE_ID__C", recordsURL="https://a.test/")
    assert finished.status == "failure"
    assert finished.result == "Batch write completed (0 succeeded, 423 failed)"
    codes = [text.split(":")[0] for text in finished.failures]
    assert codes == ["INVALID_FIELD_FOR_INSERT_UPDATE", "MISSING_ARGUMENT"]
    assert sum(len(keys) for keys in finished.failures.values()) == 423
