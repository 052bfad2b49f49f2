"""Failures of the network, over real sockets where httpx decides what they are."""

import gzip
import socket
import ssl

import httpx
import pytest

from ampersand import NotSent, OutcomeUnknown, Refused
from ampersand.exchange import LARGEST_ANSWER
from ampersand.retrying import READ_TRIES
from tests.ampersand.helpers import (
    KEY,
    Loopback,
    Reading,
    answering,
    ask,
    create,
    failure,
    http_answer,
    make_client,
    raising,
    reset,
    unused_port,
    upsert,
)

# A write that is made, and a read that somebody waits for or that is one of many.
CALLS = ((make_client, create), (make_client, ask), (Reading, ask))
any_call = pytest.mark.parametrize(("make", "call"), CALLS)
ACCEPTED = b'{"operationId": "op"}'


def failure_at(server, write=create, **options):
    return failure(make_client(write_url=server.url, **options), write)


def read_failure_at(server, **options):
    reader = Reading(api_url=server.url, sleep=no_pause, **options)
    return failure(reader, ask)


def no_pause(seconds):
    pass


@pytest.mark.parametrize(
    ("error", "cause", "told"),
    [
        (httpx.ConnectError, socket.gaierror(), "host name"),
        (httpx.ConnectError, ConnectionRefusedError(), "refused"),
        (httpx.ConnectError, ssl.SSLCertVerificationError(), "certificate"),
        (httpx.ConnectError, ssl.SSLError(), "TLS"),
        (httpx.ConnectError, None, "connection"),
        (httpx.ConnectTimeout, None, "10 s"),
        (httpx.PoolTimeout, None, "5 s"),
        (httpx.ProxyError, None, "proxy"),
    ],
)
@any_call
def test_a_failure_before_the_first_byte_is_told_as_not_sent(
    error, cause, told, make, call
):
    caught = failure(make(raising(error, cause), sleep=no_pause), call)
    assert isinstance(caught, NotSent)
    assert told in caught.reason


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (httpx.ReadTimeout, "60 s"),
        (httpx.WriteTimeout, "60 s"),
        (httpx.ReadError, "closed"),
        (httpx.WriteError, "closed"),
        (httpx.CloseError, "closed"),
        (httpx.RemoteProtocolError, "closed"),
        (httpx.LocalProtocolError, "closed"),
        (RuntimeError, "RuntimeError"),
    ],
)
@any_call
def test_any_later_failure_leaves_the_outcome_unknown(error, told, make, call):
    caught = failure(make(raising(error), sleep=no_pause), call)
    assert isinstance(caught, OutcomeUnknown)
    assert told in caught.reason
    assert caught.problem is None


def test_a_refused_connection_is_not_sent():
    with unused_port() as port:
        url = f"http://127.0.0.1:{port}/v1"
        caught = failure(make_client(write_url=url))
        read = failure(Reading(api_url=url, sleep=no_pause), ask)
    assert isinstance(caught, NotSent)
    assert isinstance(read, NotSent)


def test_a_server_without_tls_gets_nothing_of_the_request():
    def speak_plainly(connection):
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Loopback(lambda *_: False, before=speak_plainly) as server:
        url = server.url.replace("http:", "https:")
        caught = failure(make_client(write_url=url))
        read = failure(Reading(api_url=url, sleep=no_pause), ask)
    assert isinstance(caught, NotSent)
    assert isinstance(read, NotSent)
    assert server.requests == []


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1 200 OK\r\nContent-Length: 21\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        http_answer(ACCEPTED, length=22),
        http_answer(ACCEPTED[:5], length=21),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n15\r\n" + ACCEPTED,
    ],
)
@pytest.mark.parametrize("ending", [lambda connection: None, reset])
def test_an_answer_that_breaks_off_leaves_the_outcome_unknown(sent, ending):
    def break_off(connection, number):
        connection.sendall(sent)
        ending(connection)
        return False

    with Loopback(break_off) as server:
        caught = failure_at(server, upsert)
        assert len(server.requests) == 1
        read = read_failure_at(server)
    assert isinstance(caught, OutcomeUnknown)
    assert isinstance(read, OutcomeUnknown)
    assert len(server.requests) == 1 + READ_TRIES


