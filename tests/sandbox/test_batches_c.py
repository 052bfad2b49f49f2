"""Generation C: many records in one request."""

from typing import Any

import httpx
import pytest

from tests.sandbox.support import GROUP, Console
from tests.sandbox.test_writes_c import OBJECTS


@pytest.fixture
def console() -> Console:
    return Console()


def batch(
    console: Console,
    records: list[Any],
    kind: str = "create",
    fault: str = "",
    **more: Any,
) -> httpx.Response:
    body = {
        "groupRef": GROUP,
        "type": kind,
        "mode": "synchronous",
        "batch": [{"record": record} for record in records],
        **more,
    }
    headers = {"X-Sandbox-Fault": fault} if fault else {}
    return console.http.post(f"{OBJECTS}/contact", json=body, headers=headers)


def people(count: int) -> list[Any]:
    return [{"LastName": f"Nr {number}"} for number in range(count)]


def test_all_are_written_in_order_with_their_ids(console: Console) -> None:
    told = batch(console, people(3)).json()
    assert (told["successCount"], told["failureCount"]) == (3, 0)
    ids = [each["recordId"] for each in told["results"]]
    assert ids == [record["Id"] for record in console.records("contact")]
    path = f"/v1/projects/demo-c/operations/{told['operationId']}"
    operation = console.http.get(path).json()
    assert operation["metadata"]["successfulRecordIds"] == ids


def test_one_fails_and_the_others_are_written(console: Console) -> None:
    answer = batch(console, [*people(1), {"FirstName": "Ann"}, *people(1)])
    assert answer.status_code == 422
    told = answer.json()
    assert [each["success"] for each in told["results"]] == [True, False, True]
    error = told["results"][1]["data"]["errors"][0]
    assert error["message"] == "Required fields are missing: [LastName]"
    assert len(console.records("contact")) == 2


def test_all_or_none_rolls_back_what_was_good(console: Console) -> None:
    records = [*people(2), {"FirstName": "Ann"}]
    told = batch(console, records, batchPolicy={"allOrNone": True}).json()
    assert (told["successCount"], told["failureCount"]) == (0, 3)
    codes = [each["data"]["errors"][0]["statusCode"] for each in told["results"]]
    assert codes.count("ALL_OR_NONE_OPERATION_ROLLED_BACK") == 2
    assert console.records("contact") == []


def test_one_value_of_a_wrong_type_spoils_the_request(console: Console) -> None:
    told = batch(console, [*people(1), {"LastName": 5}]).json()
    assert (told["successCount"], told["failureCount"]) == (0, 2)
    assert len(told["results"]) == 1
    assert "Cannot deserialize" in told["errors"][0]["message"]
    assert console.records("contact") == []


def test_updates_find_their_records_by_id(console: Console) -> None:
    made = batch(console, people(2)).json()["results"]
    records = [
        {"id": made[0]["recordId"], "FirstName": "Ann"},
        {"id": "003SB0000009999", "FirstName": "Bo"},
        {"FirstName": "Cy"},
    ]
    told = batch(console, records, "update").json()
    assert [each["success"] for each in told["results"]] == [True, False, False]


@pytest.mark.parametrize(
    ("fault", "counts", "results"),
    [
        ("batch_no_results", (20, 0), None),
        ("batch_results_short", (20, 0), 19),
        ("batch_counts_wrong", (10, 0), 20),
    ],
)
def test_a_fault_bends_the_answer_and_not_the_write(
    console: Console, fault: str, counts: tuple[int, int], results: int | None
) -> None:
    told = batch(console, people(20), fault=fault).json()
    assert (told["successCount"], told["failureCount"]) == counts
    assert (len(told["results"]) if "results" in told else None) == results
    assert len(console.records("contact")) == 20


def test_a_5xx_of_the_saas_comes_as_a_422(console: Console) -> None:
    answer = batch(console, people(2), fault="server_error_422")
    assert answer.status_code == 422
    assert console.records("contact") == []


@pytest.mark.parametrize(
    "changed",
    [
        {"batch": []},
        {"batch": [{"record": {}}] * 101},
        {"batch": [[]]},
        {"batch": [{}]},
        {"record": {}},
        {"type": "delete"},
    ],
)
def test_a_malformed_batch_is_a_400(console: Console, changed: dict[str, Any]) -> None:
    assert batch(console, people(1), **changed).status_code == 400


def later(
    console: Console, records: list[Any], kind: str = "create", **more: Any
) -> Any:
    """Send a batch asynchronously and let the time pass; return its operation."""
    answer = batch(console, records, kind, mode="asynchronous", **more)
    assert answer.json().keys() == {"operationId"}
    path = f"/v1/projects/demo-c/operations/{answer.json()['operationId']}"
    assert console.http.get(path).json()["status"] == "in_progress"
    console.clock.now += 60
    return console.http.get(path).json()


def test_an_asynchronous_batch_is_accepted_and_written_later(console: Console) -> None:
    told = later(console, people(20), retryPolicy={"deadlineHours": 48})
    ids = [record["Id"] for record in console.records("contact")]
    assert told["result"] == "Batch write completed (20 succeeded, 0 failed)"
    named = told["metadata"]["successfulRecordIds"]
    assert named != ids
    assert sorted(named) == sorted(ids)
    assert told["metadata"]["retry"]["attempts"] == 1


def test_of_an_asynchronous_batch_every_twentieth_fails(console: Console) -> None:
    told = later(console, people(100), fault="async_partial")
    assert told["result"] == "Batch write completed (95 succeeded, 5 failed)"
    assert len(told["metadata"]["successfulRecordIds"]) == 95


def test_a_create_that_is_tried_twice_is_there_twice(console: Console) -> None:
    told = later(console, people(3), fault="async_twice")
    assert told["result"] == "Batch write completed (3 succeeded, 0 failed)"
    assert told["metadata"]["retry"]["attempts"] == 2
    assert len(console.records("contact")) == 6


@pytest.mark.parametrize("hours", [0, 49, "1"])
def test_a_deadline_has_limits(console: Console, hours: Any) -> None:
    policy = {"deadlineHours": hours}
    more: dict[str, Any] = {"mode": "asynchronous", "retryPolicy": policy}
    assert batch(console, people(1), **more).status_code == 400
