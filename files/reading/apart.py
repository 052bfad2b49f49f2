"""Reading workbooks apart: in a child process that can fail without harm.

A workbook of a few hundred KB can be made so that reading it takes gigabytes or
minutes. So it is never read in the process that asks: a child does it, which is ended
when it takes more memory or processor time than a workbook may. Its end is told as
what it is, a fault of the file, unless it may be the system's.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from files.changes import Change
from files.findings import Finding
from files.mending import recipes
from files.mending.recipes import Recipe
from files.reading.archives import SAVE_AS, Unreadable
from files.reading.slices import slices_of
from files.reading.workbooks import Written

Progress = Callable[[int, int], None]

MIB = 2**20
# With the worker beside it (up to 80 MiB) this stays below 400.
MEMORY = 336 * MIB
# What an honest workbook takes, three times over: 1 s for a MiB, and the start.
SECONDS, SECONDS_A_MIB = 10, 4
# Of what is written, in bytes: no larger file could be uploaded.
LARGEST = 2**30
# Of what it answers: some thousand findings, each with its cell.
_LONGEST_ANSWER = 64 * MIB
_STEP = 1.0
_BLOCK = 2**16
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Looked:
    """What a ZIP archive is: `kind` is "xlsx" or a key of `kinds.REFUSALS`.

    `sheets` are those of a workbook by name, each with whether it is hidden; `refusal`
    says why it cannot be read.
    """

    kind: str
    sheets: tuple[tuple[str, bool], ...] = ()
    refusal: str = ""


class Killed(Exception):
    """The system ended the child, perhaps for want of memory: not the file's fault."""


def look(path: Path, *, progress: Progress | None = None) -> Looked:
    """Tell what is inside of a ZIP archive."""
    try:
        answer = _ask({"do": "look"}, path, progress)
    except Unreadable as error:
        return Looked("xlsx", refusal=str(error))
    sheets = tuple((name, is_hidden) for name, is_hidden in answer["sheets"])
    return Looked(answer["kind"], sheets, answer["refusal"])


def write_csv(
    path: Path,
    sheet: str,
    target: Path,
    *,
    begin: int,
    recipe: Recipe,
    progress: Progress | None = None,
) -> Written:
    """Do what `workbooks.write_csv` does. Nothing is at `target` if that fails."""
    task = {
        "do": "write",
        "sheet": sheet,
        "target": str(target),
        "begin": begin,
        "recipe": recipes.as_json(recipe),
    }
    try:
        answer = _ask(task, path, progress)
    except BaseException:
        for made in (target, slices_of(target)):
            made.unlink(missing_ok=True)
        raise
    return Written(
        changes=[Change(**change) for change in answer["changes"]],
        findings=[Finding(**finding) for finding in answer["findings"]],
        totals=Counter(answer["totals"]),
    )


def _ask(task: dict[str, Any], path: Path, progress: Progress | None) -> dict[str, Any]:
    """Return what a child answers. Raises Unreadable where the file is to blame.

    Raises Killed where the system may be.
    """
    seconds = SECONDS + SECONDS_A_MIB * (path.stat().st_size // MIB)
    task |= {
        "path": str(path.absolute()),
        "memory": MEMORY,
        "seconds": seconds,
        "largest": LARGEST,
    }
    with subprocess.Popen(  # nosec B603 # noqa: S603 - our own program
        [sys.executable, "-E", "-s", "-m", "files.reading.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=_ROOT,
        # Without our own: the child of a stranger's file shall know no secret.
        env={"PATH": os.defpath},
        start_new_session=True,
    ) as child:
        try:
            answer = _Answers(child, progress).last(json.dumps(task).encode())
        except BaseException:
            child.kill()
            raise
    return _judged(answer, child.returncode, seconds)


class _Answers:
    """Listens to a child until it ends."""

    def __init__(
        self, child: "subprocess.Popen[bytes]", progress: Progress | None
    ) -> None:
        self._child = child
        self._progress = progress or (lambda done, rows: None)
        self._done = 0, 0
        self._line = bytearray()

    def last(self, task: bytes) -> dict[str, Any]:
        """Give the child its task, and return the last that it says; {} if nothing."""
        assert self._child.stdin  # nosec B101 # noqa: S101 - it has pipes
        assert self._child.stdout  # nosec B101 # noqa: S101 - it has pipes
        try:
            with self._child.stdin as stdin:
                stdin.write(task)
        except BrokenPipeError:
            return {}
        answer: dict[str, Any] = {}
        with selectors.DefaultSelector() as selector:
            selector.register(self._child.stdout, selectors.EVENT_READ)
            while True:
                # Told also while nothing is said: a lease is renewed by it.
                self._progress(*self._done)
                if not selector.select(_STEP):
                    continue
                data = os.read(self._child.stdout.fileno(), _BLOCK)
                if not data:
                    return answer
                answer = self._heard(data) or answer

    def _heard(self, data: bytes) -> dict[str, Any]:
        """Return the answer that came, {} if there was none yet."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            said: dict[str, Any] = json.loads(bytes(self._line) + line)
            self._line.clear()
            if "progress" not in said:
                return said
            self._done = said["progress"][0], said["progress"][1]
        self._line += rest
        if len(self._line) > _LONGEST_ANSWER:
            raise Unreadable(f"{_TOO_MUCH} {SAVE_AS}")
        return {}


_TOO_MUCH = (
    "This Excel workbook has more errors than can be listed. Check that it is the "
    "right file."
)
_TOLD = "It was not read and is not tried again. Check that it is the right file."


def _judged(answer: dict[str, Any], code: int, seconds: int) -> dict[str, Any]:
    """Return an answer that is one. Raises what came instead of it."""
    if "unreadable" in answer:
        raise Unreadable(answer["unreadable"])
    if "os_error" in answer:
        raise OSError(*answer["os_error"])
    if "error" in answer:
        raise RuntimeError(f"A workbook could not be read: {answer['error']}")
    if answer and "memory" not in answer:
        return answer
    if -code == signal.SIGXCPU:
        raise Unreadable(
            f"Reading this Excel workbook takes more than {seconds} s of processor "
            f"time. {_TOLD} {SAVE_AS}"
        )
    # What cannot get memory in the middle of things ends itself.
    if "memory" in answer or -code == signal.SIGABRT:
        raise Unreadable(
            f"Reading this Excel workbook takes more than {MEMORY // MIB} MiB of "
            f"memory. {_TOLD} {SAVE_AS}"
        )
    if -code == signal.SIGKILL:
        # Not by us: whom we end, nobody asks any more.
        raise Killed
    raise Unreadable(
        f"Reading this Excel workbook ended the program that reads it. {_TOLD} "
        f"{SAVE_AS}"
    )
