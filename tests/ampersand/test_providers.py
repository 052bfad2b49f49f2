"""How many records go in one request, as Ampersand tells it of a provider."""

import json
from typing import Any

import httpx
import pytest

from ampersand import OutcomeUnknown, Provider
from tests.ampersand.helpers import TARGET, answering, make_client

TAKEN = {"supported": True, "defaultRecordLimit": 100}


def told(**support: Any) -> dict[str, Any]:
    """Return a provider whose default module has this support."""
    module = {"crm": {"support": support}}
    return {"name": "x", "defaultModule": "crm", "support": {}, "modules": module}


def read(body: Any) -> Provider:
    quick = {"sleep": lambda seconds: None}
    with make_client(answering(200, json=body), **quick) as client:
        return client.get_provider(name="x")


def test_the_limits_are_those_of_the_module() -> None:
    only = {"contact": 10, "lead": 0, "task": "many"}
    create = {**TAKEN, "objectRecordLimits": only}
    found = read(told(batchWrite={"create": create, "update": TAKEN}))
    assert (found.create.most, found.update.most) == (100, 100)
    assert found.create.by_object == {"contact": 10}


def test_they_may_stand_at_the_provider_itself() -> None:
    found = read({"name": "x", "support": {"batchWrite": {"create": TAKEN}}})
    assert (found.create.most, found.update.most) == (100, 1)


@pytest.mark.parametrize(
    "create",
    [
        None,
        {},
        {"supported": False, "defaultRecordLimit": 100},
        {"supported": "true", "defaultRecordLimit": 100},
        {"supported": True},
        {"supported": True, "defaultRecordLimit": 0},
        {"supported": True, "defaultRecordLimit": True},
        {"supported": True, "defaultRecordLimit": "100"},
    ],
)
def test_what_is_not_told_is_one_record(create: Any) -> None:
    assert read(told(batchWrite={"create": create})).create.most == 1
    assert read(told(batchWrite=create)).create.most == 1


@pytest.mark.parametrize("body", [[], {}, {"name": ""}, {"support": {}}])
def test_what_names_no_provider_is_no_answer(body: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        read(body)


def test_the_name_is_one_segment_of_the_path() -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(200, json={"name": "a/b"})

    with make_client(answer) as client:
        client.get_provider(name="a/b")
    assert seen == [b"/v1/providers/a%2Fb"]


@pytest.mark.parametrize(("most", "carried"), [(1000, 100), (100, 100), (7, 7)])
def test_a_request_carries_no_more_than_both_take(most: int, carried: int) -> None:
    envelope = make_client(generation="C").prepare_envelope(
        TARGET, "create", most=most, all_or_none=True
    )
    assert (envelope.most, envelope.is_single) == (carried, False)


@pytest.mark.parametrize("most", [1, 0])
@pytest.mark.parametrize("action", ["create", "update"])
def test_without_batches_each_record_goes_alone(most: int, action: Any) -> None:
    envelope = make_client(generation="C").prepare_envelope(
        TARGET, action, most=most, all_or_none=True
    )
    assert (envelope.most, envelope.is_single) == (1, True)
    body = json.loads(f'{envelope.before}{{"a":1}}{envelope.after}')
    assert body == {
        "groupRef": "acme",
        "type": action,
        "mode": "synchronous",
        "record": {"a": 1},
    }
