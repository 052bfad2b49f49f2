"""An intermediary between console and Ampersand says an answer twice."""

import mmap
import os
import signal
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

import httpx

from tests.chaos.checks import ledger, violations
from tests.chaos.kills import work_again
from tests.chaos.plays import CREATE, PARTS, POLLS, Play, three
from tests.chaos.processes import done, forked
from tests.chaos.stage import Stage
from tests.chaos.tables import progress, say_violations, table
from tests.conftest import move_projects

# The second of three creates is refused: with the first one's answer it succeeded.
REFUSED = Play(
    "refused", three(lambda n: {"record": {"LastName": f"Berg {n}"}}), faults={2: "404"}
)


def run(stage: Stage, every: int) -> list[str]:
    """Repeat each answer of each play, or every n-th; print what became of it."""
    found: list[str] = []
    rows = []
    for play in (CREATE, REFUSED, PARTS, POLLS):
        row, wrong = _each_answer(stage, play, every)
        rows.append(row)
        found += wrong
    head = ("an answer comes twice", "answers", "ends", "violations")
    table(f"Repeated answers, {stage.database.name}", head, rows)
    say_violations(found)
    return found


def _each_answer(
    stage: Stage, play: Play, every: int
) -> tuple[list[object], list[str]]:
    found: list[str] = []
    ends: Counter[str] = Counter()
    with Repeater(stage.remote.url) as repeater:
        through = replace(play, prepare=lambda: (_go_by(repeater.url), play.prepare()))
        through.prepare_on(stage)
        _play(stage, through, repeater, 0)
        answers = range(1, repeater.answers + 1)[::every]
        for number in answers:
            progress(f"repeat, {play.name}", number, repeater.answers)
            end, wrong = _play(stage, through, repeater, number)
            ends[end] += 1
            found += [f"{play.name}, answer {number} twice: {each}" for each in wrong]
    told = "; ".join(f"{count} × {end}" for end, count in ends.most_common())
    return [play.name, len(answers), told, len(found)], found


def _play(
    stage: Stage, play: Play, repeater: "Repeater", number: int
) -> tuple[str, list[str]]:
    with repeater.serving(number):
        play.begin_on(stage)
        before = done(ledger)

        def work() -> tuple[str, list[str]]:
            work_again()
            states = Counter(ledger().states.values())
            words = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
            return words, violations(stage.remote.settled(), before)

        ended = forked(lambda _: work())
    return ended.result or ("stuck", [ended.error])


def _go_by(url: str) -> None:
    move_projects(write_url=f"{url}/v1", api_url=f"{url}/v1")


class Repeater:
    """The intermediary: it keeps connections open, and says one answer twice."""

    def __init__(self, remote: str) -> None:
        self._remote = remote
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        # Shared with the process that serves.
        self._count = mmap.mmap(-1, 4)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def __enter__(self) -> "Repeater":
        return self

    def __exit__(self, *error: object) -> None:
        self._listening.close()

    @property
    def answers(self) -> int:
        """How many answers were given since it last began to serve."""
        (count,) = struct.unpack("I", self._count[:4])
        return int(count)

    @contextmanager
    def serving(self, twice: int) -> Iterator[None]:
        """Serve in a process of its own; the `twice`-th answer from now comes twice."""
        self._count[:4] = struct.pack("I", 0)
        pid = os.fork()
        if pid == 0:
            try:
                self._serve(twice)
            finally:
                os._exit(0)
        yield
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def _serve(self, twice: int) -> None:
        lock = Lock()
        remote, count = self._remote, self._count

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in ("host", "connection", "content-length")
                }
                answer = httpx.request(
                    self.command,
                    f"{remote}{self.path}",
                    content=body,
                    headers=headers,
                    trust_env=False,
                    timeout=120,
                )
                with lock:
                    (number,) = struct.unpack("I", count[:4])
                    number += 1
                    count[:4] = struct.pack("I", number)
                whole = _as_sent(answer)
                self.wfile.write(whole * (2 if number == twice else 1))

            do_GET = do_POST = do_PATCH = do_PUT = handle_one_answer

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        server = _Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
        server.socket.close()
        server.socket = self._listening
        server.serve_forever()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that end with something unread."""


def _as_sent(answer: httpx.Response) -> bytes:
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"]
    lines += [f"Content-Type: {answer.headers.get('content-type', 'text/plain')}"]
    if after := answer.headers.get("retry-after"):
        lines += [f"Retry-After: {after}"]
    lines += [f"Content-Length: {len(answer.content)}", "", ""]
    return "\r\n".join(lines).encode() + answer.content