@pytest.mark.parametrize(
    ("status", "error"),
    [(b"400", Refused), (b"422", OutcomeUnknown), (b"500", OutcomeUnknown)],
)
def test_a_refusal_that_breaks_off_is_one_unless_it_might_report_a_write(status, error):
    def break_off(connection, number):
        answer = http_answer(b'{"errors": ["no', length=99)
        connection.sendall(answer.replace(b"200", status))
        return False

    with Loopback(break_off) as server:
        caught = failure_at(server)
    assert type(caught) is error
    assert caught.problem.raw == '{"errors": ["no'


def test_a_write_on_a_connection_that_the_server_drops_is_not_repeated():
    def answer_once(connection, number):
        if number == 1:
            connection.sendall(http_answer(ACCEPTED))
        return number == 1

    with Loopback(answer_once) as server, make_client(write_url=server.url) as client:
        assert upsert(client).operation_id == "op"
        caught = failure(client, upsert)
    assert isinstance(caught, OutcomeUnknown)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", http_answer(b"", length=999_999)]
)
def test_a_server_that_drips_is_left_at_the_deadline(start):
    def drip(connection, number):
        connection.sendall(start)
        while not server.ended.wait(0.01):
            connection.sendall(b"x")
        return False

    with Loopback(drip) as server:
        caught = failure_at(server, timeout=0.5)
        read = read_failure_at(server, timeout=0.5)
    assert isinstance(caught, OutcomeUnknown)
    assert isinstance(read, OutcomeUnknown)
    assert "1.5 s" in caught.reason
    assert "1.5 s" in read.reason


def test_a_server_that_never_reads_is_left_at_the_time_out():
    with Loopback(lambda *_: False, before=lambda _: server.ended.wait()) as server:
        caught = failure_at(
            server, lambda client: upsert(client, csv="x" * 10_000_000), timeout=0.5
        )
    assert isinstance(caught, OutcomeUnknown)
    # Whichever is noticed first: the time-out of one write, or the deadline.
    assert "0.5 s" in caught.reason or "1.5 s" in caught.reason


def test_a_silent_server_is_left_at_the_time_out():
    with Loopback(lambda *_: not server.ended.wait()) as server:
        caught = failure_at(server, timeout=0.5)
    assert isinstance(caught, OutcomeUnknown)
    assert "0.5 s" in caught.reason


@pytest.mark.parametrize("make", [make_client, Reading])
def test_an_answer_of_more_than_32_mib_is_given_up_and_not_asked_for_again(make):
    bomb = gzip.compress(b" " * (LARGEST_ANSWER + 1))
    handler = answering(200, content=bomb, headers={"Content-Encoding": "gzip"})
    with make(handler) as client, pytest.raises(OutcomeUnknown, match="32 MiB"):
        client.list_operation_logs(project="p", operation_id="o")


def test_a_body_that_cannot_be_decoded_leaves_the_outcome_unknown():
    handler = answering(
        200,
        stream=httpx.ByteStream(b"not gzip"),
        headers={"Content-Encoding": "gzip"},
    )
    assert isinstance(failure(make_client(handler)), OutcomeUnknown)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_used_within_the_deadline(monkeypatch, name):
    def drip(connection, number):
        while not server.ended.wait(0.01):
            connection.sendall(b"x")
        return False

    with Loopback(drip) as server:
        monkeypatch.setenv(name, server.url.removesuffix("/v1"))
        client = make_client(write_url="https://write.example/v1", timeout=0.5)
        caught = failure(client)
    assert isinstance(caught, OutcomeUnknown)
    assert "1.5 s" in caught.reason
    assert server.requests[0].startswith(b"CONNECT write.example:443 ")
    assert KEY.encode() not in server.requests[0]


def test_a_proxy_that_will_not_tunnel_means_not_sent(monkeypatch):
    def refuse(connection, number):
        connection.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        return False

    with Loopback(refuse) as server:
        monkeypatch.setenv("https_proxy", server.url.removesuffix("/v1"))
        caught = failure(make_client(write_url="https://write.example/v1"))
    assert isinstance(caught, NotSent)
    assert KEY.encode() not in server.requests[0]


def test_credentials_in_a_netrc_are_not_sent(monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    def answer(connection, number):
        connection.sendall(http_answer(ACCEPTED))
        return False

    with Loopback(answer) as server, make_client(write_url=server.url) as client:
        upsert(client)
    assert b"authorization" not in server.requests[0].lower()
