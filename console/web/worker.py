"""gunicorn's threaded worker, where slow clients cost a connection and no thread.

The main loop receives: a thread gets a request when all of it is there, or as much of a
large one as any page but an upload takes. The main loop also sends what an answer has
left when its thread is done, and waits for the client to close. Who is too slow for
`console.web.pace` is let go. So half-sent headers and bodies, and answers that nobody
fetches, keep nobody else waiting.

A request of more than `SMALL_BODY` bytes is read by its thread, since only its view
knows whether it may be stored. Half of the threads do that at most.
"""

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.body import ChunkedReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from console.web.limits import SMALL_BODY
from console.web.pace import Pace
from console.web.patient_socket import BLOCK, PatientSocket

MOST_HEAD = 32 * 1024
END_OF_HEAD = b"\r\n\r\n"
# What one worker process keeps in memory of requests. A form has some KiB.
MOST_TAKEN = 64 * 1024 * 1024
# A large request waits so long for others to end.
LARGE_WAITS = 30.0

_TOO_LATE = "408 Request Timeout", "The request took too long."
_TOO_LONG = "431 Request Header Fields Too Large", "The head is too long."
_NO_LENGTH = "411 Length Required", "The request does not say how long it is."
_BUSY = "503 Service Unavailable", "Others are uploading. Try again in a minute."


