"""One HTTP exchange: the only place that knows httpx, its errors and the API key.

Its failures are told in plain words and sorted by one question: can the request have
left this machine?
"""

import logging
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from ampersand.answers import Answer, read_answer
from ampersand.errors import AmpersandError, NotSent, OutcomeUnknown, RequestInvalid
from ampersand.network import (
    NO_PROXY_FOR_HTTP,
    AddressRefused,
    Resolve,
    deadline,
    keep_deadlines,
    trusted,
)
from ampersand.schemas import Request
from ampersand.secrets import SecretStr, redact

logger = logging.getLogger("ampersand")

# httpx logs whole URLs at INFO and httpcore answer headers at DEBUG; our own line has
# the path only. Set here, so that no settings file can forget it.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)

CONNECT_TIMEOUT = 10.0
CONNECTIONS = 20
POOL_TIMEOUT = 5.0

# A whole exchange may take three times the longest single wait: with the default of
# 60 s that uploads 10 MiB at 0.5 Mbit/s.
DEADLINE_FACTOR = 3

LARGEST_ANSWER = 32 * 1024 * 1024
TOO_LARGE = "The answer is larger than 32 MiB"

# Raised before the first byte of a request is written. Everything else may be later.
NOTHING_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


def connections(
    timeout: float, *, keep_alive: float = 0, most: int = CONNECTIONS
) -> dict[str, Any]:
    """Return how an httpx client is opened; connections may idle `keep_alive` seconds.

    With 0 each request has a connection of its own, on which nothing else can arrive: a
    broken proxy may repeat its last answer, and to the next request on the same
    connection that would look like its own.
    """
    return {
        "timeout": httpx.Timeout(timeout, connect=CONNECT_TIMEOUT, pool=POOL_TIMEOUT),
        "limits": httpx.Limits(
            max_connections=most,
            max_keepalive_connections=None if keep_alive else 0,
            keepalive_expiry=keep_alive,
        ),
        "follow_redirects": False,
        "mounts": NO_PROXY_FOR_HTTP,
    }


class BaseExchange:
    """What both ways of sending share: all but the waiting.

    Proxies and certificate authorities are taken from the usual environment
    variables (HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE), as self-hosted installations
    need them; only https goes through a proxy. Credentials are not: a .netrc is never
    read. Redirects are not followed, as they could carry the key to another host.
    """

    def __init__(
        self, *, api_key: SecretStr, timeout: float, now: Callable[[], datetime]
    ) -> None:
        """`timeout` is in seconds for a single read or write.

        Raises: RequestInvalid for a key that no header can carry.
        """
        if not api_key.fits_header:
            # httpx would refuse it too, but quote it in its error.
            raise RequestInvalid("The API key is missing or has characters no key has.")
        self._api_key = api_key
        self._timeout = timeout
        self._now = now
        self.deadline = DEADLINE_FACTOR * timeout

    def _options(self, *, keep_alive: float, most: int) -> dict[str, Any]:
        """Return how an httpx client is opened that sends the key."""
        options = connections(self._timeout, keep_alive=keep_alive, most=most)
        return {"auth": self._with_key, **options}

    def _with_key(self, request: httpx.Request) -> httpx.Request:
        """Add the key inside httpx, so that no other frame of ours holds its text."""
        request.headers["X-Api-Key"] = self._api_key.reveal()
        return request

    def _built(
        self, http: httpx.Client | httpx.AsyncClient, request: Request
    ) -> httpx.Request | RequestInvalid:
        try:
            return http.build_request(
                request.method,
                request.url,
                content=request.content(),
                headers=request.headers(),
            )
        except httpx.InvalidURL:
            return RequestInvalid("The address is too long or not valid.")

    def _failure(self, error: Exception, started: float) -> NotSent | OutcomeUnknown:
        """Tell what it means that no answer began."""
        if isinstance(error, NOTHING_LEFT):
            return NotSent(why_not_sent(error))
        # Also what httpx does not wrap: after a send, any surprise is "unknown".
        return OutcomeUnknown(self._why_unknown(error, started))

    def _answer(
        self, response: httpx.Response, content: bytes, fault: str | None
    ) -> Answer:
        return read_answer(
            status=response.status_code,
            headers=response.headers,
            content=content,
            fault=fault,
            secret=self._api_key,
            now=self._now(),
        )

    def _why_unknown(self, error: Exception, started: float) -> str:
        waited = time.monotonic() - started
        limit = self.deadline if waited >= self.deadline else self._timeout
        match error:
            case httpx.ReadTimeout() | TimeoutError():
                return f"No complete answer within {limit:g} s"
            case httpx.WriteTimeout():
                return f"The request could not be sent within {limit:g} s"
            case httpx.DecodingError():
                return "The answer could not be decoded"
            case httpx.TransportError():
                return "The connection was closed before the answer was complete"
        return f"The exchange failed unexpectedly ({type(error).__name__})"

    def _told(
        self, request: Request, outcome: Answer | AmpersandError, started: float
    ) -> Answer:
        """Log a line with the path alone, and return or raise the outcome.

        Call it outside any handler: an error raised while handling httpx's would refer
        to it, and through it to the headers with the key.
        """
        got = outcome.status if isinstance(outcome, Answer) else type(outcome).__name__
        fields = {
            "method": request.method,
            "path": redact(urlsplit(request.url).path, [self._api_key]),
            "status": got,
            "ms": round((time.monotonic() - started) * 1000),
        }
        logger.info("%(method)s %(path)s %(status)s %(ms)d ms", fields, extra=fields)
        if isinstance(outcome, AmpersandError):
            raise outcome
        return outcome


