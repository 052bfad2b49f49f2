"""Generation C: one POST, with a type for each kind of write."""

from typing import Any

import httpx
import pytest

from tests.sandbox.support import GROUP, Console

OBJECTS = "/v1/projects/demo-c/integrations/salesforce/objects"
ABSENT = "003SB0000009999"


@pytest.fixture
def console() -> Console:
    return Console()


def write(
    console: Console,
    kind: str,
    group: str = GROUP,
    name: str = "contact",
    **record: Any,
) -> httpx.Response:
    body = {"groupRef": group, "type": kind, "record": record}
    return console.http.post(f"{OBJECTS}/contact", json=body)


def created(console: Console, **record: Any) -> str:
    response = write(console, "create", LastName="Lee", **record)
    record_id: str = response.json()["result"]["recordId"]
    return record_id


def test_a_create_names_its_operation_and_its_record(console: Console) -> None:
    answer = write(console, "create", LastName="Lee").json()
    (record,) = console.records("contact")
    assert answer["result"]["recordId"] == record["Id"]
    path = f"/v1/projects/demo-c/operations/{answer['operationId']}"
    operation = console.http.get(path).json()
    assert operation["status"] == "success"
    assert operation["metadata"]["successfulRecordIds"] == [record["Id"]]
    assert console.http.get(f"{path}/logs").json()


def test_an_update_finds_its_record_by_the_id_in_it(console: Console) -> None:
    record_id = created(console)
    answer = write(console, "update", id=record_id[:15], FirstName="Ann")
    assert answer.json()["result"] == {"success": True, "recordId": record_id}
    (record,) = console.records("contact")
    assert record["FirstName"] == "Ann"


def test_a_delete_takes_the_record_away(console: Console) -> None:
    record_id = created(console)
    assert write(console, "delete", id=record_id).json()["result"]["success"]
    assert console.records("contact") == []
    again = write(console, "delete", id=record_id)
    assert again.status_code == 422
    assert "ENTITY_IS_DELETED" in again.json()["errors"][0]["message"]


def test_a_delete_needs_the_leave_of_the_installation(console: Console) -> None:
    other = "sample-org-id"
    answer = write(console, "create", group=other, LastName="Lee").json()
    refused = write(console, "delete", group=other, id=answer["result"]["recordId"])
    assert refused.status_code == 400
    assert len(console.records("contact")) == 1


@pytest.mark.parametrize(
    ("kind", "record", "text"),
    [
        ("create", {"FirstName": "Ann"}, "Required fields are missing: [LastName]"),
        ("update", {"LastName": "x"}, "Id not specified in an update call"),
        ("update", {"id": 5, "LastName": "x"}, "Id not specified in an update call"),
        ("update", {"id": ABSENT, "LastName": "x"}, "was not found"),
        ("update", {"id": "nope", "LastName": "x"}, "id value of incorrect type"),
    ],
)
def test_what_the_provider_refuses_is_a_422_with_its_operation(
    console: Console, kind: str, record: dict[str, Any], text: str
) -> None:
    answer = write(console, kind, **record)
    assert answer.status_code == 422
    assert text in answer.json()["errors"][0]["message"]
    assert answer.json()["result"] == {"success": False}
    path = f"/v1/projects/demo-c/operations/{answer.json()['operationId']}"
    assert console.http.get(path).json()["status"] == "failure"


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "upsert"},
        {"type": None},
        {"mode": "bulk"},
        {"record": [1]},
        {"recordsCSV": "a,b\n"},
        {"groupRef": ""},
    ],
)
def test_a_malformed_request_is_a_400_in_plain_text(
    console: Console, changed: dict[str, Any]
) -> None:
    body = {"groupRef": GROUP, "type": "create", "record": {"LastName": "x"}, **changed}
    answer = console.http.post(f"{OBJECTS}/contact", json=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/plain")
    assert console.records("contact") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "contact"), ("PUT", "contact:async"), ("DELETE", "contact")],
)
def test_verbs_of_another_generation_are_not_allowed(
    console: Console, method: str, path: str
) -> None:
    answer = console.http.request(method, f"{OBJECTS}/{path}", json={"groupRef": GROUP})
    assert answer.status_code == 405


def test_another_generation_knows_no_type(console: Console) -> None:
    body = {"groupRef": GROUP, "type": "create", "record": {"LastName": "x"}}
    path = "/v1/projects/demo/integrations/salesforce/objects/contact"
    assert console.http.post(path, json=body).status_code == 400


def test_settings_of_fields_change_what_is_written(console: Console) -> None:
    def lead(kind: str, **record: Any) -> Any:
        body = {"groupRef": "sample-org-id", "type": kind, "record": record}
        answer = console.http.post(f"{OBJECTS}/lead", json=body)
        return answer.json()["result"]["recordId"]

    made = lead("create", LastName="Berg", Company="Acme", Description="first")
    assert console.records("lead")[0]["LeadSource"] == "Web"
    lead("update", id=made, Description="second", Title="Dr", LeadSource="Other")
    lead("update", id=made, Title="Prof")
    (stored,) = console.records("lead")
    assert (stored["Description"], stored["Title"]) == ("first", "Dr")
    assert stored["LeadSource"] == "Web"
