from typing import Any

import pytest

from tests.sandbox.support import GROUP, OBJECTS, Console

ABSENT = "003SB0000009999AAA"


def test_create_answers_with_the_record_id_and_keeps_the_record() -> None:
    console = Console()
    result = console.create("contact", FirstName="Ann", lastname="Lee").json()["result"]
    assert result["success"]
    assert result["data"]["id"] == result["recordId"]
    (record,) = console.records("Contact")
    assert record["Id"] == result["recordId"]
    assert (record["FirstName"], record["LastName"]) == ("Ann", "Lee")


@pytest.mark.parametrize("spelling", ["Id", "id", "ID"])
def test_update_changes_only_what_is_sent(spelling: str) -> None:
    console = Console()
    created = console.create("contact", FirstName="Ann", LastName="Lee", Title="Dr")
    record_id = created.json()["result"]["recordId"]
    fields = {spelling: record_id[:15], "FirstName": "Bea", "Title": None}
    updated = console.update("contact", **fields)
    assert updated.json() == {"result": {"success": True, "recordId": record_id}}
    (record,) = console.records("contact")
    assert record["FirstName"] == "Bea"
    assert record["LastName"] == "Lee"
    assert record["Title"] is None


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"FirstName": "Ann"}, "Required fields are missing: [LastName]"),
        ({"Nope__c": 1}, "No such column 'Nope__c' on sobject of type Contact"),
        (
            {"LastName": "x" * 81},
            f"LastName: data value too large: {'x' * 81} (max length=80)",
        ),
        ({"LastName": "x", "Email": "a@b"}, "Email: invalid email address: a@b"),
        (
            {"LastName": "x", "level__c": "Best"},
            "level: bad value for restricted picklist field: Best",
        ),
        (
            {"LastName": "x", "Birthdate": "2003-02-30"},
            "Cannot deserialize instance of date from VALUE_STRING value 2003-02-30"
            " or request may be missing a required field",
        ),
        (
            {"LastName": 5},
            "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5"
            " or request may be missing a required field",
        ),
        (
            {"LastName": "x", "AccountId": "nope"},
            "Account ID: id value of incorrect type: nope",
        ),
        (
            {"LastName": "x", "AccountId": "001xx000003DGbYAAW"},
            "invalid cross reference id",
        ),
        (
            {"LastName": "x", "score__c": 1e300},
            "score: value outside of valid range on numeric field: 1e+300",
        ),
        ({"LastName": "x", "Id": ABSENT}, "cannot specify Id in an insert call"),
        (
            {"LastName": "x", "Name": "y"},
            "Unable to create/update fields: Name. Please check the security settings"
            " of this field and verify that it is read/write for your profile or"
            " permission set.",
        ),
    ],
)
def test_salesforce_refuses(record: dict[str, Any], message: str) -> None:
    console = Console()
    response = console.create("contact", **record)
    assert response.status_code == 422
    assert response.json() == {
        "errors": [f"error writing contact: bad request: {message}"],
        "result": {"success": False},
    }
    assert console.records("contact") == []


def test_update_of_a_record_that_is_not_there() -> None:
    console = Console()
    unknown = console.create("contact", LastName="Lee").json()["result"]["recordId"]
    console.http.post("/sandbox/reset")
    response = console.update("contact", Id=unknown, LastName="x")
    assert response.status_code == 422
    assert response.json()["errors"] == [f"The record with ID {unknown} was not found"]


def test_external_ids_are_unique_in_one_customer_and_not_across_customers() -> None:
    console = Console()
    console.create("contact", LastName="Lee", external_id__c="k")
    again = console.create("contact", LastName="Lee", external_id__c="K")
    assert again.status_code == 422
    assert "external_id__c" in again.text
    other = console.create("contact", "sample-org-id", LastName="L", external_id__c="k")
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "required field not found"),
        ({"groupRef": GROUP}, "required field not found"),
        ({"groupRef": GROUP, "record": []}, "required field not found"),
        ({"groupRef": GROUP, "type": "update", "record": {"LastName": "x"}}, "'type'"),
    ],
)
def test_malformed_bodies_are_refused_in_plain_text(body: Any, told: str) -> None:
    console = Console()
    response = console.http.post(f"{OBJECTS}/contact", json=body)
    assert response.status_code == 400
    assert told in response.text
    assert response.headers["content-type"].startswith("text/plain")
    assert console.records("contact") == []


def test_update_styles_are_not_mixed() -> None:
    by_type = Console(update_style="post_type_update")
    record_id = by_type.create("lead", LastName="a", Company="b").json()["result"][
        "recordId"
    ]
    record = {"Id": record_id, "Company": "c"}
    body = {"groupRef": GROUP, "type": "update", "record": record}
    assert by_type.http.patch(f"{OBJECTS}/lead", json=body).status_code == 405
    assert by_type.http.post(f"{OBJECTS}/lead", json=body).status_code == 200
    assert by_type.records("lead")[0]["Company"] == "c"

    in_path = Console(update_style="patch_id_in_path")
    record_id = in_path.create("lead", LastName="a", Company="b").json()["result"][
        "recordId"
    ]
    body = {"groupRef": GROUP, "record": {"Company": "d"}}
    assert in_path.http.patch(f"{OBJECTS}/lead", json=body).status_code == 405
    path = f"{OBJECTS}/lead/{record_id}"
    assert in_path.http.patch(path, json=body).status_code == 200
    assert in_path.records("lead")[0]["Company"] == "d"
    assert by_type.http.patch(path, json=body).status_code == 404
