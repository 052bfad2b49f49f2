from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampersand import LogEntry, Operation
from ampersand.schemas import in_order, parse_time

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
OPERATION_FIELDS = ["id", "status", "result", "metadata", "actionType", "createTime"]
LOG_FIELDS = ["timestamp", "severity", "message", "msg", "error", "details"]


@given(st.dictionaries(st.sampled_from(OPERATION_FIELDS), json_values))
def test_any_json_object_reads_as_an_operation(raw):
    operation = Operation.from_json(raw)
    assert isinstance(operation.status, str)
    assert operation.raw is raw


@given(
    json_values
    | st.dictionaries(
        st.sampled_from(LOG_FIELDS),
        json_values | st.dictionaries(st.sampled_from(LOG_FIELDS), json_values),
    )
)
def test_any_json_reads_as_a_log_entry(raw):
    entry = LogEntry.from_json(raw)
    assert isinstance(entry.text, str)
    assert in_order([entry, entry]) == (entry, entry)


def test_an_operation_keeps_its_words_as_they_came():
    operation = Operation.from_json(
        {
            "id": "op",
            "status": "BulkWriteCompleted",
            "metadata": {"objects": ["contact"]},
            "createTime": "2025-08-26T23:19:27.616204Z",
            "new": 1,
        }
    )
    assert operation.status == "BulkWriteCompleted"
    assert operation.object_name == "contact"
    assert operation.create_time == datetime(2025, 8, 26, 23, 19, 27, 616204, UTC)
    assert operation.raw["new"] == 1


@pytest.mark.parametrize(
    ("message", "text", "error"),
    [
        ("started", "started", None),
        ({"msg": "started"}, "started", None),
        ({"msg": "m", "error": "e", "details": {"request": "GET /"}}, "m", "e"),
        (None, "", None),
    ],
)
def test_a_log_message_is_a_text_or_an_object(message, text, error):
    entry = LogEntry.from_json({"severity": "DEBUG", "message": message})
    assert (entry.text, entry.error) == (text, error)


def test_log_entries_are_sorted_by_time_and_otherwise_keep_their_order():
    raw = [("c", None), ("b", "2025-01-02T00:00:00Z"), ("d", None)]
    raw += [("a", "2025-01-02T00:30:00+01:00"), ("b2", "2025-01-02T00:00:00Z")]
    entries = [LogEntry.from_json({"message": m, "timestamp": t}) for m, t in raw]
    assert [entry.text for entry in in_order(entries)] == ["a", "b", "b2", "c", "d"]


@pytest.mark.parametrize(
    "value",
    [
        *("", "yesterday", 5, None, "0001-01-01T00:00:00+23:00"),
        # No time at all in Go; and what no time zone can tell.
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_what_is_not_a_time_is_none(value):
    assert parse_time(value) is None


def test_a_time_without_a_zone_is_utc_and_nanoseconds_are_cut():
    assert parse_time("2025-01-02T03:04:05.123456789") == datetime(
        2025, 1, 2, 3, 4, 5, 123456, UTC
    )
