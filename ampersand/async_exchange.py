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
from ampersand.exchange import LARGEST_ANSWER, TOO_LARGE, BaseExchange
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
    """Sends reads concurrently over pooled connections, within one event loop."""

    def __init__(
        self,
        *,
        api_key: SecretStr,
        timeout: float,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        """Open a pool; `timeout` is in seconds for a single read or write."""
        super().__init__(api_key=api_key, timeout=timeout, now=now)
        self._http = httpx.AsyncClient(
            transport=transport, **self._options(keep_alive=KEEPALIVE)
        )

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._http.aclose()

    async def send(self, request: Request) -> Answer:
        """Send once and return the answer, exactly as `Exchange.send` does."""
        started = time.monotonic()
        outcome = await self._attempt(request, started)
        return self._told(request, outcome, started)

    async def _attempt(
        self, request: Request, started: float
    ) -> Answer | AmpersandError:
        prepared = self._built(self._http, request)
        if isinstance(prepared, AmpersandError):
            return prepared
        try:
            async with asyncio.timeout(self.deadline):
                response = await self._http.send(prepared, stream=True)
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
