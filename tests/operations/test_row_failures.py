"""Reading failed rows out of log entries."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.outcome.row_failures import (
    FailureGroup,
    failure_groups,
    loose_errors,
    parse_error,
    unfolded,
)

REPORT = {
    "failureType": "Partial",
    "failedUpdates": {"A:b:--": ["k1", "k2"]},
    "failedCreates": {"C:d:--": ["k3"]},
}
GROUPS = [
    FailureGroup("update", "A:b:--", ("k1", "k2")),
    FailureGroup("create", "C:d:--", ("k3",)),
]


@pytest.mark.parametrize(
    "details",
    [
        {"failureDetails": REPORT},
        {"failureDetails": json.dumps(REPORT)},
        {"response": json.dumps({"failureDetails": json.dumps(REPORT)})},
        {name: json.dumps(value) for name, value in REPORT.items()},
        [{"deep": [REPORT]}],
    ],
)
def test_failures_are_found_wherever_they_stand(details: Any) -> None:
    assert failure_groups([{"message": {"msg": "x", "details": details}}]) == GROUPS


def test_the_same_report_in_two_entries_counts_once() -> None:
    assert failure_groups([{"a": REPORT}, {"b": json.dumps(REPORT)}]) == GROUPS


def test_the_largest_group_comes_first() -> None:
    report = {"failedUpdates": {"few": ["1"], "many": ["1", "2"]}}
    assert [group.error for group in failure_groups([report])] == ["many", "few"]


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        "{",
        "[" * 100_000,
        {"failedUpdates": None},
        {"failedUpdates": ["a"]},
        {"failedUpdates": "no json"},
    ],
)
def test_hostile_details_name_nothing(hostile: Any) -> None:
    assert failure_groups([{"message": {"details": {"x": hostile}}}]) == []


def test_keys_of_any_kind_become_text() -> None:
    report = {"failedUpdates": {"e": [1, None, {"a": 2}, "x" * 999]}}
    (group,) = failure_groups([report])
    assert group.keys[:3] == ("1", "null", '{"a": 2}')
    assert len(group.keys[3]) == 255


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["failedUpdates", "failedCreates", "x"]) | st.text(), inner
        )
    ),
)


@given(JSON)
def test_any_json_is_survived(value: Any) -> None:
    for group in failure_groups([value, json.dumps(value)]):
        assert group.kind in ("create", "update")
        assert group.parsed.message is not None


@pytest.mark.parametrize(
    ("text", "code", "message", "fields"),
    [
        (
            "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --",
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [Name]",
            ("Name",),
        ),
        ("INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--",)
        + ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ()),
        ("X_Y:two:A, B --", "X_Y", "two", ("A", "B")),
        ("X_Y:a: b: c:A__c --", "X_Y", "a: b: c", ("A__c",)),
        ("X_Y:Due to: no name at all --", "X_Y", "Due to: no name at all", ()),
        ("X_Y:line\nbreak: here:--", "X_Y", "line\nbreak: here", ()),
        ("X_Y:one:A__r.B__c,C --", "X_Y", "one", ("A__r.B__c", "C")),
        ("X_Y:one:A,,B --", "X_Y", "one:A,,B", ()),
        ("InvalidBatch : Records not found", "InvalidBatch", "Records not found", ()),
        ("provider said: no", "", "provider said: no", ()),
        ("CODE:", "CODE", "", ()),
        ("CODE:--", "CODE", "", ()),
        ("", "", "", ()),
    ],
)
def test_error_texts_are_taken_apart(
    text: str, code: str, message: str, fields: tuple[str, ...]
) -> None:
    error = parse_error(text)
    assert (error.code, error.message, error.fields) == (code, message, fields)


@given(st.text())
def test_any_error_text_is_survived(text: str) -> None:
    assert parse_error(text).code in text


def test_a_code_is_explained_by_its_message() -> None:
    twice = parse_error("DUPLICATE_VALUE:Duplicate external id specified: K:Ext__c --")
    taken = parse_error("DUPLICATE_VALUE:duplicate value found: X__c duplicates:--")
    assert twice.explanation
    assert taken.explanation
    assert twice.explanation != taken.explanation
    assert parse_error("NEVER_HEARD_OF:x:--").explanation is None


TWICE = "DUPLICATE_VALUE:Duplicate external id specified: a: b:Ext__c --"
LOCKED = "UNABLE_TO_LOCK_ROW:unable to lock: 001, 002:--"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (TWICE, [TWICE]),
        ({"message": {"msg": TWICE}}, [TWICE]),
        ({"message": {"msg": f"error writing record: {TWICE}"}}, [TWICE]),
        ({"message": {"msg": f"{TWICE}\n{LOCKED}; {TWICE}"}}, [TWICE, LOCKED]),
        ({"message": {"msg": "failed", "error": TWICE}}, [TWICE]),
        ({"message": {"msg": TWICE, "error": TWICE}}, [TWICE]),
        ({"details": json.dumps({"deep": [TWICE]})}, [TWICE]),
        ({"message": {"error": "InvalidBatch : no"}}, ["InvalidBatch : no"]),
        ({"message": {"msg": "InvalidBatch : no"}}, []),
        ({"message": {"msg": "X_Y:not the end -- of it"}}, []),
        ({"message": {"error": " "}}, []),
        ({"failureDetails": REPORT}, []),
        ("A_B:" * 50_000, []),
        ("A_B:--" * 20_000, ["A_B:--" * 333 + "A_"]),
    ],
)
def test_errors_without_keys_are_found(raw: Any, found: list[str]) -> None:
    assert loose_errors([raw]) == found


def test_a_loose_error_counts_once_in_each_entry_that_tells_it() -> None:
    assert loose_errors([{"error": TWICE}, {"a": TWICE, "b": TWICE}]) == [TWICE, TWICE]


def test_the_error_of_a_group_is_not_loose() -> None:
    report = {"failedUpdates": {TWICE: ["a: b"]}}
    assert loose_errors([{"error": TWICE}, {"error": LOCKED}, report]) == [LOCKED]


@given(JSON)
def test_any_json_without_keys_is_survived(value: Any) -> None:
    assert all(loose_errors([value, json.dumps(value)]))


def test_json_inside_texts_is_unfolded_for_people() -> None:
    inner = {"failureType": "Partial", "failedUpdates": {"e": ["k"]}}
    raw = {"details": {"failureDetails": json.dumps(inner), "text": "{no json"}}
    shown = {"details": {"failureDetails": inner, "text": "{no json"}}
    assert unfolded(raw) == shown
    deep: Any = "x"
    for _ in range(12):
        deep = json.dumps([deep])
    assert unfolded(deep)
