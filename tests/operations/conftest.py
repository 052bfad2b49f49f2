"""Operations in every state, a clock that tests set, and a scripted Ampersand."""

import asyncio
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from console.models import Project
from console.runtime import db_clock
from operations.models import LogEntry, Operation
from tests.conftest import forget_clients, speak_over, stored_operation

State = Operation.State
NOON = datetime(2024, 3, 20, 12, 0, tzinfo=UTC)
_numbers = itertools.count(1)


class Clock:
    """What `timezone.now` tells while a test runs, and the database's clock."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **parts: float) -> None:
        self.now += timedelta(**parts)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    monkeypatch.setattr(db_clock, "now", clock)
    return clock


type Refusal = tuple[int, dict[str, Any], dict[str, str]]


class Remote:
    """Ampersand by script: set what it answers, read what it was asked.

    `statuses`, `refusals` and `hangs` are for single operations, by their remote id.
    """

    def __init__(self) -> None:
        self.status = "in_progress"
        self.statuses: dict[str, str] = {}
        self.result: str | None = None
        self.logs: list[Any] = []
        self.refusal: Refusal | None = None
        self.refusals: dict[str, Refusal] = {}
        self.logs_refusal: Refusal | None = None
        self.failure: Exception | None = None
        self.hangs: set[str] = set()
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        remote_id = path.removesuffix("/logs").rpartition("/")[2]
        self.asked.append(path)
        if self.failure:
            raise self.failure
        refusal = self.refusals.get(remote_id, self.refusal)
        is_log = path.endswith("/logs")
        if is_log and self.logs_refusal:
            refusal = self.logs_refusal
        if refusal:
            return httpx.Response(refusal[0], json=refusal[1], headers=refusal[2])
        status = self.statuses.get(remote_id, self.status)
        told = self.logs if is_log else self.operation(remote_id, status)
        return httpx.Response(200, json=told)

    async def later(self, request: httpx.Request) -> httpx.Response:
        """Answer a reader, unless this operation hangs."""
        if request.url.path.rpartition("/")[2] in self.hangs:
            await asyncio.sleep(60)
        return self(request)

    def operation(self, remote_id: str, status: str = "in_progress") -> dict[str, Any]:
        """Return what it says of an operation."""
        shown: dict[str, Any] = {
            "id": remote_id,
            "status": status,
            "actionType": "write",
            "metadata": {"objects": ["contact"]},
        }
        return shown if self.result is None else {**shown, "result": self.result}

    @property
    def times_asked(self) -> int:
        """How often it was asked about an operation (not its log)."""
        return sum(not path.endswith("/logs") for path in self.asked)


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    remote = Remote()
    transport = httpx.MockTransport(remote)
    speak_over(monkeypatch, transport, httpx.MockTransport(remote.later))
    yield remote
    forget_clients()


def entry(
    text: str, *, at: int = 0, severity: str = "INFO", **message: Any
) -> dict[str, Any]:
    """Return a log entry as Ampersand sends it, `at` seconds after noon."""
    moment = (NOON + timedelta(seconds=at)).isoformat()
    return {
        "timestamp": moment,
        "severity": severity,
        "message": {"msg": text, **message},
    }


def failed_rows(**kinds: Any) -> dict[str, str]:
    """Return the details that name failed rows, as JSON inside a string."""
    report = {"failureType": "Partial", "failedUpdates": {}, "failedCreates": {}}
    return {"failureDetails": json.dumps({**report, **kinds})}


def make_operation(project: Project, **values: Any) -> Operation:
    """Return a stored upsert in progress, accepted now, unless `values` differ."""
    now = timezone.now()
    number = next(_numbers)
    given: dict[str, Any] = {
        "project": project,
        "integration": project.integrations.first(),
        "action": "upsert",
        "object_name": "contact",
        "group_ref": "demo-group-id",
        "started_by_name": "olga",
        "state": State.IN_PROGRESS,
        "remote_id": f"remote-{number}",
        "rows_sent": 4,
        "created_at": now,
        "sent_at": now,
        "answered_at": now,
        "due_at": now,
        **values,
    }
    if given["state"] not in (*Operation.WATCHED, State.WAITING, State.SENDING):
        given["due_at"] = values.get("due_at")
    return stored_operation(**given)


def make_logs(operation: Operation, count: int, **values: Any) -> list[LogEntry]:
    """Return `count` stored log entries of `operation`."""
    return LogEntry.objects.bulk_create(
        LogEntry(
            **{
                "operation": operation,
                "sequence": number,
                "timestamp": NOON + timedelta(seconds=number),
                "severity": "INFO",
                "text": f"Line {number}.",
                "raw": {"message": f"Line {number}."},
                "fingerprint": f"print-{number}",
                **values,
            }
        )
        for number in range(1, count + 1)
    )


@pytest.fixture
def operation(project: Project) -> Operation:
    """An upsert of four rows in progress, due now."""
    return make_operation(project)


@pytest.fixture
def enqueued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[int], str]]:
    """The nudges given, as (operation ids, due_at)."""
    from operations import tasks

    nudges: list[tuple[list[int], str]] = []

    class Task:
        enqueue: Callable[..., None] = staticmethod(
            lambda pks, due_at: nudges.append((pks, due_at))
        )

    monkeypatch.setattr(tasks, "watch_operations", Task)
    return nudges
