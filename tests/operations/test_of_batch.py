"""What the end of an asynchronous batch proves of each record."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampersand import BatchResult, Operation
from operations.outcome.of_batch import decide_batch

LONG, SHORT = "003xx000001AAAAAAA", "003xx000001AAAA"
BLANK = ["", "", ""]


def ended(
    ids: list[str],
    counts: tuple[int, int] | None,
    *,
    named: list[str] | None = None,
    errors: tuple[str, ...] = (),
    status: str = "success",
    tries: int = 1,
) -> BatchResult | None:
    result = counts and "Batch write completed ({} succeeded, {} failed)".format(
        *counts
    )
    raw: dict[str, Any] = {
        "id": "op-1",
        "status": status,
        "result": result or "It ended.",
        "metadata": {
            "retry": {"attempts": tries},
            "successfulRecordIds": named or [],
        },
    }
    return decide_batch(Operation.from_json(raw), ids, errors, is_create=not all(ids))


def told(*args: Any, **values: Any) -> tuple[str, list[str]]:
    """Return by what the rows are told, and the first letter of each one's state."""
    result = ended(*args, **values)
    assert result is not None
    return result.trust, [row.state[0] for row in result.rows]


def test_nothing_is_told_before_the_end() -> None:
    assert ended(["a"], None, status="in_progress") is None
    assert ended(["a"], (1, 0), status="wibbling") is None


def test_an_update_is_told_by_the_ids_in_any_order() -> None:
    assert told(["a", "b", "c"], (2, 1), named=["c", "a"]) == ("ids", ["s", "f", "s"])
    assert told([LONG, "b"], (1, 1), named=[SHORT]) == ("ids", ["s", "f"])


def test_of_a_mixed_create_only_the_sums_are_known() -> None:
    assert told(BLANK, (2, 1), named=["x", "y"]) == ("sums", ["u", "u", "u"])


@pytest.mark.parametrize("ids", [["a", "b", "c"], BLANK])
def test_all_or_none_is_told_by_the_counts(ids: list[str]) -> None:
    assert told(ids, (3, 0)) == ("counts", ["s", "s", "s"])
    assert told(ids, (0, 3), errors=("no such field",)) == ("counts", ["f", "f", "f"])


def test_the_one_record_that_was_created_has_its_id() -> None:
    result = ended([""], (1, 0), named=["new"])
    assert result is not None
    assert [(row.state, row.record_id) for row in result.rows] == [("succeeded", "new")]


def test_one_record_needs_no_counts_where_it_is_named() -> None:
    assert told([""], None, named=["new"]) == ("ids", ["s"])
    assert told(["a"], None, named=["a"]) == ("counts", ["s"])
    assert told(["a"], None, named=["z"]) == ("none", ["u"])
    assert told(["a"], None) == ("none", ["u"])
    assert told(["a"], None, named=["a"], status="failure") == ("none", ["u"])
    assert told(["a"], None, named=["a"], status="done") == ("none", ["u"])


@pytest.mark.parametrize(
    ("counts", "named"),
    [
        (None, ["a", "b"]),
        ((2, 0), ["a", "b"]),
        ((1, 2), ["a", "b"]),
        ((2, 1), ["a", "z"]),
    ],
)
def test_what_contradicts_itself_proves_nothing(
    counts: tuple[int, int] | None, named: list[str]
) -> None:
    assert told(["a", "b", "c"], counts, named=named) == ("none", ["u", "u", "u"])


def test_too_few_names_prove_only_those() -> None:
    assert told(["a", "b", "c"], (2, 1), named=["a"]) == ("sums", ["s", "u", "u"])


def test_a_failure_that_may_have_come_after_the_write_proves_nothing() -> None:
    late = ("HTTP status 504: server error",)
    assert told(["a", "b"], (0, 2), errors=late) == ("none", ["u", "u"])


def test_named_ones_speak_against_the_count_of_those_that_failed() -> None:
    assert told(["a", "b"], (0, 2), named=["a"]) == ("none", ["u", "u"])
    assert told(BLANK, (0, 3), named=["x"]) == ("none", ["u", "u", "u"])
    assert told(BLANK, (1, 2), named=["x", "y"]) == ("none", ["u", "u", "u"])


def test_what_may_have_failed_after_the_write_did_not_surely_fail() -> None:
    late = ("HTTP status 504: server error",)
    known = told(["a", "b"], (1, 1), named=["b"], errors=late)
    assert known == ("ids", ["u", "s"])
    assert told(["a", "b"], (1, 1), errors=late) == ("none", ["u", "u"])
    assert told(BLANK, (2, 1), named=["x", "y"], errors=late)[0] == "none"


def test_a_create_that_was_tried_twice_says_so() -> None:
    again, once = ended(BLANK, (3, 0), tries=2), ended(BLANK, (3, 0))
    update = ended(["a"], (1, 0), tries=2)
    assert again is not None
    assert once is not None
    assert update is not None
    assert "2 times" in again.reasons[0]
    assert once.reasons == update.reasons == ()


@given(
    ids=st.lists(st.sampled_from("abcdef"), unique=True, min_size=1),
    counts=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    named=st.lists(st.sampled_from("abcdefg"), unique=True),
)
def test_no_row_is_told_against_what_is_named(
    ids: list[str], counts: tuple[int, int], named: list[str]
) -> None:
    result = ended(ids, counts, named=named)
    assert result is not None
    assert len(result.rows) == len(ids)
    if sum(counts) != len(ids):
        assert result.count("unknown") == len(ids)
    if result.trust in ("ids", "counts") and not result.count("unknown"):
        assert (result.count("succeeded"), result.count("failed")) == counts
