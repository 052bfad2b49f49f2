"""Looking up records: what is asked, what is read, and what is never asked."""

import json
from typing import Any

import httpx
import pytest

from ampersand import OutcomeUnknown, Refused, RequestInvalid, SearchHit
from tests.ampersand.helpers import Handler, answering, make_client

ASKED = {
    "project": "p1",
    "integration": "i1",
    "object_name": "contact",
    "group_ref": "x&y=1",
    "name": "Ext__c",
}
URL = "https://search.example/v1"


def search(handler: Handler, value: str = "A-1") -> tuple[SearchHit, ...]:
    options: dict[str, Any] = {"generation": "C", "search_url": URL}
    with make_client(handler, sleep=lambda seconds: None, **options) as client:
        return client.search(**ASKED, value=value)


def test_the_question_is_a_post_to_the_search_address() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"results": []})

    assert search(answer) == ()
    (request,) = seen
    path = "/projects/p1/integrations/i1?groupRef=x%26y%3D1"
    assert (request.method, str(request.url)) == ("POST", URL + path)
    assert request.headers["x-amp-request-type"] == "search"
    assert json.loads(request.content) == {
        "objectName": "contact",
        "fieldFilters": [{"fieldName": "Ext__c", "operator": "eq", "value": "A-1"}],
    }


@pytest.mark.parametrize("name", ["result", "results"])
@pytest.mark.parametrize(
    "item",
    [
        {"id": "003", "fields": {"ext__c": "a-1"}},
        {"fields": {"id": "003", "ext__c": "A-1"}},
        {"raw": {"Id": "003", "Ext__c": "A-1"}, "mappedFields": None},
        {"raw": {"Id": "003"}, "mappedFields": {"EXT__C": "A-1"}},
    ],
)
def test_a_record_is_read_wherever_its_id_and_its_key_stand(
    name: str, item: dict[str, Any]
) -> None:
    (hit,) = search(answering(200, json={name: [item]}))
    assert hit.id == "003"
    assert hit.holds("Ext__c", "A-1")
    assert not hit.holds("Ext__c", "A-2")


def test_a_list_that_is_null_is_empty() -> None:
    assert search(answering(200, json={"results": None})) == ()


@pytest.mark.parametrize("body", [{}, [], {"results": {}}, {"results": ["003"]}])
def test_an_answer_without_a_list_tells_nothing(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        search(answering(200, json=body))


def test_it_is_asked_again_as_reads_are() -> None:
    answers = [httpx.Response(500), httpx.Response(200, json={"results": []})]
    assert search(lambda request: answers.pop(0)) == ()
    assert answers == []


@pytest.mark.parametrize("value", ["O'Brien", "a\\", ""])
def test_what_could_ask_for_others_is_never_asked(value: str) -> None:
    with pytest.raises(RequestInvalid):
        search(answering(500), value)


def test_a_refusal_in_plain_json_keeps_its_words() -> None:
    body = {"status": 400, "detail": "No such column"}
    with pytest.raises(Refused) as caught:
        search(answering(400, json=body))
    assert caught.value.problem.detail == "No such column"


@pytest.mark.parametrize(
    "options", [{"generation": "A", "search_url": URL}, {"generation": "C"}]
)
def test_nothing_is_asked_without_a_search(options: dict[str, Any]) -> None:
    with (
        make_client(answering(500), **options) as client,
        pytest.raises(RequestInvalid),
    ):
        client.search(**ASKED, value="A-1")
