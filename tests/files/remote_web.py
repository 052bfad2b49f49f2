"""A web server for the tests of looking at an address, and what they say of it."""

import http.server
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpcore
import pytest

from files.remote.looking import (
    SAMPLE,
    NotLooked,
    RemoteFile,
    look,
)
from tests.hosts import EVERY_HOST

CSV = b"id,a\n1,x\n2,y\n"
PUBLIC = "93.184.215.14"


@dataclass
class Reply:
    """What a server answers. `size` is told instead of the body's own length."""

    body: bytes = CSV
    status: int = 200
    head_status: int = 200
    ranges: bool = True
    size: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drip: bool = False
    endless: bool = False


class Web(http.server.ThreadingHTTPServer):
    """A server that answers by path and notes what it was asked."""

    daemon_threads = True
    # A look may hang up before the answer ends.
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.sent = 0
        self.stopped = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that hang up."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self.answer(self.note())

    def do_GET(self) -> None:
        reply = self.note()
        if reply.drip:
            self.drip()
        elif body := self.answer(reply):
            self.wfile.write(body)
            self.server.sent += len(body)
            while reply.endless:
                self.wfile.write(body)
                self.server.sent += len(body)

    do_POST = do_GET

    def note(self) -> Reply:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        return self.server.replies.get(self.path) or self.server.replies["*"]

    def answer(self, reply: Reply) -> bytes:
        """Send the status and headers, and return the body that belongs to them."""
        body = reply.body
        size = len(body) if reply.size is None else reply.size
        status = reply.status
        headers = dict(reply.headers)
        if self.command == "HEAD" and reply.head_status != 200:
            status = reply.head_status
        elif status == 200 and body and reply.ranges and "Range" in self.headers:
            status, body = 206, body[:SAMPLE]
            headers.setdefault("Content-Range", f"bytes 0-{len(body) - 1}/{size}")
            size = len(body)
        if reply.endless:
            size = 10 * 1024**3
        headers.setdefault("Content-Length", str(size))
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        return body

    def drip(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not self.server.stopped.wait(0.05):
            self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@contextmanager
def served(context: ssl.SSLContext | None = None) -> Iterator[Web]:
    web = Web()
    if context is not None:
        web.socket = context.wrap_socket(web.socket, server_side=True)
    thread = threading.Thread(target=web.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield web
    finally:
        web.stopped.set()
        web.shutdown()
        thread.join()
        web.server_close()


class Detour(httpcore.NetworkBackend):
    """Notes where it is told to connect to, and connects to a local server instead."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.connected: list[str] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.connected.append(host)
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, timeout)


def names(*answers: Sequence[str]) -> Callable[[str, int], Sequence[str]]:
    """Return a resolver that gives one answer after the other, the last for ever."""
    left = list(answers)
    return lambda host, port: left.pop(0) if len(left) > 1 else left[0]


def seen(web: Web, reply: Reply, key: str = "id") -> RemoteFile:
    """Look at a reply."""
    web.replies["/a.csv"] = reply
    return look(web.at("/a.csv"), key=key, private_hosts=EVERY_HOST)


def rules(file: RemoteFile) -> list[tuple[str, str]]:
    return [(finding.level, finding.rule) for finding in file.findings]


def messages(file: RemoteFile) -> str:
    return "\n".join(finding.message for finding in file.findings)


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Expect that nothing could be found out, and why."""
    with pytest.raises(NotLooked) as caught:
        yield
    assert caught.value.code == code
