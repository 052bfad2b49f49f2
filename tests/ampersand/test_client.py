import logging
from dataclasses import replace

import httpx
import pytest

import ampersand
from ampersand import (
    AmpersandError,
    Client,
    OutcomeUnknown,
    Refused,
    RequestInvalid,
    SecretStr,
)
from tests.ampersand.helpers import (
    KEY,
    NOW,
    RECORD,
    TARGET,
    WRITTEN,
    Reading,
    answering,
    create,
    make_client,
    raising,
    upsert,
)

ASKED = {"project": "p1", "operation_id": "op"}
# Reads go by the same rules whether one waits for them or many are under way.
reading = pytest.mark.parametrize("make", [make_client, Reading])


def scripted(*steps):
    """A handler that takes one step per request, and the requests it saw."""
    seen = []

    def handler(request):
        seen.append(request)
        step = steps[len(seen) - 1]
        return step(request) if callable(step) else _fresh(step)

    return handler, seen


def _fresh(response):
    """The same answer, of which no client has read anything yet."""
    return httpx.Response(
        response.status_code, headers=response.headers, content=response.content
    )


def test_the_public_names_are_exactly_those_imported():
    modules = {"answers", "building", "client", "doubt", "errors", "exchange"}
    modules |= {"async_exchange", "async_reader", "batch_answers", "capabilities"}
    modules |= {"associations", "created_order", "generation", "generation_b", "search"}
    modules |= {"notifications", "posting", "uploading"}
    modules |= {"generation_a", "generation_c", "installations", "listing", "metadata"}
    modules |= {"operations", "provider_headers", "providers", "write_answers"}
    modules |= {"network", "retrying", "schemas", "secrets"}
    names = {name for name in vars(ampersand) if not name.startswith("_")}
    assert names - modules == set(ampersand.__all__)


def test_the_reviewed_request_is_what_is_sent_with_the_key_added():
    handler, seen = scripted(httpx.Response(200, json=WRITTEN))
    with make_client(handler) as client:
        request = client.prepare_create_record(TARGET, RECORD)
        client.send(request)
    (sent,) = seen
    assert (sent.method, str(sent.url)) == (request.method, request.url)
    assert sent.content == request.content()
    shown = request.headers_shown()
    assert sent.headers["X-Api-Key"] == KEY
    assert all(
        sent.headers[name] == shown[name] for name in shown if name != "X-Api-Key"
    )


@pytest.mark.parametrize(
    "step",
    [
        httpx.Response(500),
        httpx.Response(503, headers={"Retry-After": "1"}),
        httpx.Response(429, headers={"Retry-After": "1"}),
        httpx.Response(400, json={"retryable": True}),
        raising(httpx.ConnectError),
        raising(httpx.ReadError),
        raising(httpx.ReadTimeout),
        raising(httpx.RemoteProtocolError),
        httpx.Response(307, headers={"Location": "/v1/again"}),
    ],
)
@pytest.mark.parametrize("write", [create, upsert])
def test_a_write_is_sent_once_whatever_comes_of_it(write, step):
    handler, seen = scripted(step)
    with make_client(handler) as client, pytest.raises(AmpersandError):
        write(client)
    assert len(seen) == 1


def test_a_stored_request_that_goes_elsewhere_never_gets_the_key():
    handler, seen = scripted()
    with make_client(handler, write_url="https://w.example/v1") as here:
        with make_client(handler, write_url="https://w.example/v1.evil") as there:
            request = there.prepare_create_record(TARGET, RECORD)
        with pytest.raises(RequestInvalid):
            here.send(request)
    assert seen == []


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        httpx.Response(400, json={"retryable": True}),
        httpx.Response(200, html="<h1>Log in</h1>"),
        raising(httpx.ConnectError),
        raising(httpx.ReadTimeout),
        raising(httpx.RemoteProtocolError),
    ],
)
@reading
def test_a_read_is_tried_again_after_a_growing_pause(failure, make):
    answer = httpx.Response(200, json={"id": "op", "status": "success"})
    handler, seen = scripted(failure, failure, answer)
    pauses = []
    with make(handler, sleep=pauses.append) as client:
        assert client.get_operation(**ASKED).status == "success"
    assert len(seen) == 3
    assert 0.5 <= pauses[0] <= 1 <= pauses[1] <= 2


@reading
def test_a_read_gives_up_after_three_tries_and_says_why(make):
    handler, seen = scripted(*[httpx.Response(500)] * 3)
    client = make(handler, sleep=lambda seconds: None)
    with client, pytest.raises(Refused, match="500"):
        client.get_operation(**ASKED)
    assert len(seen) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        httpx.Response(401),
        httpx.Response(404, json={"detail": "Operation not found."}),
        httpx.Response(500, json={"retryable": False}),
        httpx.Response(501),
        httpx.Response(429, headers={"Retry-After": "31"}),
    ],
)
@reading
def test_a_read_is_not_tried_again_when_that_is_pointless_or_too_soon(refusal, make):
    handler, seen = scripted(refusal)
    with make(handler) as client, pytest.raises(Refused):
        client.get_operation(**ASKED)
    assert len(seen) == 1


