"""Asking Ampersand about many operations at once; no database is touched here."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ampersand import (
    CONNECTIONS,
    AmpersandError,
    AsyncReader,
    NotSent,
    OutcomeUnknown,
)
from ampersand import LogEntry as RemoteEntry
from ampersand import Operation as RemoteOperation
from operations.display.problem import Problem

log = logging.getLogger(__name__)

# No question is begun after this many seconds; what is left has its turn soon again.
BEGIN_WITHIN = 10.0
# A question that has no answer by then is given up until its next turn.
CUT_AFTER = 30.0
# After so many queries in a row without any answer the others are not asked.
SILENT_LIMIT = 5


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is asked: `known` is the operation as Ampersand described it last."""

    pk: int
    project: str
    remote_id: str
    known: Any
    with_log: bool

    @property
    def reads(self) -> int:
        """How many requests it takes, unless there is news."""
        return 1 + self.with_log

    def needs_log(self, operation: RemoteOperation) -> bool:
        """Whether the log is asked for, now that the operation is known."""
        return self.with_log or operation.raw != self.known


@dataclass
class Fetched:
    """What one round of asking brought; None where an answer is missing."""

    operation: RemoteOperation | None = None
    entries: tuple[RemoteEntry, ...] | None = None
    problem: Problem | None = None


async def fetch_all(
    reader: AsyncReader, queries: Sequence[Query]
) -> dict[int, Fetched]:
    """Ask all `queries` of one project; return what came by the operation's number.

    It ends within CUT_AFTER. What was not begun in time, or not after several others
    had no answer, is missing from the result.
    """
    this = _Round(reader)
    tasks = [asyncio.create_task(this.ask(query)) for query in queries]
    _, late = await asyncio.wait(tasks, timeout=CUT_AFTER)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks)
    return this.news


class _Round:
    def __init__(self, reader: AsyncReader) -> None:
        self._reader = reader
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._begin_until = time.monotonic() + BEGIN_WITHIN
        self._silent = 0
        self.news: dict[int, Fetched] = {}

    async def ask(self, query: Query) -> None:
        async with self._free:
            if self._silent >= SILENT_LIMIT or time.monotonic() > self._begin_until:
                return
            news = self.news[query.pk] = Fetched()
            try:
                await self._fill(news, query)
            except AmpersandError as problem:
                news.problem = problem
            except asyncio.CancelledError:
                news.problem = OutcomeUnknown(
                    f"No complete answer within {CUT_AFTER:g} s"
                )
            except Exception:
                log.exception("Operation %s: asking went wrong", query.pk)
                news.problem = OutcomeUnknown(
                    "The console failed; its log has the cause"
                )
        is_silent = isinstance(news.problem, NotSent | OutcomeUnknown)
        self._silent = self._silent + 1 if is_silent else 0

    async def _fill(self, news: Fetched, query: Query) -> None:
        remote = {"project": query.project, "operation_id": query.remote_id}
        news.operation = await self._reader.get_operation(**remote)
        if query.needs_log(news.operation):
            news.entries = await self._reader.list_operation_logs(**remote)
