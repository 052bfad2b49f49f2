"""How far the work on a file is, for the page that waits for it."""

import time
from typing import Protocol

from console.runtime import db_clock
from writes.models import FileJob

# The row is written at most this often, in seconds; a lease outlasts many of these.
EVERY = 0.5


class Stopped(Exception):
    """The work is not wanted any more: something newer took its place."""


class TooLong(Exception):
    """The work takes longer than a page may wait: a worker shall do it."""


class Progress(Protocol):
    """What work on a file is told to report to."""

    def step(self, name: str, total_bytes: int) -> None: ...
    def need_worker(self) -> None: ...
    def __call__(self, done_bytes: int, done_rows: int) -> None: ...


class JobProgress:
    """Progress that is kept on the row of a job, whose lease it renews.

    With `seconds` of this thread's processor time it ends in `TooLong` after these.
    """

    def __init__(self, job: FileJob, seconds: float | None = None) -> None:
        self.job = job
        self.written_at = 0.0
        self._until = None if seconds is None else time.thread_time() + seconds

    def step(self, name: str, total_bytes: int) -> None:
        """Begin the next step. Raises `Stopped` and `TooLong`."""
        self._look_at_clock()
        self._write(step=name, total_bytes=total_bytes, done_bytes=0, done_rows=0)

    def need_worker(self) -> None:
        """Raise `TooLong` where a page waits: what comes speaks to other machines."""
        if self._until is not None:
            raise TooLong

    def __call__(self, done_bytes: int, done_rows: int) -> None:
        """Tell how far the step is. Raises `Stopped` and `TooLong`."""
        self._look_at_clock()
        if time.monotonic() - self.written_at < EVERY:
            return
        self._write(done_bytes=done_bytes, done_rows=done_rows)

    def _look_at_clock(self) -> None:
        if self._until is not None and time.thread_time() > self._until:
            raise TooLong

    def _write(self, **values: object) -> None:
        self.written_at = time.monotonic()
        due_at = db_clock.now() + FileJob.LEASE
        running = (FileJob.State.RUNNING,)
        if not self.job.change(only_from=running, due_at=due_at, **values):
            raise Stopped
