"""Installations and metadata: what is read of them, and what never is."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampersand import AmpersandError, Installation, OutcomeUnknown, Refused
from tests.ampersand.helpers import KEY, answering, make_client

TOKEN = "token-of-a-customer-9d1f"
ASKED = {"project": "p1", "integration": "i1"}
RAW = {
    "id": "inst-1",
    "healthStatus": "healthy",
    "lastOperationStatus": "failure",
    "group": {"groupRef": "acme", "groupName": "Acme"},
    "connection": {
        "status": "working",
        "apiKey": TOKEN,
        "oauth2AuthorizationCode": {"accessToken": {"token": TOKEN}},
    },
    "config": {
        "content": {
            "write": {
                "objects": {
                    "contact": {
                        "objectName": "contact",
                        "deletionSettings": {"enabled": True},
                    },
                    "account": {"objectName": "account"},
                }
            }
        }
    },
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*RAW, "write", "objects", "fields", "values"]), inner
        )
    ),
    max_leaves=10,
)


def installations(body: Any) -> tuple[Installation, ...]:
    with make_client(answering(200, json=body)) as client:
        return client.list_installations(**ASKED)


def test_an_installation_is_read_without_what_its_connection_holds() -> None:
    (found,) = installations([RAW])
    assert (found.id, found.group_ref, found.group_name) == ("inst-1", "acme", "Acme")
    assert (found.health, found.last_operation) == ("healthy", "failure")
    assert found.objects == {"contact": True, "account": False}
    assert TOKEN not in repr(found)


def test_the_group_may_stand_in_the_connection_alone() -> None:
    raw = {**RAW, "group": None, "connection": {"group": RAW["group"]}}
    (found,) = installations([raw, {"id": "nobody's"}])
    assert found.group_ref == "acme"


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RAW).encode(),
        json.dumps([RAW]).encode()[:-20],
        b'"' + TOKEN.encode() + b'"',
    ],
)
def test_no_error_shows_any_of_an_answer_with_secrets(content: bytes) -> None:
    answer = httpx.Response(200, content=content)
    with (
        make_client(lambda request: answer, sleep=lambda seconds: None) as client,
        pytest.raises(OutcomeUnknown) as caught,
    ):
        client.list_installations(**ASKED)
    assert TOKEN not in f"{caught.value!r} {vars(caught.value)}"


def test_the_question_names_object_and_customer() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"name": "contact", "fields": {}})

    with make_client(answer) as client:
        client.get_object_metadata(**ASKED, object_name="a/b", group_ref="x&y=1")
    path = b"/v1/projects/p1/integrations/i1/objects/a%2Fb/metadata"
    assert seen[0].url.raw_path == path + b"?groupRef=x%26y%3D1"


def test_fields_are_read_with_their_choices() -> None:
    body = {
        "name": "contact",
        "fields": {
            "level": {
                "fieldName": "level",
                "displayName": "Level",
                "valueType": "singleSelect",
                "isRequired": True,
                "values": [{"value": "a", "displayValue": "A"}, {"value": "b"}],
            },
            "made": {"displayName": "Made", "readOnly": True},
        },
    }
    with make_client(answering(200, json=body)) as client:
        found = client.get_object_metadata(
            **ASKED, object_name="contact", group_ref="acme"
        )
    level, made = found.fields
    assert level.values == (("a", "A"), ("b", "b"))
    assert (level.is_required, level.value_type) == (True, "singleSelect")
    assert (made.name, made.is_read_only) == ("made", True)


@pytest.mark.parametrize("status", [404, 500])
def test_a_read_that_is_refused_says_so(status: int) -> None:
    handler = answering(status, json={"detail": f"no {KEY}"})
    with (
        make_client(handler, sleep=lambda seconds: None) as client,
        pytest.raises(Refused) as caught,
    ):
        client.get_object_metadata(**ASKED, object_name="contact", group_ref="acme")
    assert KEY not in str(caught.value)


@given(values)
def test_whatever_comes_is_read_or_told(body: Any) -> None:
    handler = answering(200, json=body)
    with make_client(handler, sleep=lambda seconds: None) as client:
        for ask in (
            lambda: client.list_installations(**ASKED),
            lambda: client.get_provider(name="x"),
            lambda: client.get_object_metadata(
                **ASKED, object_name="contact", group_ref="acme"
            ),
        ):
            try:
                ask()
            except AmpersandError:
                continue
