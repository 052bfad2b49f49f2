import json

import httpx
import pytest

from sandbox.catalog import find_integration, find_project
from sandbox.faults import FAULTS
from tests.sandbox.support import (
    GROUP,
    LONGEST,
    OBJECTS,
    Console,
    served,
    wait_until,
)

CSV = "external_id__c,Name\n1,a\n2,b\n3,c\n"


def name(fault: str) -> str:
    return f"fault_{fault}__c"


def count(http: httpx.Client, fault: str) -> int:
    path = f"/sandbox/records/{name(fault)}?count=1"
    number: int = http.get(path).json()["count"]
    return number


def test_every_fault_has_an_object_and_the_other_way_round() -> None:
    integration = find_integration(find_project("demo"), "salesforce")
    objects = [each for each in integration.objects if each.startswith("fault_")]
    assert objects == [name(fault) for fault in FAULTS]
    assert Console().http.get("/sandbox/faults").json() == FAULTS


def test_the_faults_of_the_demo_project_are_not_in_the_others() -> None:
    path = "/v1/projects/2234wf/integrations/23rsdf32/objects/fault_500__c"
    body = {"groupRef": GROUP, "record": {}}
    assert Console().http.post(path, json=body).status_code == 404


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("401", 401),
        ("403", 403),
        ("404", 404),
        ("429", 429),
        ("500", 500),
        ("502_html", 502),
    ],
)
def test_refusals_by_object_and_by_header(fault: str, status: int) -> None:
    console = Console()
    response = console.create(name(fault), Name="a")
    assert response.status_code == status
    assert count(console.http, fault) == 0
    console.http.headers["X-Sandbox-Fault"] = fault
    assert console.create("contact", LastName="a").status_code == status
    assert console.records("contact") == []


def test_a_fault_that_does_not_exist_is_not_ignored() -> None:
    console = Console()
    console.http.headers["X-Sandbox-Fault"] = "418"
    assert console.create("contact", LastName="a").status_code == 400
    assert console.records("contact") == []


def test_too_many_requests_says_when_to_come_back() -> None:
    response = Console().create(name("429"), Name="a")
    assert response.headers["retry-after"] == "2"
    problem = response.json()
    assert problem["retryable"]
    assert problem["time"] == "2024-03-09T16:00:00.000000Z"
    assert problem["retryAfter"] == "2024-03-09T16:00:02.000000Z"


def test_busy_and_locked_are_so_for_the_same_write_two_times() -> None:
    console = Console()
    for fault, status in (("busy", 429), ("locked", 423)):
        answers = [console.create(name(fault), Name="a") for _ in range(4)]
        assert [a.status_code for a in answers] == [status, status, 200, 200]
        assert [a.headers.get("retry-after") for a in answers[:2]] == ["1", "1"]
        assert console.create(name(fault), Name="b").status_code == status
        assert count(console.http, fault) == 2
    locked = console.create(name("locked"), Name="c").json()
    assert locked["retryable"]
    assert locked["retryAfter"] == "2024-03-09T16:00:01.000000Z"


@pytest.mark.parametrize(
    ("fault", "error", "written"),
    [
        ("timeout_before", TimeoutError, 0),
        ("timeout_after", TimeoutError, 1),
        ("reset_before", ConnectionResetError, 0),
        ("reset_after", ConnectionResetError, 1),
    ],
)
def test_without_a_server_the_connection_faults_are_exceptions(
    fault: str, error: type[Exception], written: int
) -> None:
    console = Console()
    with pytest.raises(error):
        console.create(name(fault), Name="a")
    assert count(console.http, fault) == written
    assert len(console.http.get("/sandbox/requests").json()) == 1


def test_on_a_socket_the_connection_faults_are_real() -> None:
    with served() as (http, _):

        def write(fault: str, timeout: float = LONGEST) -> None:
            body = {"groupRef": GROUP, "record": {"Name": "a"}}
            http.post(f"{OBJECTS}/{name(fault)}", json=body, timeout=timeout)

        for moment, written in (("before", 0), ("after", 1)):
            with pytest.raises(httpx.ReadTimeout):
                write(f"timeout_{moment}", timeout=0.5)
            # The sandbox may be at work on it still.
            wait_until(lambda m=moment, n=written: count(http, f"timeout_{m}") == n)
            with pytest.raises(httpx.ReadError, match="reset by peer"):
                write(f"reset_{moment}")
            assert count(http, f"reset_{moment}") == written
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            write("truncated")
        assert count(http, "truncated") == 1
        assert count(http, "timeout_before") == 0


