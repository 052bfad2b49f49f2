"""Every call of Ampersand's Write Actions page, and the file that it shows."""

from typing import Any

import pytest

from sandbox.inspection import SAMPLE
from tests.sandbox import documented
from tests.sandbox.documented import Call
from tests.sandbox.support import Console


@pytest.fixture
def console() -> Console:
    """A sandbox for which every address holds the page's file."""
    console = Console(fetch=lambda url: SAMPLE)
    console.clock.now += 60
    return console


def call(console: Console, asked: Call) -> Any:
    """Make one of the calls and return its answer."""
    answer = console.http.request(asked.method, asked.path, json=asked.body)
    return answer.raise_for_status().json()


@pytest.mark.parametrize(
    "asked", documented.CALLS, ids=["create", "upsert", "operation", "logs"]
)
def test_every_call_is_answered_with_its_fields(console: Console, asked: Call) -> None:
    answer = call(console, asked)
    entries = answer if isinstance(answer, list) else [answer]
    assert entries
    for entry in entries:
        assert set(asked.answer) <= entry.keys()


def test_a_create_gives_the_id_of_the_new_record(console: Console) -> None:
    result = call(console, documented.CREATE)["result"]
    assert result["success"]
    assert [result["recordId"]] == [r["Id"] for r in console.records("contact")]


def test_an_upsert_writes_every_row_of_the_file(console: Console) -> None:
    operation = call(console, documented.UPSERT)["operationId"]
    console.clock.now += 60
    path = documented.GET_OPERATION.path.rpartition("/")[0]
    ended = console.http.get(f"{path}/{operation}").json()
    assert (ended["status"], ended["result"]) == (
        "success",
        "Batch write completed (3 succeeded, 0 failed)",
    )
    written = console.records("tactics__c")
    assert [record["custom_id__c"] for record in written] == ["0", "1", "2"]


def test_the_operation_of_the_page_failed_and_its_log_says_so(console: Console) -> None:
    assert call(console, documented.GET_OPERATION)["status"] == "failure"
    severities = [entry["severity"] for entry in call(console, documented.LIST_LOGS)]
    assert "ERROR" in severities
