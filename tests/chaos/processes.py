"""Processes that are forked, do one thing, tell about it, and may be killed."""

import os
import pickle
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

LONGEST = 600.0


@dataclass(frozen=True)
class Ended:
    """How a process ended: what it returned, what it noted before, and its error."""

    result: Any
    note: Any
    error: str
    was_killed: bool


class Line:
    """The line on which a process tells its parent what it has to say."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def say(self, **words: Any) -> None:
        """Send words at once: they arrive even when the process is killed next."""
        message = pickle.dumps(words)
        os.write(self._descriptor, len(message).to_bytes(4) + message)


def forked(work: Callable[[Line], Any]) -> Ended:
    """Run `work` in a process of its own and wait for its end.

    What `work` returns must be picklable. It may call `line.say(note=…)` at any time.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _work(work, Line(writing))
    os.close(writing)
    words = _listen(reading, pid)
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    return Ended(
        result=words.get("result"),
        note=words.get("note"),
        error=words.get("error", ""),
        was_killed=os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL,
    )


def done(work: Callable[[], Any]) -> Any:
    """Run `work` in a process of its own; return its result or exit with its error."""
    ended = forked(lambda _: work())
    if ended.error or ended.was_killed:
        sys.exit(ended.error or "A process of the harness was killed.")
    return ended.result


def kill_myself() -> NoReturn:
    """End this process as `kill -9` does: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL did not end the process.")


def _work(work: Callable[[Line], Any], line: Line) -> NoReturn:
    from django.db import connections

    try:
        result = work(line)
        connections.close_all()
        line.say(result=result)
    except BaseException:
        line.say(error=traceback.format_exc())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _listen(descriptor: int, pid: int) -> dict[str, Any]:
    """Return all that a process said; one that takes too long is killed."""
    words: dict[str, Any] = {}
    data = b""
    deadline = time.monotonic() + LONGEST
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            os.kill(pid, signal.SIGKILL)
            return {**words, "error": f"It hung for {LONGEST:g} s."}
        piece = os.read(descriptor, 65536)
        if not piece:
            return words
        data += piece
        while len(data) >= 4 and len(data) >= (size := 4 + int.from_bytes(data[:4])):
            words |= pickle.loads(data[4:size])  # noqa: S301 - our own process
            data = data[size:]
