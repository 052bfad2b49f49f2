"""Shutdown: a process that is told to stop finishes or hands back what it holds.

After SIGTERM or Ctrl-C nothing new is begun. What is running gets a while to end by
itself. What is held after that is handed back, and the process ends.
"""

import logging
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from django.db import connections

log = logging.getLogger(__name__)

# How long what is running may go on, in seconds, and how long handing it back may take.
GRACE = 25.0
HANDING_BACK = 4.0

_held: dict[object, Callable[[], None]] = {}


@contextmanager
def holding(hand_back: Callable[[], None]) -> Iterator[None]:
    """Hold something while the block runs; `hand_back` gives it away if time is up.

    `hand_back` is called from another thread, and the block may just have ended: it
    changes rows only under the condition that they are still held.
    """
    key = object()
    _held[key] = hand_back
    try:
        yield
    finally:
        _held.pop(key, None)


def hand_back_all() -> None:
    """Hand back all that this process holds; one failure does not keep the others."""
    for hand_back in list(_held.values()):
        try:
            hand_back()
        except Exception:
            log.exception("Something could not be handed back; its lease will run out")
    connections.close_all()


class Stop:
    """Listens to SIGTERM and SIGINT while its block runs, in the main thread.

    A second signal changes nothing. `then` is called in the signal's handler, so it
    must do next to nothing. When the block has not ended `grace` seconds after the
    signal, what is held is handed back and the process ends.
    """

    SIGNALS = (signal.SIGTERM, signal.SIGINT)

    def __init__(
        self, *, grace: float = GRACE, then: Callable[[], None] = lambda: None
    ) -> None:
        self.grace = grace
        self.requested_at: float | None = None
        self._then = then
        self._has_ended = threading.Event()
        self._before: dict[signal.Signals, Any] = {}
        # Whoever waits for a signal waits to read this, and nobody ever does.
        self._told, self._tell = os.pipe()

    @property
    def requested(self) -> bool:
        """Whether this process was told to stop."""
        return self.requested_at is not None

    def __enter__(self) -> Self:
        for name in self.SIGNALS:
            self._before[name] = signal.signal(name, self._request)
        threading.Thread(target=self._insist, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for name, handler in self._before.items():
            signal.signal(name, handler)
        os.write(self._tell, b".")
        # From now on the thread closes the pipe.
        self._has_ended.set()

    def _request(self, *_: object) -> None:
        if self.requested_at is None:
            self.requested_at = time.monotonic()
            os.write(self._tell, b".")
        self._then()

    def wait(self, seconds: float, *, also: int | None = None) -> None:
        """Sleep, but no longer when told to stop.

        Nor when there is something to read from `also`, the number of an open file.
        """
        _wait_to_read(seconds, self._told, *([] if also is None else [also]))

    def _insist(self) -> None:
        """End the process when its time is up.

        A thread, and a pipe to wake it: a handler may neither wait nor take a lock.
        """
        _wait_to_read(None, self._told)
        if self._has_ended.wait(self.grace):
            os.close(self._told)
            os.close(self._tell)
            return
        log.warning("Told to stop, and not done yet: handing back what is held")
        handing = threading.Thread(target=hand_back_all, daemon=True)
        handing.start()
        handing.join(HANDING_BACK)
        if not self._has_ended.is_set():
            os._exit(handing.is_alive())


def _wait_to_read(seconds: float | None, *files: int) -> None:
    waiting = select.poll()
    for each in files:
        waiting.register(each, select.POLLIN)
    waiting.poll(None if seconds is None else seconds * 1000)
