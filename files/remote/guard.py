"""The SSRF guard: connections only to where an address that was typed may lead us."""

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Any, Literal

import httpcore

from files.remote.addresses import (
    Address,
    is_forbidden,
    is_private,
    is_private_host,
    parsed,
)
from files.shown import shown

Resolve = Callable[[str, int], Sequence[str]]
Code = Literal[
    "not-an-address",
    "unknown-name",
    "forbidden",
    "private",
    "no-connection",
    "no-https",
    "certificate",
    "too-slow",
    "broken-answer",
    "another-part",
    "redirects",
    "step-down",
]


class NotLooked(Exception):
    """Nothing could be found out; the text says why and what to do, for operators.

    `code` is the why for programs.
    """

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code


def resolved(host: str, port: int) -> list[str]:
    """Return what the system's resolver says. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[4][0]) for where in found))


class Guard(httpcore.NetworkBackend):
    """Connects only to addresses that were checked, and only until a moment.

    `until` is a time of the monotonic clock. Addresses of private networks are refused
    unless `allow_private`; link-local and metadata ones always are.
    """

    def __init__(
        self,
        allow_private: bool,
        resolve: Resolve | None = None,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:
        self.until = 0.0
        self._allow_private = allow_private
        self._resolve = resolve or resolved
        self._network = network or httpcore.SyncBackend()

    def left(self, error: type[Exception]) -> float:
        """Return the seconds until the end; raise `error` when it is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise error
        return left

    def check_host(self, host: str) -> None:
        """Raise NotLooked for what `host` spells, before any DNS is asked."""
        literal = parsed(host)
        if literal is not None:
            self._check(host, [literal])
        elif not self._allow_private and is_private_host(host):
            raise _private(host)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        # The very addresses that were checked: asking DNS again may tell others.
        failed: Exception = httpcore.ConnectError()
        for address in self._checked(host, port):
            left = self.left(httpcore.ConnectTimeout)
            try:
                stream = self._network.connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
                continue
            return _Stream(stream, self)
        raise failed

    def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise NotLooked(
                "unknown-name",
                f"No address is known for {shown(host)}. Check its spelling.",
            )
        self._check(host, [ip_address(text) for text in found])
        return found

    def _check(self, host: str, addresses: list[Address]) -> None:
        # One bad address among good ones is how a name is made to lead inside.
        if any(is_forbidden(address) for address in addresses):
            raise NotLooked(
                "forbidden",
                f"{shown(host)} leads to an address that machines use for themselves; "
                "no file can be there. Check its spelling.",
            )
        if not self._allow_private and any(is_private(each) for each in addresses):
            raise _private(host)


def _private(host: str) -> NotLooked:
    return NotLooked(
        "private",
        f"{shown(host)} leads to an address that only its own network reaches, so "
        "Ampersand cannot fetch from it. Put the file where it is public.",
    )


class _Stream(httpcore.NetworkStream):
    """A connection on which no wait is longer than what is left."""

    def __init__(self, stream: httpcore.NetworkStream, guard: Guard) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._guard.left(httpcore.ConnectTimeout)
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, left)
        except httpcore.ConnectError as error:
            # Here, since the pool takes the cause away.
            raise _not_secure(server_hostname or "", error.__cause__) from None
        return _Stream(stream, self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _not_secure(host: str, cause: BaseException | None) -> NotLooked:
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message.rstrip(".")
        return NotLooked(
            "certificate",
            f"The certificate of {shown(host)} is not valid: {why}. Ampersand would "
            "refuse it too; its owner must renew it.",
        )
    return NotLooked(
        "no-https", f"{shown(host)} does not speak https there. Check the address."
    )