class Connection(TConn):  # type: ignore[misc]
    """A connection, and where it is with its request."""

    sock: PatientSocket
    # What the main loop does when it can be read or written; none of it while a thread
    # has it.
    step: Callable[["Connection"], None] | None = None
    since = until = 0.0
    # Bytes of the request that a thread needs before it begins; 0: not known yet.
    needed = 0
    looked_at = 0
    is_large = False
    keeps = False
    # What it counts for of MOST_TAKEN.
    taken = 0

    def begin(self) -> None:
        """Be ready for the next request."""
        self.needed = self.looked_at = 0
        self.is_large = self.keeps = False


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """See the module. It knows plain HTTP/1 alone: TLS is for the proxy before it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Those that no thread has, in the order in which they began what they do.
        self.watched: dict[Connection, None] = {}
        self.taken = 0
        self.large_running = 0
        self.large_waiting: deque[Connection] = deque()
        self.next_look = 0.0
        self.latest = float("inf")

    # --- Connections come and go ---------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        """Take a connection. It costs no thread before it has said what it wants."""
        try:
            accepted, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            # Another process took it, or it is gone already.
            return
        except OSError:
            # There are too many open files.
            self._make_room()
            return
        self.nr_conns += 1
        own = listener.getsockname()
        conn = Connection(self.cfg, PatientSocket(accepted), address, own)
        conn.init()
        self._watch(conn, self._read, selectors.EVENT_READ)
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def _make_room(self) -> None:
        """Let the one go that has not said for longest what it wants."""
        reading = (conn for conn in self.watched if conn.step == self._read)
        oldest = next(reading, next(iter(self.watched), None))
        if oldest is not None:
            self._forget(oldest)

    def _forget(self, conn: Connection) -> None:
        self._unwatch(conn)
        self._let_go_of_taken(conn)
        self.nr_conns -= 1
        conn.close()

    def _watch(
        self,
        conn: Connection,
        step: Callable[[Connection], None],
        events: int,
        pace: Pace | None = None,
    ) -> None:
        conn.sock.pace = pace or Pace()
        conn.step, conn.since = step, time.monotonic()
        self.watched[conn] = None
        self._set_until(conn)
        if events:
            self.poller.register(conn.sock, events, partial(self._go_on, conn))

    def _set_until(self, conn: Connection) -> None:
        conn.until = conn.since + conn.sock.pace.longest
        if conn.step == self._wait_its_turn:
            conn.until = conn.since + LARGE_WAITS
        elif conn.step != self._write:
            conn.until = min(conn.until, self.latest)

    def _unwatch(self, conn: Connection) -> None:
        if conn in self.watched and conn.step != self._wait_its_turn:
            self.poller.unregister(conn.sock)
        self.watched.pop(conn, None)
        conn.step = None

    def _go_on(self, conn: Connection, _: Any) -> None:
        """Do what can be done now without waiting."""
        if conn.step is None:
            # Let go just before, by an event of the same moment.
            return
        now = time.monotonic()
        conn.sock.pace.waited(now - conn.since)
        conn.since = now
        try:
            conn.step(conn)
        except BlockingIOError:
            pass
        except OSError:
            # The client went.
            self._forget(conn)
            return
        if conn.step is not None:
            self._set_until(conn)

    def murder_pending(self) -> None:
        """Let those go that were too slow. The main loop calls it all the time."""
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + 1
        for conn in [each for each in self.watched if each.until < now]:
            if conn.step == self._wait_its_turn:
                self.large_waiting.remove(conn)
                self._unwatch(conn)
                self._refuse(conn, *_BUSY)
            elif conn.step == self._read and conn.sock.taken:
                self._unwatch(conn)
                self._refuse(conn, *_TOO_LATE)
            else:
                self._forget(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Give who has not sent a whole request until then: the worker stops."""
        self.latest = deadline
        for conn in self.watched:
            self._set_until(conn)

    # --- A request comes --------------------------------------------------------------

    def _read(self, conn: Connection) -> None:
        if not conn.sock.taken:
            # It was idle until now.
            conn.sock.pace = Pace()
        data = conn.sock.take()
        if not data:
            self._forget(conn)
            return
        conn.sock.taken += data
        conn.taken += len(data)
        self.taken += len(data)
        self._look(conn)
        if self.taken > MOST_TAKEN:
            reading = [each for each in self.watched if each.step == self._read]
            if reading:
                self._forget(max(reading, key=lambda each: each.taken))

    def _look(self, conn: Connection) -> None:
        """Give the request to a thread when enough of it is there."""
        taken = conn.sock.taken
        if not conn.needed:
            end = taken.find(END_OF_HEAD, max(0, conn.looked_at - len(END_OF_HEAD)))
            conn.looked_at = len(taken)
            if end >= 0:
                self._read_head(conn, end + len(END_OF_HEAD))
            elif len(taken) > MOST_HEAD:
                self._unwatch(conn)
                self._refuse(conn, *_TOO_LONG)
        if conn.step is not None and conn.needed and len(taken) >= conn.needed:
            self._unwatch(conn)
            self._give_to_thread(conn)

    def _read_head(self, conn: Connection, size: int) -> None:
        """Find out how much of the request a thread needs, as gunicorn reads it."""
        conn.needed = size
        try:
            request = next(get_parser(self.cfg, [conn.sock.taken[:size]], conn.client))
        except Exception:  # noqa: BLE001 - the thread says what is wrong with it
            return
        if isinstance(request.body.reader, ChunkedReader):
            # Only a length tells early what is too large, and browsers say it.
            self._unwatch(conn)
            self._refuse(conn, *_NO_LENGTH)
            return
        length = request.body.reader.length
        conn.is_large = length > SMALL_BODY
        conn.needed += min(length, SMALL_BODY)
        if request._expected_100_continue:
            conn.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _give_to_thread(self, conn: Connection) -> None:
        if not conn.is_large:
            self.enqueue_req(conn)
        elif self.large_running < max(1, self.cfg.threads // 2):
            self.large_running += 1
            conn.sock.pace = Pace()
            self.enqueue_req(conn)
        else:
            self.large_waiting.append(conn)
            self._watch(conn, self._wait_its_turn, 0)

    def _wait_its_turn(self, conn: Connection) -> None:
        """Do nothing: it is not in the poller."""

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Answer a request, in a thread."""
        # That was said when it was waited for.
        req._expected_100_continue = False
        if conn.is_large:
            # The rest of its body may still come, and is not waited for here.
            req.force_close()
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Read past what the page left of the body: all of it is here."""
        while keepalive and conn.parser.mesg.body.read(BLOCK):
            pass
        return keepalive

    # --- An answer goes ---------------------------------------------------------------

    def finish_request(self, conn: Connection, fs: "Future[bool]") -> None:
        """Send what is left of the answer; a thread is done with the request."""
        self._let_go_of_taken(conn)
        if conn.is_large:
            self.large_running -= 1
            conn.sock.taken.clear()
            if self.large_waiting:
                following = self.large_waiting.popleft()
                self._unwatch(following)
                self._give_to_thread(following)
        has_failed = fs.cancelled() or fs.exception() is not None
        conn.keeps = not has_failed and fs.result() is True
        self._answer(conn)

    def _let_go_of_taken(self, conn: Connection) -> None:
        self.taken -= conn.taken
        conn.taken = 0

    def _refuse(self, conn: Connection, status: str, why: str) -> None:
        """Answer a request that no thread gets."""
        self._let_go_of_taken(conn)
        conn.keeps = False
        text = f"Nothing was changed. {why}\n"
        try:
            conn.sock.sendall(
                f"HTTP/1.1 {status}\r\nConnection: close\r\nRetry-After: 60\r\n"
                f"Content-Type: text/plain\r\nContent-Length: {len(text)}\r\n\r\n"
                f"{text}".encode()
            )
        except OSError:
            self._forget(conn)
            return
        conn.sock.taken.clear()
        self._answer(conn)

    def _answer(self, conn: Connection) -> None:
        try:
            if conn.sock.flush():
                self._go_on_after_answer(conn)
            else:
                self._watch(conn, self._write, selectors.EVENT_WRITE)
        except (OSError, ValueError):
            # The client went, or the thread closed it over a mistake.
            self._forget(conn)

    def _write(self, conn: Connection) -> None:
        if conn.sock.flush():
            self._unwatch(conn)
            self._go_on_after_answer(conn)

    def _go_on_after_answer(self, conn: Connection) -> None:
        if not conn.keeps:
            # Closed at once, what it still sends would make it lose the answer.
            conn.sock.shutdown(socket.SHUT_WR)
            self._watch(conn, self._drain, selectors.EVENT_READ)
            return
        conn.begin()
        conn.sock.taken[:0] = conn.parser.unreader.take_buffered()
        idle = Pace(self.cfg.keepalive)
        self._watch(conn, self._read, selectors.EVENT_READ, idle)
        conn.taken = len(conn.sock.taken)
        self.taken += conn.taken
        if conn.taken:
            self._look(conn)

    def _drain(self, conn: Connection) -> None:
        if not conn.sock.take():
            self._forget(conn)
