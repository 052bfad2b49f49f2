"""A threaded HTTP/1.1 server for the sandbox that can also misbehave.

wsgiref's handler ends a connection after each request and cannot leave one hanging
or reset it, so this one speaks WSGI itself.
"""

import logging
import os
import select
import socket
import socketserver
import struct
import sys
import time
from http.server import BaseHTTPRequestHandler
from typing import Any, override
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication, WSGIEnvironment

from sandbox.faults import Hang, Reset
from sandbox.web import MAX_BODY

logger = logging.getLogger("sandbox")

HANG_SECONDS = 120
"""The longest a request is left without an answer."""

DRAIN_SECONDS = 2
"""How long a refused upload may go on, so that its sender gets to read the answer."""

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_BLOCK = 1 << 16


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Serves one WSGI application, each connection in a thread of its own."""

    allow_reuse_address = True
    daemon_threads = True  # a hanging request must not hold up the exit
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], app: WSGIApplication) -> None:
        self.app = app
        super().__init__(address, _Handler)


class _Body:
    """The request's body, of which no more than its length can be read."""

    def __init__(self, source: Any, length: int) -> None:
        self._source = source
        self.left = length

    def read(self, size: int = -1) -> bytes:
        wanted = self.left if size < 0 else min(size, self.left)
        data: bytes = self._source.read(wanted)
        self.left -= len(data)
        return data


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = HANG_SECONDS
    server: Server

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "")
        known = length.isascii() and length.isdigit() and len(length) < 13
        self._body = _Body(self.rfile, int(length) if known else 0)
        # Without an honest length nobody knows where the next request begins.
        is_framed = known or not (length or self.headers.get("Transfer-Encoding"))
        self.close_connection |= not is_framed
        try:
            self._answer(b"".join(self.server.app(self._environ(), self._start)))
        except Hang:
            self._log("no answer")
            self._wait_for_client_to_leave()
            self._reset_connection()
        except Reset:
            self._log("reset")
            self._reset_connection()
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        except Exception:
            logger.exception("%s %s", self.command, self._path_only)
            self._start("500 Internal Server Error", [("Content-Length", "0")])
            self._answer(b"")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

    @property
    def _path_only(self) -> str:
        """The path without the query, which may carry a key."""
        return self.path.partition("?")[0]

    def _environ(self) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        headers = {
            f"HTTP_{name.upper().replace('-', '_')}": value
            for name, value in self.headers.items()
        }
        return {
            **headers,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": _unquote(path),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": self._body,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

    def _start(
        self, status: str, headers: list[tuple[str, str]], _exc_info: Any = None
    ) -> Any:
        self._status, self._headers = status, headers

    def _answer(self, body: bytes) -> None:
        code, _, phrase = self._status.partition(" ")
        self.send_response_only(int(code), phrase)
        for name, value in self._headers:
            self.send_header(name, value)
        # An answer that is cut short ends with the connection.
        promised = dict(self._headers).get("Content-Length")
        if self.command != "HEAD" and promised != str(len(body)):
            self.close_connection = True
        if self._body.left > MAX_BODY:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self._log(code)
        self._discard_upload()

    def _discard_upload(self) -> None:
        """Read what the application did not want, or the client sees a reset."""
        if self._body.left > MAX_BODY:
            self.connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._body.left and time.monotonic() < deadline:
            if not self._body.read(_BLOCK):
                break
        self.close_connection |= bool(self._body.left)

    def _wait_for_client_to_leave(self) -> None:
        readable, _, _ = select.select([self.connection], [], [], HANG_SECONDS)
        if readable:
            self.connection.recv(1, socket.MSG_PEEK)

    def _reset_connection(self) -> None:
        """Close at once, so that TCP sends RST instead of a polite FIN."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        os.close(self.connection.detach())

    def _log(self, outcome: str) -> None:
        logger.info("%s %s %s", self.command, self._path_only, outcome)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Drop the base class's lines: they would show the query."""


def _unquote(path: str) -> str:
    """The path decoded the way WSGI wants it: bytes as Latin-1."""
    return unquote_to_bytes(path).decode("latin-1")
