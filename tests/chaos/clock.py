"""One clock for every process of the harness and for the sandbox; it can be turned."""

import mmap
import struct
import time
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection
from django.utils import timezone

from console.runtime import db_clock

# Shared with every process that is forked.
_page = mmap.mmap(-1, 8)


def install() -> None:
    """Have Django and the database tell this time. Call it before importing models."""
    timezone.now = now
    really = db_clock.now

    def database_now() -> datetime:
        told = really()
        is_ours = connection.vendor == "sqlite"
        return told if is_ours else told + timedelta(seconds=ahead())

    db_clock.now = database_now


def set_clients() -> None:
    """Have the clients of Ampersand keep to this clock, and never sleep."""
    from ampersand import AsyncReader, Client
    from console import clients

    async def sleep(seconds: float) -> None:
        turn(seconds)

    clients.Client = partial(Client, now=now, sleep=turn)
    clients.AsyncReader = partial(AsyncReader, now=now, sleep=sleep)


def ahead() -> float:
    """How many seconds the clock is ahead of the real one."""
    (offset,) = struct.unpack("d", _page[:8])
    return float(offset)


def turn(seconds: float) -> None:
    """Turn the clock ahead, or back, by so many seconds."""
    _page[:8] = struct.pack("d", ahead() + seconds)


def reset() -> None:
    """Tell the real time again."""
    _page[:8] = struct.pack("d", 0.0)


def seconds() -> float:
    """Seconds since the epoch."""
    return time.time() + ahead()


def now() -> datetime:
    """The moment, as `timezone.now` tells it."""
    return datetime.now(UTC) + timedelta(seconds=ahead())
