"""What is read otherwise of HubSpot's answers: their order, and two of their texts."""

import json
from typing import Any

import pytest

from ampersand import (
    Association,
    BatchResult,
    OutcomeUnknown,
    Refused,
    RequestInvalid,
)
from tests.ampersand.helpers import TARGET, answering, make_client

PEOPLE = [{"lastname": f"Nr {number}", "phone": "0301"} for number in range(3)]


def results(*stored: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the successes that HubSpot stored so, with ids in their order."""
    return [
        {"success": True, "recordId": f"id-{number}", "data": data}
        for number, data in enumerate(stored)
    ]


def created(
    told: list[Any], people: list[dict[str, Any]], provider: str = "hubspot"
) -> BatchResult:
    """Create people in one batch that is answered so."""
    good = sum(each["success"] for each in told)
    counts = {"successCount": good, "failureCount": len(told) - good}
    body = {"operationId": "op-1", **counts, "results": told}
    with make_client(answering(200, json=body), generation="C") as client:
        envelope = client.prepare_envelope(TARGET, "create")
        items = [f'{{"record":{json.dumps(each)}}}' for each in people]
        raw = f"{envelope.before}{','.join(items)}{envelope.after}".encode()
        ids = [""] * len(people)
        return client.send_batch(envelope.request(raw), ids, provider=provider)


def ids(result: BatchResult) -> list[str]:
    return [row.record_id for row in result.rows]


def test_results_that_fit_give_their_ids() -> None:
    stored = [{"LASTNAME": f" nr {number} ", "phone": "+49301"} for number in range(3)]
    result = created(results(*stored), PEOPLE)
    assert (result.trust, ids(result)) == ("position", ["id-0", "id-1", "id-2"])


def test_properties_may_stand_one_level_deeper() -> None:
    told = results(*({"id": "x", "properties": each} for each in PEOPLE))
    assert created(told, PEOPLE).trust == "position"


def test_one_that_does_not_fit_takes_the_ids_of_all_and_no_success() -> None:
    result = created(results(PEOPLE[1], PEOPLE[0], PEOPLE[2]), PEOPLE)
    assert (result.trust, ids(result)) == ("unverified", [""] * 3)
    assert result.count("succeeded") == 3


@pytest.mark.parametrize(
    "stored", [{}, {"phone": "0301"}, {"lastname": 5}, {"lastname": None}]
)
def test_what_cannot_be_compared_is_not_verified(stored: dict[str, Any]) -> None:
    told = results(stored, *PEOPLE[1:])
    assert created(told, PEOPLE).trust == "unverified"


@pytest.mark.parametrize(
    ("name", "sent", "stored"),
    [
        ("mobilephone", "x1", "y2"),
        ("closedate", "2024-05-01", "2024-05-01T00:00:00Z"),
        ("closedate", "2024-05-01T10:00:00Z", "1714557600000"),
        ("amount", "1,000.50", "1000.5"),
        ("amount", 5, "5"),
        ("is_lead", True, "true"),
    ],
)
def test_what_hubspot_writes_in_its_own_way_is_no_contradiction(
    name: str, sent: Any, stored: Any
) -> None:
    people = [{**each, name: sent} for each in PEOPLE]
    told = results(*({**each, name: stored} for each in PEOPLE))
    assert created(told, people).trust == "position"


def test_of_failures_nothing_is_compared_and_one_success_has_one_place() -> None:
    failed = {"success": False, "data": {"errors": [{"message": "no"}]}}
    (only,) = results({"lastname": "somebody else"})
    result = created([failed, only, failed], PEOPLE)
    assert (result.trust, ids(result)) == ("position", ["", "id-0", ""])


def test_of_others_the_order_holds() -> None:
    told = results(PEOPLE[1], PEOPLE[0], PEOPLE[2])
    assert created(told, PEOPLE, "salesforce").trust == "position"


@pytest.mark.parametrize("text", ["request limit exceeded", "API disabled"])
@pytest.mark.parametrize(
    ("provider", "expected"),
    [("hubspot", OutcomeUnknown), ("", OutcomeUnknown), ("salesforce", Refused)],
)
def test_two_texts_leave_it_open_with_hubspot_alone(
    text: str, provider: str, expected: type[Exception]
) -> None:
    body = {"operationId": "op-1", "errors": [{"message": text}]}
    counts = {"successCount": 0, "failureCount": 1}
    with make_client(answering(422, json=body), generation="C") as client:
        request = client.prepare_create_record(TARGET, {"a": "b"})
        with pytest.raises(expected):
            client.send(request, provider=provider)
    with make_client(answering(422, json={**body, **counts}), generation="C") as client:
        envelope = client.prepare_envelope(TARGET, "update")
        raw = f'{envelope.before}{{"record":{{"id":"1"}}}}{envelope.after}'.encode()
        result = client.send_batch(envelope.request(raw), ["1"], provider=provider)
    state = "failed" if expected is Refused else "unknown"
    assert [row.state for row in result.rows] == [state]


LINK = Association(to="18417469260", type_id=279)
LINKS = [
    {
        "to": {"id": "18417469260"},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
    }
]


def test_associations_stand_beside_the_record() -> None:
    client = make_client(generation="C")
    links = {"associations": [LINK]}
    created = client.prepare_create_record(TARGET, {"a": "b"}, **links)
    updated = client.prepare_update_record(TARGET, {"a": "b"}, record_id="1", **links)
    for request in (created, updated):
        assert (request.body or {})["associations"] == LINKS
        assert "associations" not in (request.body or {})["record"]
    plain = client.prepare_create_record(TARGET, {"a": "b"})
    assert "associations" not in (plain.body or {})


@pytest.mark.parametrize(
    "wrong",
    [
        Association(to=" ", type_id=279),
        Association(to="1", type_id=0),
        Association(to="1", type_id=1, category="OTHER"),
    ],
)
def test_what_is_no_association_is_not_built(wrong: Association) -> None:
    client = make_client(generation="C")
    with pytest.raises(RequestInvalid):
        client.prepare_create_record(TARGET, {"a": "b"}, associations=[wrong])
    with pytest.raises(RequestInvalid):
        make_client().prepare_create_record(TARGET, {"a": "b"}, associations=[LINK])


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, OutcomeUnknown),
        (400, OutcomeUnknown),
        (422, OutcomeUnknown),
        (401, Refused),
        (429, Refused),
    ],
)
def test_an_update_may_be_made_although_its_associations_failed(
    status: int, expected: type[Exception]
) -> None:
    errors = [{"message": "no such type"}]
    body = {"operationId": "op-1", "errors": errors, "result": {"success": False}}
    with make_client(answering(status, json=body), generation="C") as client:
        updated = client.prepare_update_record(
            TARGET, {"a": "b"}, record_id="1", associations=[LINK]
        )
        with pytest.raises(expected):
            client.send(updated, provider="hubspot")
        plain = client.prepare_update_record(TARGET, {"a": "b"}, record_id="1")
        with pytest.raises(Refused):
            client.send(plain, provider="hubspot")