class Exchange(BaseExchange):
    """Sends requests, each at most once and over a connection of its own.

    What an answer to a write means is decided by that answer alone, and a server that
    is just closing an idle connection would make the outcome of a write unknown.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        timeout: float,
        now: Callable[[], datetime],
        transport: httpx.BaseTransport | None,
        resolve: Resolve | None,
    ) -> None:
        """Open a pool; `timeout` is in seconds for a single read or write."""
        super().__init__(api_key=api_key, timeout=timeout, now=now)
        self._http = httpx.Client(
            transport=transport,
            verify=trusted(),
            **self._options(keep_alive=0, most=CONNECTIONS),
        )
        keep_deadlines(self._http, resolve)

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def send(self, request: Request) -> Answer:
        """Send once and return the answer, whatever its status.

        An answer whose body broke off is returned with its `fault`.
        Raises: RequestInvalid, NotSent or OutcomeUnknown if no answer began.
        """
        started = time.monotonic()
        with deadline(self.deadline):
            outcome = self._attempt(request, started)
        return self._told(request, outcome, started)

    def _attempt(self, request: Request, started: float) -> Answer | AmpersandError:
        prepared = self._built(self._http, request)
        if isinstance(prepared, AmpersandError):
            return prepared
        try:
            response = self._http.send(prepared, stream=True)
        except Exception as error:
            return self._failure(error, started)
        content, fault = self._body_of(response, started)
        return self._answer(response, content, fault)

    def _body_of(
        self, response: httpx.Response, started: float
    ) -> tuple[bytes, str | None]:
        """Return as much of the body as came, and why there is not more of it."""
        content = bytearray()
        try:
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    return b"", TOO_LARGE
        except Exception as error:
            return bytes(content), self._why_unknown(error, started)
        finally:
            # What goes wrong while hanging up changes nothing about the answer.
            with suppress(Exception):
                response.close()
        return bytes(content), None


def why_not_sent(error: Exception) -> str:
    """Say in plain words why no connection was made."""
    match error:
        case httpx.ConnectTimeout():
            return f"No connection within {CONNECT_TIMEOUT:g} s"
        case httpx.PoolTimeout():
            return f"All connections were busy for {POOL_TIMEOUT:g} s"
        case httpx.ProxyError():
            return "The proxy refused to connect"
    for cause in _chain(error):
        match cause:
            case AddressRefused():
                return str(cause)
            case socket.gaierror():
                return "The host name could not be found"
            case ConnectionRefusedError():
                return "The connection was refused"
            case ssl.SSLCertVerificationError():
                return "The server's certificate could not be verified"
            case ssl.SSLError():
                return "No secure connection (TLS) could be made"
    return "No connection could be made"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
