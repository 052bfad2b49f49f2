"""The requests that are being answered: a job steps aside for them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 1.0
"""Seconds that a step of a job waits at most, so that it comes to its end."""


class Traffic:
    """Counts the requests under way.

    A thread that works on many rows would take half of Python from each of them, and
    more: who reads a large body gives Python away with every block, and waits for it.
    """

    def __init__(self) -> None:
        self._under_way = 0
        self._changed = threading.Condition()

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Count a request while the block runs."""
        with self._changed:
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def let_pass(self) -> None:
        """Wait until no request is under way, or for a moment."""
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, LONGEST)