@reading
def test_a_read_waits_as_long_as_the_server_asks(make):
    busy = httpx.Response(429, headers={"Retry-After": "30"})
    handler, _ = scripted(busy, httpx.Response(200, json=[]))
    pauses = []
    with make(handler, sleep=pauses.append) as client:
        client.list_operation_logs(**ASKED)
    assert pauses == [30]


@reading
def test_a_longer_wait_is_left_to_the_caller(make):
    busy = httpx.Response(429, json={"retryAfter": "2026-01-02T03:05:05Z"})
    handler, _ = scripted(busy)
    with make(handler) as client, pytest.raises(Refused) as caught:
        client.get_operation(**ASKED)
    assert (caught.value.problem.retry_after - NOW).total_seconds() == 60


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ([{"message": "b", "timestamp": "2025-01-02T00:00:00Z"}, "c"], ["b", "c"]),
        ({"results": [{"message": {"msg": "b"}}]}, ["b"]),
        ({"results": None}, []),
        ([], []),
    ],
)
@reading
def test_logs_come_in_every_known_shape(body, texts, make):
    handler, seen = scripted(httpx.Response(200, json=body))
    with make(handler) as client:
        entries = client.list_operation_logs(**ASKED)
    assert [entry.text for entry in entries] == texts
    assert str(seen[0].url) == (
        "https://api.withampersand.com/v1/projects/p1/operations/op/logs"
    )


@reading
def test_no_logs_may_also_come_as_null(make):
    with make(answering(200, content=b"null")) as client:
        assert client.list_operation_logs(**ASKED) == ()


@pytest.mark.parametrize("body", [[], "text", 5, None])
@reading
def test_an_answer_that_is_no_operation_is_not_taken_for_one(body, make):
    client = make(answering(200, json=body), sleep=lambda seconds: None)
    with client, pytest.raises(OutcomeUnknown):
        client.get_operation(**ASKED)


def test_a_key_that_no_header_can_carry_is_refused_without_showing_it():
    said = set()
    for key in ("", " ", "ключ", "a\nb", "a b", "a\0"):
        with pytest.raises(RequestInvalid) as caught:
            Client(api_key=SecretStr(key))
        said.add(str(caught.value))
    assert len(said) == 1, "The same whatever the key, so nothing of it shows."


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://host/v1", "https://", "https:///v1", "host/v1"),
        *("https://me:secret@host/v1", "https://host/v1?a=secret", "https://host/#x"),
        *("https://host:0/", "https://host:99999/", "https://[::1/v1"),
    ],
)
def test_a_base_address_must_be_a_plain_url(url):
    with pytest.raises(RequestInvalid) as caught:
        make_client(write_url=url)
    assert "secret" not in str(caught.value)


def test_an_unknown_generation_is_refused():
    with pytest.raises(RequestInvalid):
        make_client(generation="Z")


def test_a_reader_can_leave_shorter_waits_to_the_caller_too():
    busy = httpx.Response(429, headers={"Retry-After": "3"})
    handler, seen = scripted(busy)
    reading = Reading(handler, longest_pause=2)
    with reading, pytest.raises(Refused):
        reading.get_operation(**ASKED)
    assert len(seen) == 1


def test_an_address_too_long_for_any_server_is_refused_before_sending():
    handler, seen = scripted()
    with make_client(handler) as client, pytest.raises(RequestInvalid):
        create(client, replace(TARGET, project="x" * 70_000))
    assert seen == []


@pytest.mark.parametrize(
    ("handler", "status"),
    [
        (answering(200, json=WRITTEN), 200),
        (answering(500), 500),
        (raising(httpx.ConnectError), "NotSent"),
        (raising(httpx.ReadTimeout), "OutcomeUnknown"),
    ],
)
def test_each_call_logs_one_line_with_its_path_and_status(caplog, handler, status):
    caplog.set_level(logging.DEBUG)
    where = replace(TARGET, object_name=f"o/{KEY}")
    with make_client(handler) as client:
        try:
            create(client, where)
        except AmpersandError:
            pass
    (line,) = caplog.records
    path = "/v1/projects/p1/integrations/i1/objects/o%2F****"
    assert line.getMessage().startswith(f"POST {path} {status} ")
    assert (line.name, line.method, line.path) == ("ampersand", "POST", path)
    assert line.status == status
    assert line.ms >= 0
