"""The SSRF guard: connections only to where an address that was typed may lead us."""

import ssl
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from ipaddress import ip_address
from typing import Any, Literal

import httpcore

from files.remote.addresses import (
    is_forbidden,
    is_private_host,
    leads_inside,
    parsed,
    resolved,
)
from files.shown import shown

Resolve = Callable[[str, int], Sequence[str]]
Code = Literal[
    "not-an-address",
    "forbidden",
    "private",
    "unreachable",
    "no-https",
    "certificate",
    "broken-answer",
    "another-part",
    "redirects",
    "step-down",
    "too-big",
    "packed",
]


class NotLooked(Exception):
    """Nothing could be found out; the text says why and what to do, for operators.

    `code` is the why for programs.
    """

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code


class Guard(httpcore.NetworkBackend):
    """Connects only to addresses that were checked, and only until a moment.

    `until` is a time of the monotonic clock. Addresses of private networks are refused
    unless `private_hosts` has the host with its port, as it is spelled; link-local and
    metadata ones always are.
    """

    def __init__(
        self,
        private_hosts: Collection[tuple[str, int]],
        resolve: Resolve | None = None,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:
        self.until = 0.0
        self._private_hosts = private_hosts
        self._resolve = resolve or resolved
        self._network = network or httpcore.SyncBackend()

    def left(self, error: type[Exception]) -> float:
        """Return the seconds until the end; raise `error` when it is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise error
        return left

    def check_host(self, host: str, port: int) -> None:
        """Raise NotLooked for what `host` spells, before any DNS is asked."""
        literal = parsed(host)
        if literal is not None and is_forbidden(literal):
            raise NotLooked(
                "forbidden",
                f"{shown(host)} is a local address; no file can be there. Check its "
                "spelling.",
            )
        if is_private_host(host) and (host, port) not in self._private_hosts:
            raise NotLooked(
                "private",
                f"{shown(host)} is a private address that Ampersand cannot reach. Host "
                "the file at a public URL.",
            )

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
        may_be_private = (host, port) in self._private_hosts
        addresses = [ip_address(text) for text in found]
        if not found or leads_inside(addresses, may_be_private=may_be_private):
            raise NotLooked("unreachable", unreachable(host))
        return found


def unreachable(host: str) -> str:
    """Return what is said where no answer came, whatever kept it away.

    In the same words, so that nobody learns by it which names and ports there are.
    """
    return (
        f"No answer from {shown(host)}: its name is unknown, it does not answer in "
        "time, or it is in a private network. Check its spelling, try again, or host "
        "the file at a public URL."
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
        "no-https", f"{shown(host)} does not answer over https. Check the URL."
    )
