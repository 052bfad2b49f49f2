"""Looking records up, as today's API does it."""

from typing import Any

import httpx
import pytest

from tests.sandbox.support import GROUP, Console

INTEGRATION = "/v1/projects/demo-c/integrations/salesforce"


@pytest.fixture
def console() -> Console:
    return Console()


def search(console: Console, **asked: Any) -> httpx.Response:
    body = {"objectName": "contact", "field": "external_id__c", "value": "A-1", **asked}
    told = {"fieldName": body["field"], "operator": "eq", "value": body["value"]}
    said = {"objectName": body["objectName"], "fieldFilters": [told]}
    group, headers = body.get("group", GROUP), asked.get("headers", {})
    path = f"{INTEGRATION}?groupRef={group}"
    return console.http.post(path, json=said, headers=headers)


@pytest.fixture
def known(console: Console) -> str:
    record = {"LastName": "Berg", "external_id__c": "A-1"}
    said = {"groupRef": GROUP, "type": "create", "record": record}
    told = console.http.post(f"{INTEGRATION}/objects/contact", json=said).json()
    return str(told["result"]["recordId"])


@pytest.mark.parametrize(
    "asked", [{}, {"value": "a-1"}, {"field": "LastName", "value": "berg"}]
)
def test_a_record_is_found_by_what_a_field_holds(
    console: Console, known: str, asked: dict[str, str]
) -> None:
    (found,) = search(console, **asked).json()["results"]
    assert found["fields"]["id"] == found["raw"]["Id"] == known
    assert found["fields"]["external_id__c"] == "A-1"


def test_nothing_is_found_of_others(console: Console, known: str) -> None:
    assert search(console, value="A-2").json() == {"results": []}
    assert search(console, group="sample-org-id").json() == {"results": []}
    assert search(console, group="nobody").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"value": "O'Brien"},
        {"value": "a\\"},
        {"field": "nope"},
        {"field": "Birthdate", "value": "2000-01-01"},
        {"objectName": "tactics__c", "field": "custom_id__c"},
    ],
)
def test_what_cannot_be_searched_is_a_problem_in_plain_json(
    console: Console, asked: dict[str, str]
) -> None:
    told = search(console, **asked)
    assert told.status_code == told.json()["status"] == 400
    assert told.headers["content-type"] == "application/json"


def test_a_search_is_a_read_and_is_counted_apart(console: Console, known: str) -> None:
    assert search(console, headers={"X-Api-Key": "SANDBOX-READONLY"}).is_success
    assert len(console.http.get("/sandbox/requests").json()) == 1
    (counted,) = console.http.get("/sandbox/searches").json()
    assert counted == {"object": "contact", "field": "external_id__c", "value": "A-1"}


def test_two_are_told_where_that_is_asked_for(console: Console, known: str) -> None:
    told = search(console, headers={"X-Sandbox-Fault": "search_two"})
    assert len(told.json()["results"]) == 2


def test_the_other_generation_has_no_search(console: Console) -> None:
    path = "/v1/projects/demo/integrations/salesforce"
    assert console.http.post(path, json={}).status_code == 405
