"""That the documents would notice an exchange that is not what they say."""

import json
from typing import Any

import httpx
import pytest
from openapi_core.exceptions import OpenAPIError

from tests.sandbox.contract import validate

URL = "http://sandbox/v1/projects/demo-c/integrations/salesforce/objects/contact"
SENT = {"groupRef": "g", "type": "create", "record": {}}
TOLD = {"operationId": "op-1", "result": {"success": True}}


def exchange(sent: Any, told: Any, status: int = 200) -> None:
    request = httpx.Request("POST", URL, json=sent)
    validate(request, httpx.Response(status, json=told))


def test_an_exchange_as_documented_is_valid() -> None:
    exchange(SENT, TOLD)
    batch = {"groupRef": "g", "type": "create", "batch": [{"record": {}}] * 100}
    exchange(batch, {"operationId": "op-1", "successCount": 100, "failureCount": 0})


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "create", "record": {}},
        {**SENT, "type": "upsert"},
        {**SENT, "mode": "bulk"},
        {"groupRef": "g", "type": "create", "batch": []},
        {"groupRef": "g", "type": "create", "batch": [{"record": {}}] * 101},
        {**SENT, "retryPolicy": {"deadlineHours": 49}},
    ],
)
def test_a_request_that_is_not_documented_is_noticed(sent: Any) -> None:
    with pytest.raises(OpenAPIError):
        exchange(sent, TOLD)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"result": {"success": True}}, 200),
        ({"operationId": "op-1", "result": {}}, 200),
        ({"operationId": "op-1", "more": 1}, 200),
        ({"operationId": 17}, 200),
        ({"operationId": "op-1", "result": {"success": False}}, 422),
        ({"operationId": "op-1", "errors": ["bare"]}, 422),
    ],
)
def test_an_answer_that_is_not_documented_is_noticed(told: Any, status: int) -> None:
    with pytest.raises(OpenAPIError):
        exchange(SENT, told, status)


OF_B = URL.replace("demo-c", "demo-b")


@pytest.mark.parametrize(
    ("sent", "told", "status"),
    [
        ({"groupRef": "g", "type": "merge"}, {"operationId": "op-1"}, 200),
        ({"groupRef": "g", "type": "create", "mode": "asynchronous"}, TOLD, 200),
        ({"type": "upsert", "mode": "bulk"}, {"operationId": "op-1"}, 200),
        ({"groupRef": "g", "type": "create", "record": {}}, TOLD, 200),
        (SENT, {"errors": [{"message": "an object"}]}, 422),
    ],
)
def test_the_document_of_2024_notices_what_it_does_not_say(
    sent: Any, told: Any, status: int
) -> None:
    request = httpx.Request("POST", OF_B, json=sent)
    with pytest.raises(OpenAPIError):
        validate(request, httpx.Response(status, json=told))


def test_a_problem_needs_its_members() -> None:
    request = httpx.Request("POST", URL, json=SENT)
    answer = {"content": json.dumps({"detail": 5}).encode()}
    headers = {"Content-Type": "application/problem+json"}
    with pytest.raises(OpenAPIError):
        validate(request, httpx.Response(404, **answer, headers=headers))
