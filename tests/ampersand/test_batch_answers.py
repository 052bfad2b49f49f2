"""What an answer proves of each record of a batch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampersand.answers import Answer
from ampersand.batch_answers import BatchResult, is_batch, read_batch

MISSING = {
    "statusCode": "REQUIRED_FIELD_MISSING",
    "message": "Required fields are missing: [LastName]",
    "fields": ["LastName"],
}
ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid",
}


def answer(body: Any, status: int = 200) -> Answer:
    return Answer(status=status, body=body, readable=True, text="")


def told(ids: list[str], status: int = 200, **body: Any) -> BatchResult:
    said = answer({"operationId": "op-1", **body}, status)
    assert is_batch(said)
    return read_batch(said, ids)


def states(result: BatchResult) -> list[str]:
    return [row.state for row in result.rows]


def good(record_id: str) -> dict[str, Any]:
    return {"success": True, "recordId": record_id}


def test_all_good_by_position_with_their_ids() -> None:
    ids = [f"id-{number}" for number in range(100)]
    result = told(
        [""] * 100, successCount=100, failureCount=0, results=[*map(good, ids)]
    )
    assert [row.record_id for row in result.rows] == ids
    assert (result.trust, result.count("succeeded")) == ("position", 100)


def test_one_failed_by_position_with_its_own_reason() -> None:
    results = [good("a"), {"success": False, "errors": [MISSING]}, good("c")]
    result = told([""] * 3, 422, successCount=2, failureCount=1, results=results)
    assert states(result) == ["succeeded", "failed", "succeeded"]
    assert "[LastName]" in result.rows[1].reason


def test_all_or_none_tells_the_one_reason_from_the_others() -> None:
    results = [
        {"success": False, "errors": [ROLLED_BACK]},
        {"success": False, "errors": [MISSING]},
    ]
    result = told([""] * 2, 422, successCount=0, failureCount=2, results=results)
    assert states(result) == ["failed", "failed"]
    assert ["LastName" in row.reason for row in result.rows] == [False, True]


def test_a_missing_first_result_shifts_nothing() -> None:
    result = told(
        [""] * 2,
        422,
        successCount=0,
        failureCount=2,
        results=[{"success": False, "errors": [{"message": "not processed"}]}],
        errors=[{"message": "Cannot deserialize instance of date"}],
    )
    assert (states(result), result.trust) == (["failed", "failed"], "counts")
    assert {row.reason for row in result.rows} == {
        "Cannot deserialize instance of date"
    }


def test_counts_alone_prove_a_full_success_without_ids() -> None:
    result = told([""] * 100, successCount=100, failureCount=0)
    assert (result.count("succeeded"), result.trust) == (100, "counts")
    assert not any(row.record_id for row in result.rows)


@pytest.mark.parametrize(
    ("succeeded", "failed", "results"),
    [
        (60, 30, []),
        (101, 0, []),
        (60, 40, []),
        (1, 99, [{"success": False}] * 100),
        (0, 99, [{"success": False}] * 100),
    ],
)
def test_what_does_not_add_up_proves_nothing(
    succeeded: int, failed: int, results: list[Any]
) -> None:
    result = told(
        [""] * 100, successCount=succeeded, failureCount=failed, results=results
    )
    assert (result.count("unknown"), result.trust) == (100, "none")
    assert result.told == (succeeded, failed)


@pytest.mark.parametrize(
    ("succeeded", "failed", "results"),
    [
        (3, 0, [good("a"), {"success": False}, good("c")]),
        (3, 0, [{"success": False}, {"success": {}}]),
        (0, 3, [{"success": False}, good("b"), {"success": False}]),
        (0, 3, [good("a")]),
    ],
)
def test_results_against_the_counts_prove_nothing(
    succeeded: int, failed: int, results: list[Any]
) -> None:
    result = told(
        [""] * 3, successCount=succeeded, failureCount=failed, results=results
    )
    assert (result.count("unknown"), result.trust) == (3, "none")


DOUBTS = ["HTTP status 503: server error", "context deadline exceeded"]


@pytest.mark.parametrize("text", DOUBTS)
def test_a_failure_that_may_have_come_after_the_write_is_unknown(text: str) -> None:
    errors = [{"message": text}]
    result = told([""] * 2, 422, successCount=0, failureCount=2, errors=errors)
    assert states(result) == ["unknown", "unknown"]


@pytest.mark.parametrize("text", DOUBTS)
@pytest.mark.parametrize("is_own", [True, False])
def test_such_a_failure_leaves_a_failed_result_unknown(text: str, is_own: bool) -> None:
    errors = [{"message": text}]
    bad = {"success": False, "errors": errors if is_own else []}
    result = told(
        [""] * 3,
        422,
        successCount=1,
        failureCount=2,
        results=[good("a"), bad, bad],
        errors=[] if is_own else errors,
    )
    assert states(result) == ["succeeded", "unknown", "unknown"]
    assert result.rows[1].reason


def test_what_the_saas_says_of_one_record_is_no_such_failure() -> None:
    own = {"statusCode": "FIELD_INTEGRITY_EXCEPTION", "message": "Timeout is too high"}
    result = told(
        [""] * 2,
        422,
        successCount=1,
        failureCount=1,
        results=[good("a"), {"success": False, "errors": [own]}],
        errors=[{"message": "Timeout is too high"}],
    )
    assert states(result) == ["succeeded", "failed"]


def test_a_result_of_another_record_says_nothing_of_an_update() -> None:
    ids = ["003xx0000000001AAA", "003xx0000000002AAA"]
    results = [good(ids[1]), good(ids[1][:15])]
    result = told(ids, successCount=2, failureCount=0, results=results)
    assert states(result) == ["unknown", "succeeded"]


def test_a_conflict_of_hubspot_names_the_record_that_is_there() -> None:
    conflict = {
        "status": "error",
        "category": "CONFLICT",
        "message": "Contact already exists. Existing ID: 171591000198",
    }
    results = [{"success": False, "errors": [conflict]}, good("171596044870")]
    result = told(["", ""], 422, successCount=1, failureCount=1, results=results)
    assert "171591000198" in result.rows[0].reason
    assert result.rows[1].record_id == "171596044870"


@pytest.mark.parametrize("status", [400, 409, 429])
def test_what_counts_records_as_written_refuses_nothing_as_a_whole(status: int) -> None:
    results = [good("a"), {"success": False, "errors": [MISSING]}]
    body = {"operationId": "op-1", "successCount": 1, "failureCount": 1}
    told_so = answer({**body, "results": results}, status)
    assert is_batch(told_so)
    assert states(read_batch(told_so, ["", ""])) == ["succeeded", "failed"]
    assert not is_batch(answer({**body, "successCount": 0}, status))


@pytest.mark.parametrize("body", [{}, [], None, {"successCount": 1}])
def test_what_counts_nothing_is_no_batch(body: Any) -> None:
    assert not is_batch(answer(body))


@pytest.mark.parametrize("count", [True, "1", -1, None, 1.5])
def test_a_count_is_a_whole_number(count: Any) -> None:
    assert not is_batch(answer({"successCount": count, "failureCount": 0}))


results = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"success": st.booleans(), "recordId": st.text(max_size=3)}
        ),
        st.none() | st.integers(),
    ),
    max_size=6,
)


@given(
    st.lists(st.sampled_from(["", "a", "b"]), max_size=5),
    st.integers(0, 6),
    st.integers(0, 6),
    results,
)
def test_never_more_is_told_than_ampersand_counts(
    ids: list[str], succeeded: int, failed: int, given_results: list[Any]
) -> None:
    result = told(
        ids, successCount=succeeded, failureCount=failed, results=given_results
    )
    assert len(result.rows) == len(ids)
    assert result.count("succeeded") <= succeeded
    assert result.count("failed") <= failed
    if succeeded + failed != len(ids):
        assert result.count("unknown") == len(ids)
