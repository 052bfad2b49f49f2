"""The sandbox's describe of an object, and that the console reads it."""

import json
from typing import Any

import pytest

from files.fields.field_lists import from_describe
from sandbox import schema
from tests.sandbox.support import Console

OBJECTS = ("account", "contact", "lead", "opportunity", "touchpoints__c", "tactics__c")
KEYS = {
    *("name", "label", "type", "length", "precision", "scale", "digits", "nillable"),
    *("defaultedOnCreate", "createable", "updateable", "externalId"),
    *("restrictedPicklist", "picklistValues", "relationshipName", "referenceTo"),
}


def described(name: str) -> dict[str, Any]:
    """Return the describe of an object."""
    response = Console().http.get(f"/sandbox/describe/{name}")
    assert response.status_code == 200
    answer: dict[str, Any] = response.json()
    return answer


def field(object_name: str, name: str) -> dict[str, Any]:
    """Return how one field is described."""
    fields: list[dict[str, Any]] = described(object_name)["fields"]
    return next(each for each in fields if each["name"] == name)


@pytest.mark.parametrize("name", OBJECTS)
def test_the_console_reads_every_describe(name: str) -> None:
    answer = described(name)
    assert all(each.keys() >= KEYS for each in answer["fields"])
    fields = {each.name: each for each in from_describe(json.dumps(answer))}
    sobject = schema.find(name)
    assert sobject is not None
    assert fields.keys() == {each.name for each in sobject.fields.values()}
    required = {each.name for each in sobject.required}
    assert {each.name for each in fields.values() if each.is_required} == required
    keys = {each.name for each in sobject.external_ids}
    assert {each.name for each in fields.values() if each.is_external_id} == keys


def test_a_number_is_described_by_all_its_digits() -> None:
    amount = field("opportunity", "Amount")
    assert (amount["precision"], amount["scale"], amount["length"]) == (18, 2, 0)
    assert field("account", "NumberOfEmployees")["digits"] == 8


def test_a_picklist_and_a_reference_are_described() -> None:
    tier = field("account", "tier__c")
    assert tier["restrictedPicklist"]
    assert [each["value"] for each in tier["picklistValues"]] == [
        "Gold",
        "Silver",
        "Bronze",
    ]
    owner = field("contact", "AccountId")
    assert (owner["relationshipName"], owner["referenceTo"]) == ("Account", ["Account"])


def test_an_object_in_any_case_and_one_that_is_not_there() -> None:
    assert described("ACCOUNT")["name"] == "Account"
    assert Console().http.get("/sandbox/describe/nothing").status_code == 404
