"""HTTP as the sandbox needs it: a request, an answer, and refusals as exceptions.

Refusal
├── Problem      application/problem+json (RFC 9457 with Ampersand's extensions)
├── BadRequest   400 text/plain, one sentence
└── Rejected     422 application/json, what the provider said
"""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.types import InputStream, WSGIEnvironment

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request: 10 MiB of CSV and what JSON's escapes add to it."""

MISSING = "required field not found"
"""Ampersand's published text for a body that lacks something."""


@dataclass(frozen=True)
class Response:
    """An answer; `truncated` promises more bytes than it sends."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    truncated: bool = False

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it, for example "200 OK"."""
        return f"{self.status} {HTTPStatus(self.status).phrase}"

    @property
    def all_headers(self) -> list[tuple[str, str]]:
        """The headers to send."""
        length = len(self.body) + (100 if self.truncated else 0)
        return [
            ("Content-Type", self.content_type),
            ("Content-Length", str(length)),
            *self.headers,
        ]


class Request:
    """One WSGI request."""

    def __init__(self, environ: WSGIEnvironment, time: float) -> None:
        self.id = str(uuid.uuid4())
        self.time = time
        self.method: str = environ["REQUEST_METHOD"]
        self.path = _path(environ.get("PATH_INFO", ""))
        self.query: str = environ.get("QUERY_STRING", "")
        self.key: str = environ.get("HTTP_X_API_KEY", "")
        self.fault: str = environ.get("HTTP_X_SANDBOX_FAULT", "")
        # What came of a write: whether anything was done, and the operation it began.
        self.worked = False
        self.operation: str | None = None
        self._environ = environ
        self._length: str | None = environ.get("CONTENT_LENGTH")
        self._input: InputStream = environ["wsgi.input"]
        self._body: bytes | None = None
        self._json: dict[str, Any] | None = None

    @property
    def parameters(self) -> dict[str, str]:
        """What the query says, the last where a name is there twice."""
        return dict(parse_qsl(self.query))

    @property
    def body(self) -> bytes:
        """The bytes of the body, read once."""
        return self.read(MAX_BODY)

    def read(self, most: int) -> bytes:
        """The bytes of the body; refuses what has no honest length, or more of it."""
        if self._body is None:
            self._body = self._input.read(self._checked_length(most))
        return self._body

    @property
    def origin(self) -> str:
        """Scheme, host and port that the client spoke to."""
        return f"{self._environ['wsgi.url_scheme']}://{_host(self._environ)}"

    def header(self, name: str) -> str:
        """A header of the request, "" where there is none."""
        key = name.upper().replace("-", "_")
        if key != "CONTENT_TYPE":
            key = f"HTTP_{key}"
        return str(self._environ.get(key, ""))

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        if self._json is None:
            self._json = self._parsed()
        return self._json

    def _parsed(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body, parse_constant=_no_constant)
            # Lone surrogates are legal in JSON escapes and nowhere else.
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            raise BadRequest("request body is not valid JSON") from error
        if not isinstance(value, dict):
            raise BadRequest("request body is not a JSON object")
        return value

    def _checked_length(self, most: int) -> int:
        text = self._length or ""
        if not text:
            raise Problem(411, "The request has no Content-Length.")
        if not (text.isascii() and text.isdigit()):
            raise BadRequest("Content-Length is not a number")
        if len(text) > 12 or int(text) > most:
            raise Problem(413, "The request body is too large.")
        return int(text)


class Refusal(Exception):
    """The request is answered with something else than success."""

    def response(self, request: Request) -> Response:
        """The answer to send."""
        raise NotImplementedError


@dataclass(eq=False)
class Problem(Refusal):
    """Ampersand's error model; `retry_after` is in seconds from now."""

    status: int
    detail: str
    remedy: str = ""
    retryable: bool = False
    retry_after: int = 0
    headers: tuple[tuple[str, str], ...] = ()

    def response(self, request: Request) -> Response:
        headers = self.headers
        members: dict[str, Any] = {
            "type": f"https://httpstatuses.com/{self.status}",
            "href": f"https://httpstatuses.com/{self.status}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": request.path,
            "subsystem": "api",
            "time": rfc3339(request.time),
            "requestId": request.id,
            "remedy": self.remedy,
            "retryable": self.retryable,
        }
        if self.retry_after:
            members["retryAfter"] = rfc3339(request.time + self.retry_after)
            headers = (*headers, ("Retry-After", str(self.retry_after)))
        body = json.dumps(members).encode()
        return Response(self.status, body, "application/problem+json", headers)


@dataclass(eq=False)
class BadRequest(Refusal):
    """A malformed request; the write endpoint answers it in plain text."""

    text: str

    def response(self, request: Request) -> Response:
        return plain(self.text, status=400)


@dataclass(eq=False)
class Rejected(Refusal):
    """The provider refused the record; errors are bare strings in this generation."""

    errors: list[str]

    def response(self, request: Request) -> Response:
        return answer({"errors": self.errors, "result": {"success": False}}, status=422)


def answer(value: Any, *, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(value).encode())


def plain(text: str, *, status: int = 200) -> Response:
    """A text answer."""
    body = text.encode("utf-8", "replace")
    return Response(status, body, "text/plain; charset=utf-8")


def not_allowed(*methods: str) -> Problem:
    """405, naming what is allowed."""
    allowed = ", ".join(methods)
    return Problem(
        405,
        "The method is not allowed for this resource.",
        remedy=f"Use {allowed}.",
        headers=(("Allow", allowed),),
    )


def rfc3339(seconds: float) -> str:
    """A moment in seconds since the epoch as Ampersand writes it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def _host(environ: WSGIEnvironment) -> str:
    """The host that the client spoke to, with its port."""
    server = f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}"
    return str(environ.get("HTTP_HOST") or server)


def _path(raw: str) -> str:
    """The path as text; WSGI hands UTF-8 over as if it were Latin-1."""
    try:
        return raw.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return raw.encode("utf-8", "replace").decode()


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
