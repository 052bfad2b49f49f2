"""What the sandbox tells of the requests it received, and faults planned for some."""

from typing import Any

import pytest

from tests.sandbox.support import Console

CSV = "external_id__c,LastName\n1,a\n2,b\n3,c\n"


def ends(console: Console) -> list[Any]:
    """What became of each request."""
    told = console.http.get("/sandbox/requests").json()
    return [
        [each[name] for name in ("status", "worked", "succeeded", "failed")]
        for each in told
    ]


def plan(console: Console, **values: Any) -> int:
    return console.http.post("/sandbox/plan", json=values).status_code


def test_what_was_done_is_told_apart_from_what_was_refused() -> None:
    console = Console()
    console.create("contact", LastName="a")
    console.create("contact", Nonsense="a")
    console.upsert("contact", "nonsense", CSV)
    assert ends(console) == [
        [200, True, 1, 0],
        [422, False, 0, 0],
        [400, False, 0, 0],
    ]


@pytest.mark.parametrize(
    ("fault", "error", "worked"),
    [
        ("timeout_before", TimeoutError, False),
        ("timeout_after", TimeoutError, True),
        ("reset_before", ConnectionResetError, False),
        ("reset_after", ConnectionResetError, True),
    ],
)
def test_a_request_without_an_answer_may_have_been_worked_on(
    fault: str, error: type[Exception], worked: bool
) -> None:
    console = Console()
    with pytest.raises(error):
        console.create(f"fault_{fault}__c", Name="a")
    assert ends(console) == [[None, worked, int(worked), 0]]


def test_a_bulk_write_names_its_operation_and_counts_its_rows() -> None:
    console = Console()
    plan(console, fault="partial")
    operation = console.start("contact", "external_id__c", CSV)
    (request,) = console.http.get("/sandbox/requests").json()
    assert request["operationId"] == operation
    assert ends(console) == [[200, True, 0, 0]]
    console.clock.now += 60
    assert ends(console) == [[200, True, 2, 1]]


def test_a_planned_fault_meets_one_request_and_the_operation_it_begins() -> None:
    console = Console()
    assert plan(console, fault="500", write=2) == 200
    assert plan(console, fault="never_ends", write=3) == 200
    codes = [console.create("contact", LastName=name).status_code for name in "ab"]
    endless = console.start("contact", "external_id__c", CSV)
    ending = console.start("contact", "external_id__c", CSV)
    console.clock.now += 60
    assert codes == [200, 500]
    assert console.operation(endless)["status"] == "in_progress"
    assert console.operation(ending)["status"] == "success"


def test_a_reset_forgets_what_was_planned() -> None:
    console = Console()
    plan(console, fault="500")
    console.http.post("/sandbox/reset")
    assert console.create("contact", LastName="a").status_code == 200


@pytest.mark.parametrize(
    "values",
    [{"fault": "418"}, {"fault": "500", "write": 0}, {"fault": "500", "write": "x"}],
)
def test_a_plan_that_means_nothing_is_refused(values: dict[str, Any]) -> None:
    assert plan(Console(), **values) == 400
    assert Console().http.get("/sandbox/plan").status_code == 405
