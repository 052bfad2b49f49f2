"""Which state an end means, and that no row is claimed without proof."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampersand import LogEntry
from operations.models import Operation
from operations.outcome.decide import Outcome, decide, tells_outcome
from tests.operations.conftest import entry, failed_rows
from tests.texts import numbers

State = Operation.State
NONE = "No records processed successfully. This is likely due the CSV being empty."
SOME = "Some records are not processed successfully. Please refer to the details."


def logs(*entries: object) -> list[LogEntry]:
    return [LogEntry.from_json(each) for each in entries]


def end(
    status: str, result: str = "", *entries: object, rows_sent: int | None = 4
) -> Outcome:
    outcome = decide(
        status=status, result=result, entries=logs(*entries), rows_sent=rows_sent
    )
    assert outcome is not None
    return outcome


def counted(succeeded: int, failed: int) -> str:
    return f"Batch write completed ({succeeded} succeeded, {failed} failed)"


@pytest.mark.parametrize(
    "word", ["in_progress", "", "wibbling", "queued", "IN PROGRESS"]
)
def test_other_words_are_no_end(word: str) -> None:
    assert decide(status=word, result="", entries=[], rows_sent=1) is None


@pytest.mark.parametrize(
    ("status", "result", "state", "succeeded", "failed"),
    [
        ("success", counted(4, 0), State.SUCCEEDED, 4, 0),
        ("success", counted(3, 1), State.PARTLY_FAILED, 3, 1),
        ("success", counted(0, 4), State.FAILED, 0, 4),
        ("success", counted(0, 0), State.FAILED, 0, 0),
        ("success", counted(3, 0), State.COMPLETED, 3, 0),
        ("failure", counted(3, 1), State.PARTLY_FAILED, 3, 1),
        ("success", "", State.SUCCEEDED, None, None),
        ("Success", "", State.SUCCEEDED, None, None),
        ("failure", NONE, State.FAILED, None, None),
        ("failed", "", State.FAILED, None, None),
        ("BulkWriteCompleted", "", State.COMPLETED, None, None),
        ("completed", "", State.COMPLETED, None, None),
        ("BulkWriteCompleted", counted(4, 0), State.SUCCEEDED, 4, 0),
    ],
)
def test_words_and_counts_decide(
    status: str, result: str, state: str, succeeded: int | None, failed: int | None
) -> None:
    outcome = end(status, result)
    assert (outcome.state, outcome.rows_succeeded, outcome.rows_failed) == (
        state,
        succeeded,
        failed,
    )


def test_counts_may_stand_in_the_log() -> None:
    outcome = end("BulkWriteCompleted", "", entry(counted(3, 1)))
    assert (outcome.state, outcome.rows_succeeded) == (State.PARTLY_FAILED, 3)


def test_rows_named_as_failed_prove_nothing_about_the_others() -> None:
    details = failed_rows(failedUpdates={"X:y:--": ["a"]})
    outcome = end("success", "", entry(SOME, details=details))
    assert outcome.state == State.PARTLY_FAILED
    assert (outcome.rows_succeeded, outcome.rows_failed) == (None, 1)


def test_all_rows_named_as_failed_is_failed() -> None:
    details = failed_rows(failedCreates={"X:y:--": ["a", "b", "c", "d"]})
    assert end("success", "", entry(SOME, details=details)).state == State.FAILED


def test_a_log_that_only_mentions_failures_is_enough_to_doubt_success() -> None:
    assert end("success", "", entry(SOME)).state == State.PARTLY_FAILED


def test_named_failures_come_off_the_rows_told_as_succeeded() -> None:
    details = failed_rows(failedUpdates={"X:y:--": ["a", "b"]})
    outcome = end("success", counted(4, 0), entry(SOME, details=details))
    assert (outcome.rows_succeeded, outcome.rows_failed) == (2, 2)
    assert numbers(outcome.reason)[:2] == [0, 2]


def test_more_rows_told_than_sent_is_kept_and_said() -> None:
    outcome = end("success", counted(5, 0))
    assert outcome.rows_succeeded == 5
    assert numbers(outcome.reason) == [5, 4]


def test_the_reason_of_a_failure_is_result_and_error_with_a_remedy() -> None:
    error = "ClientInputError : LineEnding is invalid on user data."
    outcome = end("failure", NONE, entry(NONE, severity="ERROR", error=error))
    assert outcome.reason == f"{NONE} {error}"
    assert "LF" in outcome.remedy


def test_counts_beyond_the_database_are_not_believed() -> None:
    outcome = end("success", counted(9_999_999_999, 0))
    assert outcome.rows_succeeded is None


def test_only_telling_entries_are_kept_for_counting() -> None:
    telling = [
        entry("x", error="e"),
        entry("x", severity="ERROR"),
        entry(counted(1, 2)),
        entry("x", details=failed_rows(failedUpdates={"e": ["k"]})),
    ]
    assert all(tells_outcome(each) for each in logs(*telling))
    assert not tells_outcome(logs(entry("Uploaded 12 bytes"))[0])


@given(
    status=st.sampled_from(["success", "failure", "BulkWriteCompleted"]),
    told=st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)),
    named=st.lists(st.text(max_size=3), max_size=9),
    rows_sent=st.none() | st.integers(0, 9),
)
def test_counts_never_exceed_what_was_told(
    status: str,
    told: tuple[int, int] | None,
    named: list[str],
    rows_sent: int | None,
) -> None:
    details = failed_rows(failedUpdates={"e": named})
    result = counted(*told) if told else ""
    outcome = end(status, result, entry("x", details=details), rows_sent=rows_sent)
    assert (outcome.rows_succeeded or 0) <= (told[0] if told else 0)
    assert (outcome.rows_failed or 0) >= len(named)
    if outcome.state == State.SUCCEEDED:
        assert not named
        assert outcome.rows_failed in (0, None)


@given(status=st.text(), result=st.text(), texts=st.lists(st.text()))
def test_any_text_is_survived(status: str, result: str, texts: list[str]) -> None:
    decide(
        status=status,
        result=result,
        entries=logs(*texts, *(entry(text, error=text) for text in texts)),
        rows_sent=1,
    )
