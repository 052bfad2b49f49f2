"""Which answers to a write mean written, refused, or unknown."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ampersand import AmpersandError, OutcomeUnknown, Refused
from tests.ampersand.helpers import (
    KEY,
    NOW,
    TARGET,
    WRITTEN,
    answering,
    create,
    make_client,
    upsert,
)

PROBLEM = {
    "type": "https://httpstatuses.com/404",
    "title": "Not Found",
    "status": 404,
    "detail": "The integration does not exist.",
    "causes": ["first", "second"],
    "remedy": "Check the id.",
    "requestId": "89eb1ffb#87715",
    "retryable": False,
    "retryAfter": "2026-01-02T03:05:00Z",
    "issues": [{"name": "record.x", "in": "body", "detail": "is required"}],
}
DEEP = "[" * 200 + "]" * 200
HTML = "<html><h1>Bad gateway</h1></html>"
REFUSAL_PAGE = "<html><h1>Your request was refused</h1></html>"


def problem_after(error, write, status, **body):
    client = make_client(answering(status, **body))
    with client, pytest.raises(error) as caught:
        write(client)
    return caught.value


def test_a_created_record_comes_with_its_id_and_data():
    headers = {"X-Request-Id": "r1"}
    with make_client(answering(201, json=WRITTEN, headers=headers)) as client:
        result = create(client)
    assert result.record_id == "003"
    assert result.data == {"id": "003"}
    assert (result.status_code, result.request_id) == (201, "r1")
    assert json.loads(result.raw) == WRITTEN


@pytest.mark.parametrize(
    ("status", "body", "warnings"),
    [
        (200, {"result": {"success": True}}, ()),
        (200, {"result": {"recordId": 3}}, ()),
        (200, {"recordId": "003"}, ()),
        (422, {"errors": ["e"], "result": {"success": True}}, ()),
        (422, {"warnings": ["not recorded"]}, ("not recorded",)),
        (422, {"warnings": [{"message": "m"}], "errors": []}, ("m",)),
        (500, {"result": {"success": True, "recordId": "003"}}, ()),
    ],
)
def test_an_answer_that_reports_a_write_is_a_write(status, body, warnings):
    with make_client(answering(status, json=body)) as client:
        result = create(client)
    assert result.warnings == warnings


@pytest.mark.parametrize("status", [200, 202])
def test_an_accepted_upsert_comes_with_its_operation(status):
    with make_client(answering(status, json={"operationId": "op"})) as client:
        assert upsert(client).operation_id == "op"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"json": {"result": {"success": False}, "errors": ["no"]}}),
        (302, {"headers": {"Location": "https://elsewhere.example/"}}),
        (307, {"headers": {"Location": "/v1/again"}}),
        (400, {"text": "required field not found"}),
        (400, {"content": b""}),
        (400, {"html": REFUSAL_PAGE}),
        (401, {"content": b"\xff\xfe\x00"}),
        (404, {"json": PROBLEM}),
        (409, {"json": None}),
        (413, {"html": REFUSAL_PAGE}),
        (422, {"json": {"errors": ["no"]}}),
        (422, {"json": {"errors": ["no"], "warnings": ["w"]}}),
        (422, {"json": {"result": {"success": False}, "warnings": ["w"]}}),
        (429, {"content": b""}),
        (501, {"content": b""}),
        (505, {"content": b""}),
    ],
)
@pytest.mark.parametrize("write", [create, upsert])
def test_an_answer_that_proves_that_nothing_was_written_is_a_refusal(
    write, status, body
):
    error = problem_after(Refused, write, status, **body)
    assert error.problem.status == status
    assert error.detail == str(error) == error.problem.detail != ""


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"content": b""}),
        (200, {"html": "<form>Log in to the network</form>"}),
        (200, {"text": '{"result": {"success": true, "reco'}),
        (200, {"content": b'{"result": {"success": true, "recordId": "\xff"}}'}),
        (200, {"json": {}}),
        (200, {"json": []}),
        (200, {"json": {"result": {"success": "true"}}}),
        (200, {"json": {"result": {"success": "false", "recordId": "003"}}}),
        (200, {"text": '{"recordId": "1", "operationId": "1", "a": ' + DEEP + "}"}),
        (200, {"text": "[" * 100_000}),
        (204, {}),
        (500, {"json": PROBLEM}),
        (500, {"json": {"result": {"success": False}}}),
        (502, {"html": HTML}),
        (503, {"headers": {"Retry-After": "5"}}),
        (504, {"text": "upstream request timeout"}),
        (599, {}),
        (999, {}),
    ],
)
@pytest.mark.parametrize("write", [create, upsert])
def test_an_answer_that_proves_nothing_leaves_the_outcome_unknown(write, status, body):
    error = problem_after(OutcomeUnknown, write, status, **body)
    assert error.problem.status == status
    assert error.detail == f"{error.reason}."


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, WRITTEN),
        (200, {"operationId": " "}),
        (422, {"warnings": ["w"]}),
        (422, {"result": {"success": True}}),
    ],
)
def test_an_upsert_without_an_operation_has_an_unknown_outcome(status, body):
    problem_after(OutcomeUnknown, upsert, status, json=body)


@pytest.mark.parametrize("generation", ["A", "B", "C"])
@pytest.mark.parametrize("style", ["patch", "post_type_update", "patch_id_in_path"])
def test_an_update_that_is_answered_for_another_record_has_an_unknown_outcome(
    generation, style
):
    options = {"generation": generation, "update_style": style}
    with make_client(answering(200, json=WRITTEN), **options) as client:
        mine, other = (
            client.prepare_update_record(TARGET, {"a": "b"}, record_id=record_id)
            for record_id in ("003", "0/4")
        )
        assert client.send(mine).record_id == "003"
        with pytest.raises(OutcomeUnknown):
            client.send(other)


def test_a_create_answered_with_an_operation_has_an_unknown_outcome_but_a_trace():
    error = problem_after(OutcomeUnknown, create, 202, json={"operationId": "op"})
    assert error.problem.operation_id == "op"


def test_a_problem_document_is_read_in_full():
    problem = problem_after(Refused, create, 404, json=PROBLEM).problem
    assert problem.detail == "The integration does not exist."
    assert problem.causes == ("first", "second")
    assert problem.remedy == "Check the id."
    assert problem.request_id == "89eb1ffb#87715"
    assert problem.retryable is False
    assert problem.retry_after == datetime(2026, 1, 2, 3, 5, tzinfo=UTC)
    (issue,) = problem.issues
    assert (issue.name, issue.detail) == ("record.x", "is required")


@pytest.mark.parametrize(
    ("body", "detail", "causes"),
    [
        ({"json": {"errors": ["one", {"message": "two"}]}}, "one", ("two",)),
        ({"json": {"errors": [{"code": 7}]}}, '{"code": 7}', ()),
        ({"json": {"title": "Bad Request"}}, "Bad Request", ()),
        ({"text": " plain words \n"}, "plain words", ()),
    ],
)
def test_every_form_of_refusal_has_one_sentence_and_its_causes(body, detail, causes):
    problem = problem_after(Refused, create, 400, **body).problem
    assert (problem.detail, problem.causes) == (detail, causes)


# Texts of Ampersand's public connector library and of Go's net/http.
AFTER_THE_WRITE = [
    "HTTP status 503: server error",
    "HTTP status 500",
    "error writing contact: HTTP status code: 502 Bad Gateway",
    "status 504",
    "unexpected HTTP/1.1 599",
    "http error 520: web server returned an unknown error",
    "HTTP status 408: request timeout",
    "server error",
    "retryable error",
    "json.Unmarshal failed: invalid character '<' looking for beginning of value",
    "response is not JSON",
    "empty record id in response body",
    "context deadline exceeded",
    'Post "https://na1.salesforce.com": context canceled',
    "net/http: TLS handshake timeout",
    "read tcp 10.0.0.1:443: i/o timeout",
    "The request timed out",
    "read: connection reset by peer",
    "write: broken pipe",
    "unexpected EOF",
    "upstream said: Gateway Time-out",
    "request limit exceeded",
    "API disabled",
]
BEFORE_THE_WRITE = [
    "error writing account: bad request: No such column 'x' on sobject",
    "HTTP status 400: REQUIRED_FIELD_MISSING: Required fields are missing: [LastName]",
    "HTTP status 429: retryable error",
    "HTTP status 404: server error page",
    "DUPLICATE_VALUE: 503 Main Street is used by record 003",
    "The field Timeout__c takes a number",
    "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.",
    "geoffrey is no valid value",
]


def refusals(text):
    """Give the places in which the answer to a write can say why it failed."""
    return [
        {"json": {"errors": [text]}},
        {"json": {"errors": ["Not written.", {"message": text}]}},
        {"json": {"result": {"success": False, "errors": [{"message": text}]}}},
        {"json": {"title": "Failed", "detail": "Failed", "causes": [text]}},
        {"text": text},
    ]


@pytest.mark.parametrize("text", AFTER_THE_WRITE)
@pytest.mark.parametrize("status", [400, 409, 422, 424])
def test_a_refusal_that_may_come_after_the_write_leaves_the_outcome_unknown(
    status, text
):
    for body in refusals(text):
        problem = problem_after(OutcomeUnknown, create, status, **body).problem
        assert problem.status == status
        assert text.partition(":")[0] in problem.raw.replace("\\", "")


@pytest.mark.parametrize("text", BEFORE_THE_WRITE)
def test_a_refusal_that_names_what_the_saas_refused_stays_one(text):
    for body in refusals(text):
        problem_after(Refused, create, 422, **body)


def test_one_text_among_many_is_enough():
    errors = [BEFORE_THE_WRITE[1], AFTER_THE_WRITE[0]]
    problem_after(OutcomeUnknown, upsert, 422, json={"errors": errors})


def test_what_was_written_says_nothing_about_the_failure():
    result = {"success": False, "data": {"Note": "HTTP status 503: timeout"}}
    problem_after(Refused, create, 422, json={"errors": ["no"], "result": result})


@pytest.mark.parametrize("status", [401, 404, 413, 429])
def test_who_answers_before_a_write_begins_needs_to_name_a_server_error(status):
    problem_after(Refused, create, status, json={"errors": ["request limit exceeded"]})
    said = {"errors": ["HTTP status 503: server error"]}
    problem_after(OutcomeUnknown, create, status, json=said)


@pytest.mark.parametrize("body", [{"html": REFUSAL_PAGE}, {}])
def test_a_refusal_that_says_nothing_is_told_by_its_status(body):
    problem = problem_after(Refused, create, 400, **body).problem
    assert "400 Bad Request" in problem.detail
    assert "<" not in problem.detail
    assert problem.causes == ()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 0),
        ({"Retry-After": "Fri, 02 Jan 2026 03:05:05 GMT"}, 60),
        ({"X-Amp-Retry-After": "Fri, 02 Jan 2026 03:05:05 UTC"}, 60),
        ({"Retry-After": "9" * 5000}, 86_400),
    ],
)
def test_a_refusal_says_when_to_try_again(headers, seconds):
    problem = problem_after(Refused, create, 429, headers=headers).problem
    assert problem.retryable
    assert problem.retry_after == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("status", "said", "asks"),
    [
        (429, {"content": b""}, True),
        (429, {"json": {"retryable": True}}, True),
        (429, {"json": {"retryable": False}}, False),
        (429, {"headers": {"X-Amp-Retryable": "false"}}, False),
        (423, {"json": {"retryable": True}}, True),
        (409, {"headers": {"X-Amp-Retryable": "true"}}, True),
        # What passes by its status alone is only a guess.
        (408, {"content": b""}, False),
        (425, {"content": b""}, False),
        (400, {"json": {"retryable": "yes"}}, False),
        (400, {"headers": {"Retry-After": "5"}}, False),
        (401, {"json": {"retryable": False}}, False),
        (302, {"json": {"retryable": True}}, False),
        (501, {"json": {"retryable": True}}, False),
    ],
)
def test_only_what_is_busy_or_says_so_asks_to_wait(status, said, asks):
    problem = problem_after(Refused, create, status, **said).problem
    assert problem.asks_to_wait is asks


@pytest.mark.parametrize("value", ["", "soon", "-1", "1.5", "²", "Fri, 99 Jan 2026"])
def test_a_retry_after_that_says_nothing_is_ignored(value):
    headers = {"Retry-After": value.encode()}
    assert (
        problem_after(Refused, create, 429, headers=headers).problem.retry_after is None
    )


@pytest.mark.parametrize("status", [404, 405])
def test_an_update_that_is_not_found_hints_at_the_update_style(status):
    def update(client):
        client.send(client.prepare_update_record(TARGET, {"a": 1}, record_id="003"))

    assert problem_after(Refused, update, status).problem.remedy
    assert not problem_after(Refused, create, status).problem.remedy


@pytest.mark.parametrize("status", [200, 422, 400, 500])
@pytest.mark.parametrize("escape", ["plain", "json"])
def test_an_echoed_key_is_cut_out_of_everything(status, escape):
    echo = KEY if escape == "plain" else "".join(f"\\u{ord(c):04x}" for c in KEY)
    body = f'{{"errors": ["{echo}"], "{echo}": 1, "result": {{"data": ["{echo}"]}}}}'
    headers = {"X-Request-Id": KEY}
    error = problem_after(AmpersandError, create, status, text=body, headers=headers)
    shown = repr(vars(error)) + error.problem.raw + str(error.problem)
    assert KEY not in shown
    assert echo not in shown


def test_a_key_is_cut_out_before_a_long_body_is_cut_short():
    error = problem_after(Refused, create, 400, text="x" * 19_990 + KEY)
    assert error.problem.raw == "x" * 19_990 + "****"


def test_texts_that_no_database_stores_are_replaced():
    body = b'{"result": {"success": true, "data": {"a": "\\u0000\\ud800", "b": 1e999}}}'
    with make_client(answering(200, content=body)) as client:
        assert create(client).data == {"a": "\N{REPLACEMENT CHARACTER}?", "b": "1e999"}


statuses = st.sampled_from([200, 204, 302, 400, 422, 429, 500, 503])
header_texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)


@given(statuses, st.binary(max_size=200) | st.text().map(str.encode), header_texts)
@example(200, KEY.encode(), KEY)
@example(400, b'{"errors": 5, "issues": [null, 1], "title": {}, "causes": {}}', "gzip")
@example(400, b"not gzip", "gzip")
def test_no_answer_raises_anything_outside_the_tree_nor_shows_the_key(
    status, body, header
):
    def handler(request):
        names = ("Content-Type", "Retry-After", "Content-Encoding", "X-Request-Id")
        headers = dict.fromkeys(names, header)
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    with make_client(handler) as client:
        try:
            outcome = repr(create(client))
        except AmpersandError as error:
            outcome = f"{error} {error!r} {vars(error)}"
    assert KEY not in outcome
