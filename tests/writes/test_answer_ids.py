"""Ids are found in whatever came back, and nothing that came back breaks it."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.values import record_ids
from writes.hints.answer_ids import MOST, operation_ids, salesforce_ids

pytestmark = pytest.mark.pages

ID = "5e4f06ca-445f-4c3a-8f1d-0a1b2c3d4e5f"
RECORD = "003xx000004TmiQ"
WHOLE = RECORD + record_ids.suffix(RECORD)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'{{"operationId":"{ID}"', [ID]),
        (f'{{"operationId": "not-a-uuid", "x": "{ID}"', ["not-a-uuid", ID]),
        (f"<html>operation {ID.upper()} began", [ID.upper()]),
        (f'{{"requestId":"{ID}","projectId":"{ID}"}}', []),
        (f'{{"requestId":"{ID[:-1]}0","id":"{ID}"}}', [ID]),
        (f'{{"operationId":"{ID[:20]}', []),
        (f"0{ID}", []),
        (f"{ID}-1", []),
        ("", []),
    ],
)
def test_operation_ids(text: str, found: list[str]) -> None:
    assert operation_ids(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f'{{"result":{{"success":true,"recordId":"{WHOLE}","da', [WHOLE]),
        (f'{{"id": "{RECORD}"', [WHOLE]),
        (f"wrote {WHOLE}.", [WHOLE]),
        # Fifteen letters in a row may be a word.
        (f"wrote {RECORD}.", []),
        (f'"recordId":"{RECORD}AAB"', []),
        ("internationalizati", []),
        ('{"recordId":"003xx0', []),
    ],
)
def test_record_ids(text: str, found: list[str]) -> None:
    assert salesforce_ids(text) == found


FRAGMENTS = st.sampled_from(
    ['"operationId"', ":", '"', "{", "\\", "\n", "<", "-", ID, WHOLE, RECORD, "\0"]
)
HOSTILE = st.lists(st.one_of(st.text(max_size=30), FRAGMENTS)).map("".join)


@given(HOSTILE)
def test_any_answer_is_survived_and_what_is_found_stands_in_it(text: str) -> None:
    for found in operation_ids(text):
        assert found in text
        assert 0 < len(found) <= 200
        assert found.isascii()
        assert found.isprintable()
    for found in salesforce_ids(text):
        assert found[:15] in text
        assert record_ids.normal(found) == found


@given(st.text(max_size=200), st.text(max_size=200), st.uuids())
def test_an_id_is_found_wherever_the_answer_was_cut_after_it(
    before: str, after: str, given_id: uuid.UUID
) -> None:
    text = f'{before}","operationId":"{given_id}"{after}'
    assert str(given_id) in operation_ids(text) or len(operation_ids(text)) == MOST


def test_a_long_answer_is_read_once_and_no_more_than_a_few_are_shown() -> None:
    many = " ".join(str(uuid.UUID(int=number)) for number in range(500))
    assert len(operation_ids(many)) == MOST
    assert operation_ids('"a' * 100_000) == []
    assert salesforce_ids("0" * 100_000) == []
