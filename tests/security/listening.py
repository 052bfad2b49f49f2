"""A server on this machine that keeps what it is asked, as an attacker's does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Listener(ThreadingHTTPServer):
    """Answers everything with `status` and `headers`, and notes what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 404
        self.headers: dict[str, str] = {}
        self.content = b"operation not found"
        self.heard: list[str] = []
        self.bodies: list[bytes] = []

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> list[str]:
        """The API keys that it was told."""
        return [line for line in self.heard if "x-api-key" in line.lower()]


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def _answer(self) -> None:
        self.server.heard.append(f"{self.requestline}\n{self.headers}")
        length = int(self.headers.get("Content-Length") or 0)
        self.server.bodies.append(self.rfile.read(length))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.content)

    do_HEAD = do_GET = do_POST = do_PUT = do_PATCH = do_CONNECT = _answer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def listening() -> Iterator[Listener]:
    """Give a listener; it ends with the block."""
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
