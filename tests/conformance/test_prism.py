"""The client's requests by today's API, against a fake that nobody here wrote."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from ampersand import Client, OutcomeUnknown, Request, SecretStr, Target
from tests.conformance.conftest import LONGEST

TARGET = Target(project="p1", integration="i1", object_name="a/b c", group_ref="acme")
WITH_HEADERS = replace(TARGET, headers=(("Sforce-Auto-Assign", "FALSE"),))
RECORD = {"FirstName": "Zoë", "Amount": 1.5, "Active": True, "Gone": None}
RECORD_ID = "003xx000001AAAAAAA"


@pytest.fixture
def client(prism: str) -> Iterator[Client]:
    """A client that speaks today's API with Prism."""
    key = SecretStr("key-of-nobody")
    with Client(api_key=key, write_url=prism, generation="C") as client:
        yield client


def sent(prism: str, request: Request, **headers: str) -> httpx.Response:
    """Send a request as it is; return Prism's answer with its verdict."""
    return httpx.request(
        request.method,
        request.url,
        content=request.content(),
        headers={**request.headers(), **headers},
        trust_env=False,
        timeout=LONGEST,
    )


def run_of(client: Client, kind: Any, count: int, **how: Any) -> Request:
    """Return a request of a run with so many records."""
    envelope = client.prepare_envelope(TARGET, kind, **how)
    record = '{"id":"1","a":1.10}'
    item = record if envelope.is_single else f'{{"record":{record}}}'
    text = f"{envelope.before}{','.join([item] * count)}{envelope.after}"
    return envelope.request(text.encode())


def test_every_request_of_ours_is_as_documented(prism: str, client: Client) -> None:
    requests = [
        client.prepare_create_record(TARGET, RECORD),
        client.prepare_update_record(TARGET, RECORD, record_id=RECORD_ID),
        client.prepare_delete_record(TARGET, record_id=RECORD_ID),
        client.prepare_create_record(WITH_HEADERS, RECORD),
        client.prepare_delete_record(WITH_HEADERS, record_id=RECORD_ID),
        run_of(client, "create", 1),
        run_of(client, "create", 100, all_or_none=True),
        run_of(client, "update", 100),
        run_of(client, "update", 100, deadline_hours=48),
        run_of(client, "delete", 1),
    ]
    for request in requests:
        answer = sent(prism, request)
        assert answer.status_code == 200, answer.headers.get("sl-violations")
        assert "sl-violations" not in answer.headers


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "upsert"},
        {"type": None},
        {"groupRef": None},
        {"mode": "bulk"},
        {"record": [1]},
        {"batch": []},
        {"batch": [{"record": {}}] * 101},
        {"batchPolicy": {"allOrNone": "yes"}},
        {"retryPolicy": {"deadlineHours": 49}},
        {"headers": {"Sforce-Auto-Assign": "FALSE"}},
    ],
)
def test_what_is_not_documented_is_noticed(
    prism: str, client: Client, changed: dict[str, Any]
) -> None:
    request = client.prepare_create_record(TARGET, RECORD)
    body = {**(request.body or {}), **changed}
    body = {name: value for name, value in body.items() if value is not None}
    wrong = Request(
        action="create", method="POST", url=request.url, raw=json.dumps(body).encode()
    )
    assert "sl-violations" in sent(prism, wrong).headers


def test_the_client_reads_what_the_document_answers(client: Client) -> None:
    created = client.send(client.prepare_create_record(TARGET, RECORD))
    assert created.operation_id
    assert not created.is_accepted


def test_an_answer_to_one_record_proves_nothing_of_a_batch(client: Client) -> None:
    # Prism answers with the first form that is documented, whatever was asked.
    with pytest.raises(OutcomeUnknown):
        client.send_batch(run_of(client, "create", 2), ["", ""])
