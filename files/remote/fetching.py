"""Fetching a whole file from an address, under the same guard as looking at it."""

import time
from collections.abc import Callable, Collection
from pathlib import Path

import httpcore

from files.remote.asking import Visit
from files.remote.guard import Guard, NotLooked
from files.remote.judging import is_ok, status_text

Progress = Callable[[int, int], None]

# Seconds: for the whole of it, and without a single byte.
LONGEST, PATIENCE = 900, 30


def fetch(
    url: str,
    target: Path,
    *,
    largest: int,
    private_hosts: Collection[tuple[str, int]],
    progress: Progress,
    need_room: Callable[[int], None],
    network: httpcore.NetworkBackend | None = None,
) -> None:
    """Write the file at `url` to `target`, `largest` bytes at most.

    `progress` is told the bytes so far, `need_room` how many come next, before they are
    written; what they raise ends it. Nothing of ours goes along, and each connection
    and redirect is checked as by `looking.look`. `network` exists for tests.

    Raises: NotLooked where the file does not come, or only a part of it.
    """
    guard = Guard(private_hosts, None, network)
    sink = _Sink(guard, target, largest, progress, need_room)
    guard.until = time.monotonic() + PATIENCE
    with httpcore.ConnectionPool(
        max_keepalive_connections=0, network_backend=guard
    ) as pool:
        answer = Visit(pool, guard, sink.take).ask("GET", url, {})
    if not is_ok(answer.status):
        said = status_text(answer.status)
        raise NotLooked("unreachable", f"The URL answers {said} instead of the file.")


class _Sink:
    """Takes the body of the answer that brings the file."""

    def __init__(
        self,
        guard: Guard,
        target: Path,
        largest: int,
        progress: Progress,
        need_room: Callable[[int], None],
    ) -> None:
        self._guard = guard
        self._target = target
        self._largest = largest
        self._progress = progress
        self._need_room = need_room
        self._end = time.monotonic() + LONGEST

    def take(self, response: httpcore.Response) -> bytes:
        """Write the body, unless it is the one of a redirect or a refusal."""
        if response.status != 200:
            return b""
        _need_plain(response)
        size = 0
        with self._target.open("wb") as file:
            for piece in response.iter_stream():
                size += len(piece)
                if size > self._largest:
                    raise NotLooked(
                        "too-big",
                        f"The file has more than {self._largest:,} bytes. Split it.",
                    )
                self._need_room(len(piece))
                file.write(piece)
                self._progress(size, 0)
                self._guard.until = min(self._end, time.monotonic() + PATIENCE)
        return b""


def _need_plain(response: httpcore.Response) -> None:
    """Raise NotLooked for a body that is packed, though it was asked for plainly."""
    packing = [v for n, v in response.headers if n.lower() == b"content-encoding"]
    if any(value.strip().lower() not in (b"", b"identity") for value in packing):
        raise NotLooked(
            "packed",
            "The file comes packed, although it was asked for plainly. Download it "
            "with a browser and upload it here.",
        )
