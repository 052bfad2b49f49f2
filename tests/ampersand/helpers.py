"""A client over a handler function, and a loopback server that misbehaves."""

import asyncio
import contextlib
import re
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ampersand import (
    AmpersandError,
    AsyncReader,
    Client,
    LogEntry,
    Operation,
    SecretStr,
    Target,
    WriteResult,
)

KEY = "canary-7f3a9c51d2e8-1a2b"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

TARGET = Target(project="p1", integration="i1", object_name="contact", group_ref="acme")
RECORD = {"FirstName": "Zoë", "Note": 'it\'s "quoted"\n$HOME `x` \\ !'}
WRITTEN = {"result": {"success": True, "recordId": "003", "data": {"id": "003"}}}

type Handler = Callable[[httpx.Request], httpx.Response]


def make_client(handler: Handler | None = None, **options: Any) -> Client:
    """A client whose network is `handler`, and whose sleep fails the test."""
    if handler:
        options["transport"] = httpx.MockTransport(handler)
    options.setdefault("sleep", _no_sleep)
    return Client(api_key=SecretStr(KEY), now=lambda: NOW, **options)


def create(client: Client, target: Target = TARGET) -> WriteResult:
    """Create one record with `client`."""
    return client.send(client.prepare_create_record(target, RECORD))


def upsert(client: Client, csv: str = "id,a\n1,2\n") -> WriteResult:
    """Start a bulk upsert with `client`."""
    request = client.prepare_upsert_records(TARGET, primary_key="id", csv=csv)
    return client.send(request)


def failure(client: Any, call: Callable[[Any], Any] = create) -> AmpersandError:
    """Make a call that must fail, close the client and return the error."""
    with client, pytest.raises(AmpersandError) as caught:
        call(client)
    return caught.value


def answering(status: int, **options: Any) -> Handler:
    """A handler that always gives the same answer."""
    return lambda request: httpx.Response(status, **options)


def raising(error: type[Exception], cause: Exception | None = None) -> Handler:
    """A handler that fails as httpx would, with a request that holds the key."""

    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["x-api-key"] == KEY
        text = f"failed with {KEY}"
        if issubclass(error, httpx.RequestError):
            raise error(text, request=request) from cause
        raise error(text) from cause

    return handler


def _no_sleep(seconds: float) -> None:
    message = f"slept {seconds} s"
    raise AssertionError(message)


class Loopback:
    """A server on 127.0.0.1 that hands each request it reads to a function.

    `behave(connection, number)` gets the number of the request, counted from 1 over
    all connections, and returns whether to read another one from this connection.
    """

    def __init__(
        self,
        behave: Callable[[socket.socket, int], bool],
        *,
        before: Callable[[socket.socket], object] = lambda connection: None,
    ) -> None:
        self.requests: list[bytes] = []
        self._behave = behave
        self._before = before
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> "Loopback":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        self._before(connection)
        while request := _read_request(connection):
            self.requests.append(request)
            if not self._behave(connection, len(self.requests)):
                return


def _read_request(connection: socket.socket) -> bytes:
    """Read one request with its body; b"" if the other side hung up before its end."""
    with connection.makefile("rb") as stream:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return b""
            head += line
        length = re.search(rb"(?i)content-length: (\d+)", head)
        body = stream.read(int(length[1])) if length else b""
    return head + body


def http_answer(body: bytes, *, length: int | None = None) -> bytes:
    """A 200 with `body`, claiming to be `length` bytes long."""
    size = len(body) if length is None else length
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body


def reset(connection: socket.socket) -> None:
    """Make closing `connection` send a reset instead of an orderly end."""
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


@contextlib.contextmanager
def unused_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is bound, so nobody else takes it, but refuses."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


class Reading:
    """An AsyncReader with the methods of a Client that read, each in its own loop."""

    def __init__(self, handler: Handler | None = None, **options: Any) -> None:
        if handler:
            options["transport"] = httpx.MockTransport(handler)
        pause = options.pop("sleep", _no_sleep)
        self._runner = asyncio.Runner()
        self._reader = AsyncReader(
            api_key=SecretStr(KEY), now=lambda: NOW, sleep=_async(pause), **options
        )

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, *error: object) -> None:
        self._runner.run(self._reader.close())
        self._runner.close()

    def get_operation(self, **asked: str) -> Operation:
        return self._runner.run(self._reader.get_operation(**asked))

    def list_operation_logs(self, **asked: str) -> tuple[LogEntry, ...]:
        return self._runner.run(self._reader.list_operation_logs(**asked))


def _async(pause: Callable[[float], object]) -> Callable[[float], Awaitable[None]]:
    async def paused(seconds: float) -> None:
        pause(seconds)

    return paused


def ask(client: Client | Reading) -> Operation:
    """Ask for the state of an operation."""
    return client.get_operation(project="p1", operation_id="op")
