"""Log entries for people to read: the JSON in them, cut, masked and harmless."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ampersand import LogEntry as RemoteEntry
from console.access.roles import Role
from operations.models import LogEntry, Operation
from operations.outcome.log_line import LONGEST_DOCUMENT, MOST_DOCUMENTS, log_line
from operations.worker.store_log import store_entries
from tests.answers import Shown
from tests.operations.conftest import failed_rows, make_logs

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
HOSTILE = (
    st.text()
    | st.text("{}[]\"',:\\0 ")
    | st.builds(
        lambda value, around: f"{around}{json.dumps(value)}", ANY_JSON, st.text()
    )
    | st.sampled_from(
        [
            "[" * 50_000,
            '{"a":' * 50_000,
            "{" * 50_000 + "}" * 50_000,
            '{"a": "\\ud800"}',
            '{"a": NaN, "b": 1e999}',
            '{"a": ' + "9" * 5_000 + "}",
            '{"</pre><script>alert(1)</script>": "<!--"}',
        ]
    )
)


def entry(text: str = "", **values: Any) -> LogEntry:
    return LogEntry(sequence=1, text=text, raw=values.pop("raw", {}), **values)


def test_failure_details_are_told_as_json() -> None:
    keys = {"failedCreates": {"A:b:--": ["k-1"]}}
    raw = {"message": {"msg": "x", "details": failed_rows(**keys)}}
    [document] = log_line(entry("x", raw=raw)).documents
    assert document.name == "failureDetails"
    assert json.loads(document.text)["failedCreates"] == keys["failedCreates"]
    assert "\n  " in document.text


@pytest.mark.parametrize(
    ("text", "left", "found"),
    [
        ('Refused: {"code": 7} and {"b": [1]}!', "Refused: {…} and {…}!", 2),
        ('[{"code": "A"}]', "{…}", 1),
        ('{"a": "{\\"b\\": 1}"}', "{…}", 1),
        ("Status [403], {} and [opportunity]", "Status [403], {} and [opportunity]", 0),
        ('Cut off: {"code": 7, "mess', 'Cut off: {"code": 7, "mess', 0),
        ("{not: 'json'}", "{not: 'json'}", 0),
    ],
)
def test_json_in_a_text_is_set_apart(text: str, left: str, found: int) -> None:
    line = log_line(entry(text))
    assert line.text == left
    assert len(line.documents) == found


def test_what_is_long_is_cut_and_the_whole_is_not() -> None:
    long = entry(json.dumps({"keys": ["k"] * LONGEST_DOCUMENT}))
    [cut] = log_line(long).documents
    assert cut.is_cut
    assert len(cut.text) == LONGEST_DOCUMENT
    [whole] = log_line(long, whole=True).documents
    assert len(whole.text) == whole.size == cut.size
    many = entry("".join('{"a": 1}' for _ in range(MOST_DOCUMENTS + 5)))
    assert len(log_line(many).documents) == MOST_DOCUMENTS


def test_what_is_named_as_a_secret_is_masked() -> None:
    keys = {"X-Api-Key": "k-1", "access_token": "k-2", "nextPageToken": "page-2"}
    line = log_line(entry(json.dumps({"request": keys}), raw={"headers": keys}))
    for shown in (line.documents[0].text, line.raw.text):
        assert "k-1" not in shown
        assert "k-2" not in shown
        assert "page-2" in shown


@given(text=HOSTILE, error=HOSTILE, raw=ANY_JSON | HOSTILE)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_whatever_comes_can_be_shown(text: str, error: str, raw: Any) -> None:
    line = log_line(entry(text, error=error, raw={"message": {"details": raw}}))
    for shown in (line.raw, *line.documents):
        shown.text.encode()
        assert len(shown.text) <= shown.size
    if not line.documents:
        assert line.text == text


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text", ['{"</pre><script>alert(1)</script>": "\\ud800"}', '{"a":' * 900]
)
def test_hostile_json_breaks_no_page(
    operation: Operation, sign_in: Callable[..., Browser], text: str
) -> None:
    raw = {"message": {"details": {"failureDetails": text}}}
    make_logs(operation, 1, text=text, error=text, raw=raw)
    viewer = sign_in(Role.VIEWER)
    for part in ("", "logs/", "logs/1/"):
        answer = viewer.get(f"/operations/{operation.pk}/{part}")
        assert answer.status_code == 200
        assert b"<script>alert" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_a_moment_that_no_time_zone_knows_breaks_no_page(
    operation: Operation, sign_in: Callable[..., Browser], zone: str, moment: str
) -> None:
    said = {"timestamp": moment, "severity": "INFO", "message": {"msg": "x"}}
    store_entries(operation, [RemoteEntry.from_json(said)])
    viewer = sign_in(Role.VIEWER)
    with override_settings(TIME_ZONE=zone):
        for part in ("", "logs/", "logs/1/"):
            answer = viewer.get(f"/operations/{operation.pk}/{part}")
            assert answer.status_code == 200


@pytest.mark.django_db
def test_a_cut_document_leads_to_all_of_it(
    operation: Operation, sign_in: Callable[..., Browser]
) -> None:
    last = f"key-{LONGEST_DOCUMENT}"
    report = failed_rows(failedCreates={"A": ["k"] * LONGEST_DOCUMENT + [last]})
    make_logs(operation, 1, raw={"message": {"details": report}})
    viewer = sign_in(Role.VIEWER)
    page = viewer.get(f"/operations/{operation.pk}/")
    address = f"/operations/{operation.pk}/logs/1/"
    assert f'href="{address}"' in page.text
    assert last not in page.text
    assert last in Shown(viewer.get(address)).texts["raw-text"]
    assert viewer.get(f"/operations/{operation.pk}/logs/2/").status_code == 404
    assert viewer.get(f"/operations/{operation.pk}/logs/{2**70}/").status_code == 404