def test_a_truncated_bulk_answer_belongs_to_an_operation_that_runs() -> None:
    console = Console()
    cut = console.upsert(name("truncated"), "external_id__c", CSV)
    with pytest.raises(json.JSONDecodeError):
        cut.json()
    console.clock.now += 60
    assert count(console.http, "truncated") == 3


def test_unknown_status_words() -> None:
    console = Console()
    passing = console.start(name("unknown_status"), "external_id__c", CSV)
    lasting = console.start(name("unknown_status_forever"), "external_id__c", CSV)
    assert console.operation(passing)["status"] == "wibbling"
    console.clock.now += 60
    assert console.operation(passing)["status"] == "success"
    assert console.operation(lasting)["status"] == "wibbling"


def test_late_logs() -> None:
    console = Console()
    operation = console.start(name("late_logs"), "external_id__c", CSV)
    assert console.operation(operation)["status"] == "success"
    assert console.logs(operation) == []
    console.clock.now += 21
    assert len(console.logs(operation)) > 2


def test_unordered_logs() -> None:
    finished = Console().finish(name("unordered_logs"), "external_id__c", CSV)
    times = [entry["timestamp"] for entry in finished.logs]
    assert times != sorted(times)
    assert len(set(times)) == len(times)


def test_logs_are_otherwise_in_order_and_complete() -> None:
    finished = Console().finish(name("partial"), "external_id__c", CSV)
    ordered = Console().finish("tactics__c", "external_id__c", CSV).logs
    times = [entry["timestamp"] for entry in ordered]
    assert times == sorted(times)
    assert len(ordered) + 1 == len(finished.logs)


def test_never_ends() -> None:
    finished = Console().finish(name("never_ends"), "external_id__c", CSV)
    assert finished.status == "in_progress"


def test_never_ends_until_it_is_told_to() -> None:
    console = Console()
    endless = console.start(name("never_ends"), "external_id__c", CSV)
    ended = console.start(name("never_ends"), "external_id__c", CSV)
    told = console.http.post("/sandbox/end", json={"operation": ended})
    assert told.status_code == 200
    assert console.operation(ended)["status"] == "success"
    assert console.operation(endless)["status"] == "in_progress"
    # It has ended, and cannot do so again.
    again = console.http.post("/sandbox/end", json={"operation": ended})
    assert again.status_code == 404
    assert console.http.get("/sandbox/end").status_code == 405


def test_partial() -> None:
    finished = Console().finish(name("partial"), "external_id__c", CSV)
    assert finished.status == "success"
    assert finished.result == "Batch write completed (2 succeeded, 1 failed)"
    assert list(finished.failures.values()) == [["3"]]


def test_bulk_write_completed() -> None:
    finished = Console().finish(name("bulk_completed"), "external_id__c", CSV)
    assert finished.status == "BulkWriteCompleted"
    assert "result" not in finished.operation


def test_string_logs() -> None:
    finished = Console().finish(name("string_logs"), "external_id__c", CSV)
    assert {type(entry["message"]) for entry in finished.logs} == {str}


@pytest.mark.parametrize("status", [429, 500])
def test_polls_that_fail_twice(status: int) -> None:
    console = Console()
    operation = console.start(name(f"poll_{status}"), "external_id__c", CSV)
    path = f"/v1/projects/demo/operations/{operation}"
    codes = [console.http.get(path).status_code for _ in range(3)]
    assert codes == [status, status, 200]


def test_a_lost_operation_still_writes() -> None:
    console = Console()
    operation = console.start(name("lost_operation"), "external_id__c", CSV)
    console.clock.now += 60
    assert console.operation(operation)["status"] == 404
    assert count(console.http, "lost_operation") == 3
