"""Clients that are slow, or never end, keep nobody else waiting."""

import errno
import hashlib
import re
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web import pace, worker
from console.web.pace import Pace
from tests.security.server import Server, echoing, serving

pytestmark = pytest.mark.sqlite

SLOW_CLIENTS = 60
SMALL = worker.SMALL_BODY
GET = b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The console's web server."""
    with serving(tmp_path_factory.mktemp("web")) as running:
        yield running


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same web server with a second of patience, and pages that echo."""
    with echoing(tmp_path_factory.mktemp("echo")) as running:
        yield running


def post(path: str, length: int, *more: str, body: bytes = b"") -> bytes:
    """Return the beginning of a request that announces `length` bytes."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Length: {length}",
        *(more or ["Content-Type: application/x-www-form-urlencoded"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def received(client: socket.socket) -> bytes:
    """Return all that comes until the server closes, or cuts, the connection."""
    found = bytearray()
    with suppress(ConnectionResetError):
        while data := client.recv(65536):
            found += data
    return bytes(found)


FORM = "Content-Type: multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\na'
STALLED = {
    "nothing": b"",
    "one byte": b"G",
    "half a line": b"GET /heal",
    "a line": b"GET /healthz HTTP/1.1\r\n",
    "half a head": b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "an empty line": b"\r\n",
    "half a form": post("/login/", 1000, body=b"username=olga"),
    "half a file": post("/login/", 100_000, FORM, body=PART),
    "half of nothing": post("/no/such/page/", 1000, body=b"a"),
    "a head that promises 1 GiB": post("/writes/csv/", 2**30, FORM),
    "a bit of 1 GiB": post("/writes/csv/", 2**30, FORM, body=PART),
    "who waits to be asked": post("/login/", 1000, FORM, "Expect: 100-continue"),
    "half a chunk": b"POST /login/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked"
    b"\r\n\r\nff\r\na",
    "half of a second request": GET % (b"/healthz", b"") + b"GET /healthz HTTP/1.1\r\n",
}


@contextmanager
def slow_clients(server: Server, sent: bytes, *, window: int = 0) -> Iterator[None]:
    """Hold sixty connections that have sent this and do no more."""
    with ExitStack() as stack:
        for _ in range(SLOW_CLIENTS):
            stack.enter_context(server.connect(sent, window=window))
        yield


@pytest.mark.parametrize("sent", STALLED.values(), ids=STALLED)
def test_clients_that_stop_keep_nobody_waiting(server: Server, sent: bytes) -> None:
    with slow_clients(server, sent):
        assert server.answers_others()


DRIPS = {
    "head": b"GET /healthz HTTP/1.1\r\nX: ",
    "form": post("/login/", 10_000),
    "file": post("/login/", 1_000_000, FORM, body=PART),
    "1 GiB": post("/writes/csv/", 2**30, FORM, body=PART),
}


@pytest.mark.parametrize("sent", DRIPS.values(), ids=DRIPS)
def test_clients_that_send_byte_by_byte_keep_nobody_waiting(
    server: Server, sent: bytes
) -> None:
    over = threading.Event()
    with ExitStack() as stack:
        clients = [
            stack.enter_context(server.connect(sent)) for _ in range(SLOW_CLIENTS)
        ]

        def drip() -> None:
            while not over.wait(0.1):
                for client in clients:
                    with suppress(OSError):
                        client.send(b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        stack.callback(thread.join)
        stack.callback(over.set)
        assert server.answers_others()


def test_clients_that_do_not_read_keep_nobody_waiting(server: Server) -> None:
    with server.browser() as browser:
        page = browser.get("/login/").text
    paths = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
    assert paths
    many = b"".join(GET % (path.encode(), b"") for path in paths) * 5
    with slow_clients(server, many, window=1024):
        assert server.answers_others()


def test_pages_that_nobody_reads_keep_nobody_waiting(server: Server) -> None:
    with slow_clients(server, GET % (b"/login/", b"") * 200, window=1024):
        assert server.answers_others()


# --- Less patience, to see its end ----------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n",
        post("/", 10, body=b"a"),
        b"\r\nGET / HTTP/1.1\r\nA: b\r\n",
    ],
)
def test_a_request_that_does_not_end_is_told_so(echo: Server, sent: bytes) -> None:
    with echo.connect(sent) as client:
        assert received(client).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("before", [b"", GET % (b"/", b"")])
def test_a_connection_without_a_request_is_closed(echo: Server, before: bytes) -> None:
    with echo.connect(before) as client:
        assert received(client).count(b"HTTP/1.1 ") == bool(before)


def test_a_large_body_that_does_not_come_is_not_waited_for(echo: Server) -> None:
    body = b"a" * (SMALL + 1)
    with echo.connect(post("/", SMALL + 100_000, body=body)) as client:
        assert not received(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("path", [b"/file", b"/stream"])
def test_an_answer_that_nobody_reads_is_not_kept(echo: Server, path: bytes) -> None:
    with echo.connect(GET % (path, b""), window=1024) as client:
        # What it reads after that is less than the whole: the connection was cut.
        with echo.connect() as other:
            assert received(other) == b""
        with echo.connect() as other:
            assert received(other) == b""
        assert len(received(client)) < 16 * 2**20


def test_more_connections_than_there_is_room_for(echo: Server) -> None:
    with slow_clients(echo, b"GET / HTTP/1.1\r\n"), echo.browser() as browser:
        assert browser.get("/").is_success


@pytest.mark.parametrize(
    ("error", "goes"),
    [
        # Another process was quicker; the client went.
        (BlockingIOError(errno.EAGAIN, ""), False),
        (ConnectionAbortedError(errno.ECONNABORTED, ""), False),
        (OSError(errno.EMFILE, ""), True),
    ],
)
def test_nobody_goes_for_a_connection_that_is_not_there(
    error: OSError, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone: list[object] = []
    listener = Mock(accept=Mock(side_effect=error))
    waiting = Mock()
    own = worker.PatientWorker.__new__(worker.PatientWorker)
    own.watched = {waiting: None}
    monkeypatch.setattr(own, "_forget", gone.append)
    own.accept(listener)
    assert gone == [waiting] * goes


def test_large_bodies_that_stall_leave_threads_for_others(echo: Server) -> None:
    sent = post("/", 2**30, body=b"a" * (SMALL + 1))
    with ExitStack() as stack:
        for _ in range(6):
            stack.enter_context(echo.connect(sent))
        with echo.browser() as browser:
            assert browser.get("/").is_success
            # It waits its turn, and has it.
            assert browser.post("/", content=bytes(SMALL + 10)).is_success


# --- Others are served as ever --------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 70_000, SMALL - 1, SMALL, SMALL + 1, 3 * SMALL])
def test_bodies_arrive_byte_for_byte(echo: Server, size: int) -> None:
    body = bytes(range(251)) * (size // 251 + 1)
    with echo.browser() as browser:
        for _ in range(2):
            answer = browser.post("/", content=body[:size])
            digest = hashlib.sha256(body[:size]).hexdigest()
            assert answer.text == f"0 {digest}"


@pytest.mark.parametrize("path", ["/file", "/stream"])
def test_answers_arrive_byte_for_byte(echo: Server, path: str) -> None:
    with echo.browser() as browser:
        for _ in range(2):
            answer = browser.get(path)
            assert len(answer.content) == 16 * 2**20
            assert set(answer.content[::16]) == {ord("0")}
        assert browser.head("/file").headers["content-length"] == str(16 * 2**20)


@pytest.mark.parametrize("step", [1, 7, 50, 10_000])
def test_requests_in_one_go_are_answered_in_their_order(
    echo: Server, step: int
) -> None:
    bodies = [b"", b"a", b"bb"]
    sent = b"".join(post("/", len(body), body=body) for body in bodies)
    sent += GET % (b"/", b"Connection: close\r\n")
    with echo.connect() as client:
        for start in range(0, len(sent), step):
            client.sendall(sent[start : start + step])
        answers = received(client)
    digests = [hashlib.sha256(body).hexdigest().encode() for body in [*bodies, b""]]
    assert re.findall(rb"0 ([0-9a-f]{64})", answers) == digests


@pytest.mark.parametrize("size", [10, 100_000, SMALL + 1, 3 * SMALL])
def test_a_body_that_no_page_reads_costs_it_no_answer(echo: Server, size: int) -> None:
    with echo.browser() as browser:
        for _ in range(2):
            assert browser.post("/ignore", content=bytes(size)).text == "ignored"


def test_who_waits_to_be_asked_is_asked_once(echo: Server) -> None:
    with echo.connect(post("/", 4, "Expect: 100-continue")) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.sendall(b"abcd")
        client.shutdown(socket.SHUT_WR)
        answer = received(client)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"100 Continue" not in answer


REFUSED = {
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n": 411,
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n": 411,
    b"GET / HTTP/1.1\r\nX: " + b"a" * worker.MOST_HEAD: 431,
    b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 1000 + b"\r\n": 431,
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n": 400,
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na": 400,
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n": 400,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n": 400,
}


@pytest.mark.parametrize(("sent", "status"), REFUSED.items())
def test_what_is_no_request_is_refused(echo: Server, sent: bytes, status: int) -> None:
    with echo.connect(sent) as client:
        assert received(client).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_stop_lets_requests_end_and_waits_for_no_slow_client(tmp_path: Path) -> None:
    with echoing(tmp_path) as stopped, ExitStack() as stack:
        halves = [stack.enter_context(stopped.connect(b"GET / HT")) for _ in range(5)]
        running = stack.enter_context(stopped.connect(GET % (b"/slow", b"")))
        with stopped.browser() as browser:
            assert browser.get("/").is_success
        stopped.process.send_signal(signal.SIGTERM)
        assert received(running).endswith(b"slow")
        for half in halves:
            assert b"200" not in received(half)
        assert stopped.process.wait(120) == 0


@given(st.lists(st.integers(0, 10**6), max_size=20), st.floats(0, 10**4))
def test_who_is_slower_than_16_kib_a_second_runs_out_of_time(
    sizes: list[int], took: float
) -> None:
    client = Pace()
    for size in sizes:
        client.moved(size)
    client.waited(took)
    left = pace.PATIENCE + sum(sizes) / pace.SLOWEST - took
    assert client.longest == pytest.approx(max(0, min(left, pace.LONGEST_REST)))
