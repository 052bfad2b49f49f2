"""Where connections may lead, and a deadline for a whole HTTP exchange.

Whoever opens a client may say to which addresses a host leads: then the connection goes
to those very ones, since asking DNS again may tell others.

httpx limits each single wait, so a server that sends one byte a minute can keep a
caller for months. Here every socket call of a thread gets the lesser of its own
time-out and what is left until the deadline.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpcore
import httpx

_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))

# Returns the addresses of a host and a port. Raises OSError, and UnicodeError.
Resolve = Callable[[str, int], Sequence[str]]

# Plain http goes straight to its host: a proxy on the way could read the key.
NO_PROXY_FOR_HTTP = {"http://": None}


class AddressRefused(OSError):
    """No connection may be made to a host; the text says why, for operators."""


# Small enough to look at the clock often during an upload of 10 MiB.
PIECE = 65_536


@cache
def trusted() -> ssl.SSLContext:
    """Return what decides which servers are trusted, read once by a process.

    It takes longer to read than a small request to answer, and every client needs it.
    """
    return httpx.create_ssl_context()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """End all network calls of this thread within `seconds` from now."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def keep_deadlines(client: httpx.Client, resolve: Resolve | None) -> None:
    """Make `client` obey `deadline`, also through proxies, and go where `resolve` says.

    A proxy is the installation's own: it is found as ever, and finds the host itself.
    httpx has no public way to hand a network backend to the pools it builds. Only
    its own transports are touched; a test's transport has no network to limit.
    """
    for transport in client._mounts.values():
        if isinstance(transport, httpx.HTTPTransport):
            transport._pool._network_backend = _Backend(None)
    if isinstance(client._transport, httpx.HTTPTransport):
        client._transport._pool._network_backend = _Backend(resolve)


def go_where(client: httpx.AsyncClient, resolve: Resolve | None) -> None:
    """Make `client` connect to the addresses that `resolve` gives, as above."""
    if resolve and isinstance(client._transport, httpx.AsyncHTTPTransport):
        client._transport._pool._network_backend = _AsyncBackend(resolve)


def _within(timeout: float | None, error: type[Exception]) -> float | None:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise error
    if timeout is None:
        return None if left == float("inf") else left
    return min(timeout, left)


def _addresses(resolve: Resolve | None, host: str, port: int) -> Sequence[str]:
    """Return what to connect to, the host itself where nobody looks it up first."""
    if resolve is None:
        return [host]
    try:
        return resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError from error


class _Backend(httpcore.SyncBackend):
    def __init__(self, resolve: Resolve | None) -> None:
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError()
        for address in _addresses(self._resolve, host, port):
            left = _within(timeout, httpcore.ConnectTimeout)
            try:
                stream = super().connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
                continue
            return _Stream(stream)
        raise failed


class _AsyncBackend(httpcore.AnyIOBackend):
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception = httpcore.ConnectError()
        # In a thread, as asyncio looks names up itself.
        found = await asyncio.to_thread(_addresses, self._resolve, host, port)
        for address in found:
            try:
                return await super().connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            left = _within(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + PIECE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _within(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
