"""Generation C: what is sent, and what its answers are taken for."""

import json

import httpx
import pytest

from ampersand import (
    Accepted,
    Action,
    BatchResult,
    Client,
    OutcomeUnknown,
    Refused,
    RequestInvalid,
    WriteResult,
)
from tests.ampersand.helpers import TARGET, answering, make_client

RECORD = {"FirstName": "Zoë", "Amount": 1}
RECORD_ID = "003xx000001AAAAAAA"


def client_c(handler: object = None) -> Client:
    return make_client(handler, generation="C")  # type: ignore[arg-type]


def answered(kind: str, status: int, **body: object) -> WriteResult:
    """Send a write of that kind, answered so; return what the client makes of it."""
    with client_c(answering(status, json=body)) as client:
        match kind:
            case "create":
                request = client.prepare_create_record(TARGET, RECORD)
            case "update":
                request = client.prepare_update_record(
                    TARGET, RECORD, record_id=RECORD_ID
                )
            case _:
                request = client.prepare_delete_record(TARGET, record_id=RECORD_ID)
        return client.send(request)


KINDS = pytest.mark.parametrize("kind", ["create", "update", "delete"])


def test_the_type_says_what_is_done_and_the_id_is_a_text() -> None:
    client = client_c()
    created = client.prepare_create_record(TARGET, RECORD)
    updated = client.prepare_update_record(
        TARGET, {**RECORD, "Id": RECORD_ID}, record_id=RECORD_ID
    )
    deleted = client.prepare_delete_record(TARGET, record_id=RECORD_ID)
    assert {each.method for each in (created, updated, deleted)} == {"POST"}
    assert {each.url for each in (created, updated, deleted)} == {created.url}
    assert created.url.endswith("/projects/p1/integrations/i1/objects/contact")
    common = {"groupRef": "acme", "mode": "synchronous"}
    assert created.body == {**common, "type": "create", "record": RECORD}
    assert updated.body == {
        **common,
        "type": "update",
        "record": {"id": RECORD_ID, **RECORD},
    }
    assert deleted.body == {
        "groupRef": "acme",
        "type": "delete",
        "record": {"id": RECORD_ID},
    }


@pytest.mark.parametrize("blank", ["", " "])
def test_what_names_no_record_is_not_built(blank: str) -> None:
    client = client_c()
    with pytest.raises(RequestInvalid):
        client.prepare_delete_record(TARGET, record_id=blank)
    with pytest.raises(RequestInvalid):
        client.prepare_update_record(TARGET, RECORD, record_id=blank)
    with pytest.raises(RequestInvalid):
        client.prepare_update_record(TARGET, {"id": RECORD_ID}, record_id=RECORD_ID)
    with pytest.raises(RequestInvalid):
        client.prepare_update_record(TARGET, {"id": "other"}, record_id=RECORD_ID)
    with pytest.raises(RequestInvalid):
        client.prepare_create_record(TARGET, {})


def test_a_generation_never_stands_in_for_another() -> None:
    with pytest.raises(RequestInvalid):
        client_c().prepare_upsert_records(TARGET, primary_key="id", csv="id\n1\n")
    with pytest.raises(RequestInvalid):
        make_client().prepare_delete_record(TARGET, record_id=RECORD_ID)


@KINDS
def test_a_success_names_the_record_and_its_operation(kind: str) -> None:
    told = {"success": True, "recordId": RECORD_ID}
    result = answered(kind, 200, operationId="op-1", result=told)
    assert (result.record_id, result.operation_id) == (RECORD_ID, "op-1")
    assert not result.is_accepted


@KINDS
def test_a_success_without_a_result_goes_on(kind: str) -> None:
    result = answered(kind, 200, operationId="op-1")
    assert result.is_accepted
    assert result.operation_id == "op-1"


@KINDS
@pytest.mark.parametrize("status", [200, 422])
def test_a_failure_is_a_refusal_with_its_operation(kind: str, status: int) -> None:
    with pytest.raises(Refused) as caught:
        answered(
            kind,
            status,
            operationId="op-1",
            errors=[{"message": "error writing contact: bad request: No such column"}],
            result={"success": False},
        )
    assert caught.value.problem.operation_id == "op-1"
    assert "No such column" in caught.value.problem.detail


