"""What reads a workbook: a process of its own, with little memory and time.

It gets one task as JSON, and answers in lines of JSON: how far it is, and at last what
came of it. It knows no secret and no database. `files.reading.apart` starts it.
"""

import json
import resource
import signal
import sys
import time
import traceback
from dataclasses import asdict
from errno import EFBIG
from pathlib import Path
from typing import Any

from files.mending import recipes
from files.mending.still_there import still_there
from files.reading import workbooks
from files.reading.archives import SAVE_AS, Unreadable, kind_of

# How often it tells how far it is, in seconds.
_EVERY = 0.2
_LONGEST_TRACE = 4_000
_TOO_LARGE = f"The sheet comes to more than 1 GiB as CSV. Send it in pieces. {SAVE_AS}"


def main() -> None:
    """Do the task on stdin."""
    # Its parent ends it; a signal to the whole group is for the parent to act on.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    task = json.load(sys.stdin)
    _limit(task)
    try:
        answer = _WORK[task["do"]](task)
    except Unreadable as error:
        answer = {"unreadable": str(error)}
    except MemoryError:
        answer = {"memory": True}
    except OSError as error:
        answer = {"os_error": [error.errno, error.strerror]}
        if error.errno == EFBIG:
            answer = {"unreadable": _TOO_LARGE}
    except Exception:
        answer = {"error": traceback.format_exc()[-_LONGEST_TRACE:]}
    _say(answer)


def _limit(task: dict[str, Any]) -> None:
    """Take no more than the task allows; the soft limit of time ends the process."""
    for what, least, most in (
        (resource.RLIMIT_AS, task["memory"], task["memory"]),
        (resource.RLIMIT_CPU, task["seconds"], task["seconds"] + 5),
        (resource.RLIMIT_FSIZE, task["largest"], task["largest"]),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(what, (least, most))


def _look(task: dict[str, Any]) -> dict[str, Any]:
    path = Path(task["path"])
    kind = kind_of(path)
    if kind != "xlsx":
        return {"kind": kind, "sheets": [], "refusal": ""}
    try:
        found = workbooks.sheets(path)
    except Unreadable as error:
        return {"kind": kind, "sheets": [], "refusal": str(error)}
    sheets = [[sheet.name, sheet.is_hidden] for sheet in found]
    return {"kind": kind, "sheets": sheets, "refusal": ""}


def _write(task: dict[str, Any]) -> dict[str, Any]:
    written = workbooks.write_csv(
        Path(task["path"]),
        task["sheet"],
        Path(task["target"]),
        begin=task["begin"],
        progress=_Progress(),
        is_there=still_there(recipes.from_json(task["recipe"])),
    )
    return {
        "changes": [asdict(change) for change in written.changes],
        "findings": [finding._asdict() for finding in written.findings],
        "totals": written.totals,
    }


_WORK = {"look": _look, "write": _write}


class _Progress:
    """Says how far the work is, now and then."""

    def __init__(self) -> None:
        self._said_at = 0.0

    def __call__(self, done: int, rows: int) -> None:
        now = time.monotonic()
        if now - self._said_at >= _EVERY:
            self._said_at = now
            _say({"progress": [done, rows]})


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - this is how it answers


if __name__ == "__main__":
    main()
