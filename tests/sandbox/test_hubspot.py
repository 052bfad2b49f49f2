"""A HubSpot behind today's API: what it answers, and what it does not promise."""

from typing import Any

import pytest

from tests.sandbox.support import GROUP, Console

PATH = "/v1/projects/demo-c-hubspot/integrations/hubspot/objects/contacts"
FIRST, SECOND = "171591000198", "171596044870"


@pytest.fixture
def console() -> Console:
    return Console()


def batch(
    console: Console, *records: Any, kind: str = "create", fault: str = "", **more: Any
) -> Any:
    items = [{"record": record} for record in records]
    body = {"groupRef": GROUP, "type": kind, "mode": "synchronous", "batch": items}
    headers = {"X-Sandbox-Fault": fault} if fault else {}
    return console.http.post(PATH, json={**body, **more}, headers=headers).json()


def one(console: Console, kind: str, **record: Any) -> Any:
    body = {"groupRef": GROUP, "type": kind, "record": record}
    return console.http.post(PATH, json=body).json()


def people(count: int) -> list[Any]:
    return [{"lastname": f"Nr {number}"} for number in range(count)]


def test_what_exists_conflicts_and_the_others_are_written(console: Console) -> None:
    one(console, "create", email="Ann@example.com")
    told = batch(console, {"email": "ann@example.com "}, {"email": "bo@example.com"})
    assert (told["successCount"], told["failureCount"]) == (1, 1)
    failed, written = told["results"]
    (error,) = failed["data"]["errors"]
    assert error["message"] == f"Contact already exists. Existing ID: {FIRST}"
    assert (error["category"], written["recordId"]) == ("CONFLICT", SECOND)
    assert written["data"]["email"] == "bo@example.com"


@pytest.mark.parametrize(
    ("kind", "records", "why"),
    [
        ("create", [{"lastname": "a"}, {"nope": "b"}], 'Property "nope" does not'),
        (
            "update",
            [{"id": FIRST}] * 2,
            f"Duplicate IDs found in batch input: [{FIRST}",
        ),
        ("update", [{"id": int(FIRST), "lastname": "b"}], "must be a string"),
    ],
)
def test_one_spoils_all(
    console: Console, kind: str, records: list[Any], why: str
) -> None:
    one(console, "create", lastname="first")
    told = batch(console, *records, kind=kind)
    assert (told["successCount"], told["failureCount"]) == (0, len(records))
    assert why in told["errors"][0]["message"]
    assert "results" not in told
    assert [each["lastname"] for each in console.records("contacts")] == ["first"]


def test_all_or_none_is_for_creates_alone(console: Console) -> None:
    both = [{"email": "a@example.com"}, {"email": "a@example.com"}]
    policy = {"batchPolicy": {"allOrNone": True}}
    assert batch(console, *both, **policy)["failureCount"] == 2
    assert console.records("contacts") == []
    (made,) = batch(console, both[0], **policy)["results"]
    updates = [{"id": made["recordId"], "firstname": "A"}, {"id": "1"}]
    told = batch(console, *updates, kind="update", **policy)
    assert (told["successCount"], told["failureCount"]) == (1, 1)
    assert console.records("contacts")[0]["firstname"] == "A"


def test_the_order_of_what_was_created_may_change(console: Console) -> None:
    told = batch(console, *people(10), fault="batch_swapped")
    ids = [each["hs_object_id"] for each in console.records("contacts")]
    found = [each["recordId"] for each in told["results"]]
    assert sorted(found) == sorted(ids)
    assert not any(one == other for one, other in zip(found, ids, strict=True))


def test_associations_may_fail_after_the_records_are_written(console: Console) -> None:
    told = batch(console, *people(2), fault="associations_fail_after")
    assert (told["successCount"], told["failureCount"]) == (0, 2)
    assert len(console.records("contacts")) == 2


def test_one_record_is_updated_and_deleted_by_its_id(console: Console) -> None:
    made = one(console, "create", lastname="a", phone="(030) 12-3")["result"]
    assert made["data"]["phone"] == "030123"
    assert one(console, "update", id=made["recordId"], lastname="b")["result"][
        "success"
    ]
    assert one(console, "delete", id=made["recordId"])["result"]["success"]
    assert console.records("contacts") == []
    assert (
        "Could not get some CONTACT"
        in (one(console, "delete", id=made["recordId"])["errors"][0]["message"])
    )


def test_its_properties_are_told(console: Console) -> None:
    path = f"{PATH}/metadata?groupRef={GROUP}"
    fields = console.http.get(path).json()["fields"]
    assert fields["num_employees"]["valueType"] == "float"