@KINDS
def test_a_batch_answer_or_none_proves_nothing(kind: str) -> None:
    with pytest.raises(OutcomeUnknown):
        answered(kind, 200, operationId="op-1", successCount=1, failureCount=0)
    with pytest.raises(OutcomeUnknown):
        answered(kind, 200)
    with pytest.raises(OutcomeUnknown):
        answered(kind, 200, result={"success": True}, operationId="x") and answered(
            kind, 500, operationId="op-1", errors=[]
        )


@pytest.mark.parametrize(
    "text",
    [
        "HTTP status 503: server error",
        "json.Unmarshal failed: unexpected end of JSON input",
        "context deadline exceeded",
    ],
)
@KINDS
def test_a_refusal_that_may_have_come_after_the_write_is_unknown(
    kind: str, text: str
) -> None:
    with pytest.raises(OutcomeUnknown):
        answered(
            kind,
            422,
            operationId="op-1",
            errors=[{"message": text}],
            result={"success": False},
        )


@pytest.mark.parametrize("kind", ["update", "delete"])
@pytest.mark.parametrize("other", ["003xx000001BBBAAA", "17", RECORD_ID[:15].lower()])
def test_an_answer_about_another_record_is_no_answer(kind: str, other: str) -> None:
    told = {"success": True, "recordId": other}
    with pytest.raises(OutcomeUnknown):
        answered(kind, 200, operationId="op-1", result=told)


@pytest.mark.parametrize("kind", ["update", "delete"])
def test_the_short_form_of_an_id_is_the_same_record(kind: str) -> None:
    told = {"success": True, "recordId": RECORD_ID[:15]}
    assert answered(kind, 200, operationId="op-1", result=told).record_id


def test_a_warning_alone_reports_a_write() -> None:
    result = answered("create", 422, operationId="op-1", warnings=[{"message": "late"}])
    assert result.warnings == ("late",)


def test_a_cut_answer_proves_nothing() -> None:
    cut = httpx.Response(200, content=b'{"operationId": "op-1", "result"')
    with client_c(lambda request: cut) as client, pytest.raises(OutcomeUnknown):
        client.send(client.prepare_create_record(TARGET, RECORD))


@pytest.mark.parametrize("action", ["create", "update"])
def test_an_asynchronous_batch_says_how_long_it_may_be_tried(action: Action) -> None:
    envelope = client_c().prepare_envelope(TARGET, action, deadline_hours=48)
    said = json.loads(envelope.before + envelope.after)
    assert said == {
        "groupRef": "acme",
        "type": action,
        "mode": "asynchronous",
        "retryPolicy": {"deadlineHours": 48},
        "batch": [],
    }


@pytest.mark.parametrize(
    ("action", "hours"), [("create", 0), ("update", 49), ("delete", 1)]
)
def test_no_other_deadline_and_no_asynchronous_delete(
    action: Action, hours: int
) -> None:
    with pytest.raises(RequestInvalid):
        client_c().prepare_envelope(TARGET, action, deadline_hours=hours)


def batch_answered(action: Action, **body: object) -> BatchResult | Accepted:
    """Send a request of one record, answered so."""
    with client_c(answering(200, json=body)) as client:
        envelope = client.prepare_envelope(TARGET, action)
        return client.send_batch(envelope.request(b"{}"), ["1"])


def test_a_batch_of_which_only_the_operation_is_told_was_accepted() -> None:
    told = batch_answered("update", operationId="op-1")
    assert told == Accepted(operation_id="op-1", status_code=200)
    with pytest.raises(OutcomeUnknown):
        batch_answered("delete", operationId="op-1")
    with pytest.raises(OutcomeUnknown):
        batch_answered("update", operationId="op-1", errors=[])
    with pytest.raises(OutcomeUnknown):
        batch_answered("update")
