"""The headers that Ampersand hands on to Salesforce."""

from dataclasses import replace

import pytest

from ampersand import Client, RequestInvalid, Target
from ampersand.provider_headers import allowed
from tests.ampersand.helpers import TARGET, make_client

RULE = "01Q000000000001"
GOOD = [
    ("Sforce-Auto-Assign", "FALSE"),
    ("Sforce-Auto-Assign", RULE),
    ("Sforce-Auto-Assign", f"{RULE}AAA"),
    ("Sforce-Duplicate-Rule-Header", "allowSave=true"),
    (
        "Sforce-Duplicate-Rule-Header",
        "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true",
    ),
    ("Sforce-Mru", "updateMru=true"),
    ("Sforce-Call-Options", "client=Some.Client/100"),
]
BAD = [
    ("Authorization", "Bearer x"),
    ("X-Api-Key", "x"),
    ("sforce-mru", "updateMru=true"),
    ("Sforce-Auto-Assign", "false"),
    ("Sforce-Auto-Assign", f"{RULE}A"),
    ("Sforce-Auto-Assign", "FALSE\nX: y"),
    ("Sforce-Duplicate-Rule-Header", ""),
    ("Sforce-Duplicate-Rule-Header", "allowSave=true; allowSave=false"),
    ("Sforce-Duplicate-Rule-Header", "allowSave=true, runAsCurrentUser=true"),
    ("Sforce-Mru", "updateMru=yes"),
    ("Sforce-Call-Options", "client=a, defaultNamespace=b"),
    ("Sforce-Call-Options", "client="),
    ("Sforce-Limit-Info", "api-usage=1/2"),
]


def bodies(client: Client, target: Target) -> list[str]:
    """Return the body of each kind of request, or what stands around its records."""
    record = {"LastName": "Berg"}
    one = [
        client.prepare_create_record(target, record),
        client.prepare_update_record(target, record, record_id="1"),
        client.prepare_delete_record(target, record_id="1"),
    ]
    many = [client.prepare_envelope(target, kind).before for kind in KINDS]
    return [*(each.content().decode() for each in one), *many]


KINDS = ("create", "update", "delete")


@pytest.mark.parametrize("header", GOOD)
def test_every_kind_of_request_carries_what_is_allowed(header: tuple[str, str]) -> None:
    name, value = header
    part = f'"headers":[{{"key":"{name}","value":"{value}"}}]'
    found = bodies(make_client(generation="C"), replace(TARGET, headers=(header,)))
    assert [part in body for body in found] == [True] * 6


@pytest.mark.parametrize("header", BAD)
def test_nothing_else_gets_in(header: tuple[str, str]) -> None:
    client, target = make_client(generation="C"), replace(TARGET, headers=(header,))
    with pytest.raises(RequestInvalid):
        client.prepare_create_record(target, {"a": 1})
    with pytest.raises(RequestInvalid):
        client.prepare_update_record(target, {"a": 1}, record_id="1")
    with pytest.raises(RequestInvalid):
        client.prepare_delete_record(target, record_id="1")
    for kind in KINDS:
        with pytest.raises(RequestInvalid):
            client.prepare_envelope(target, kind)


def test_one_of_a_name_in_the_same_order_always() -> None:
    first, last = GOOD[1], GOOD[-1]
    assert allowed((last, first)) == (first, last)
    with pytest.raises(RequestInvalid):
        allowed((GOOD[0], GOOD[1]))


def test_the_api_of_2024_hands_on_none() -> None:
    target = replace(TARGET, headers=(GOOD[0],))
    with pytest.raises(RequestInvalid):
        make_client().prepare_create_record(target, {"a": 1})
    with pytest.raises(RequestInvalid):
        make_client().prepare_upsert_records(target, primary_key="id", csv="id\n1\n")
