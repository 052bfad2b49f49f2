"""The reader: asks about many operations at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx

from ampersand import operations
from ampersand.answers import Answer
from ampersand.async_exchange import AsyncExchange
from ampersand.building import base_url
from ampersand.client import API_URL
from ampersand.errors import AmpersandError
from ampersand.network import Resolve
from ampersand.retrying import LONGEST_PAUSE, READ_TRIES, pause_after
from ampersand.schemas import LogEntry, Operation, Request
from ampersand.secrets import SecretStr


class AsyncReader:
    """Reads what `Client` reads, by the same rules, and never writes.

    It belongs to the event loop that first uses it. Reads are tried three times with
    growing pauses, or those that the server asks for up to `longest_pause` seconds.

    Every method may raise the errors of `ampersand.errors`, and no others. No more
    than `CONNECTIONS` requests are under way at a time; others wait for their turn.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        api_url: str = API_URL,
        timeout: float = 60,
        longest_pause: float = LONGEST_PAUSE,
        resolve: Resolve | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open a reader; `timeout` is in seconds for a single wait.

        `resolve` is that of `Client`; `transport`, `sleep` and `now` exist for tests.

        Raises: RequestInvalid as `Client` does.
        """
        self._api_url = base_url(api_url)
        self._longest_pause = longest_pause
        self._sleep = sleep
        self._now = now
        self._exchange = AsyncExchange(
            api_key=api_key,
            timeout=timeout,
            now=now,
            transport=transport,
            resolve=resolve,
        )

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._exchange.close()

    async def get_operation(self, *, project: str, operation_id: str) -> Operation:
        """Ask for the state of an operation."""
        request = operations.get_operation(
            self._api_url, project=project, operation_id=operation_id
        )
        return await self._read(
            request, lambda answer: operations.read_operation(answer, operation_id)
        )

    async def list_operation_logs(
        self, *, project: str, operation_id: str
    ) -> tuple[LogEntry, ...]:
        """Ask for all log entries of an operation, in order of time."""
        request = operations.list_operation_logs(
            self._api_url, project=project, operation_id=operation_id
        )
        return await self._read(request, operations.read_operation_logs)

    async def _read[T](self, request: Request, read: Callable[[Answer], T]) -> T:
        """Ask until an answer can be read, or trying again makes no sense."""
        for attempt in range(1, READ_TRIES):
            try:
                return read(await self._exchange.send(request))
            except AmpersandError as error:
                pause = pause_after(
                    error, attempt, now=self._now(), longest=self._longest_pause
                )
                if pause is None:
                    raise
            await self._sleep(pause)
        return read(await self._exchange.send(request))
