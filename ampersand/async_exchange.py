"""The same exchange for many questions at once, in one thread."""

import asyncio
import importlib.util
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import httpx

from ampersand.answers import Answer
from ampersand.errors import AmpersandError
from ampersand.exchange import (
    CONNECTIONS,
    LARGEST_ANSWER,
    TOO_LARGE,
    BaseExchange,
)
from ampersand.network import Resolve, go_where, trusted
from ampersand.schemas import Request
from ampersand.secrets import SecretStr

# httpcore looks for this package at every lock that it takes. Where there is none, the
# search through all directories costs as much as the rest of an exchange.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

# A read is tried again when its connection was just being closed, so connections may
# idle for longer here than where writes go.
KEEPALIVE = 30.0


class AsyncExchange(BaseExchange):
    """Sends reads concurrently over few connections, within one event loop.

    Each connection has a client of its own: the pool of httpcore looks through all its
    connections again and again, and with 20 that took longer than everything else. An
    answer that names nothing it could be told by gets a connection of its own.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        timeout: float,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None,
        resolve: Resolve | None,
    ) -> None:
        """Open a pool; `timeout` is in seconds for a single read or write."""
        super().__init__(api_key=api_key, timeout=timeout, now=now)
        options = self._options(keep_alive=KEEPALIVE, most=1)
        self._clients = [
            httpx.AsyncClient(transport=transport, verify=trusted(), **options)
            for _ in range(CONNECTIONS)
        ]
        once = self._options(keep_alive=0, most=CONNECTIONS)
        self._fresh = httpx.AsyncClient(transport=transport, verify=trusted(), **once)
        for client in (*self._clients, self._fresh):
            go_where(client, resolve)
        # The one used last comes first, so that no more are open than are needed.
        self._free: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for client in self._clients:
            self._free.put_nowait(client)

    async def close(self) -> None:
        """Close the connections."""
        for client in (*self._clients, self._fresh):
            await client.aclose()

    async def send(self, request: Request) -> Answer:
        """Send once and return the answer, exactly as `Exchange.send` does."""
        client = await self._free.get()
        started = time.monotonic()
        used = client if request.answer_has_id else self._fresh
        try:
            outcome = await self._attempt(used, request, started)
        finally:
            self._free.put_nowait(client)
        return self._told(request, outcome, started)

    async def _attempt(
        self, client: httpx.AsyncClient, request: Request, started: float
    ) -> Answer | AmpersandError:
        prepared = self._built(client, request)
        if isinstance(prepared, AmpersandError):
            return prepared
        try:
            async with asyncio.timeout(self.deadline):
                response = await client.send(prepared, stream=True)
        except Exception as error:
            return self._failure(error, started)
        content, fault = await self._body_of(response, started)
        return self._answer(response, content, fault)

    async def _body_of(
        self, response: httpx.Response, started: float
    ) -> tuple[bytes, str | None]:
        """Return as much of the body as came, and why there is not more of it."""
        content = bytearray()
        left = started + self.deadline - time.monotonic()
        try:
            async with asyncio.timeout(left):
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST_ANSWER:
                        return b"", TOO_LARGE
        except Exception as error:
            return bytes(content), self._why_unknown(error, started)
        finally:
            # What goes wrong while hanging up changes nothing about the answer.
            with suppress(Exception):
                await response.aclose()
        return bytes(content), None
