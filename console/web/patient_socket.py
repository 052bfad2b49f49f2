"""The connection to a client, with what came of it and what is still to go.

The worker's main loop fills and empties it without ever waiting. A thread waits only
for the rest of a large request, or where a streamed answer is far ahead of its reader,
and no longer than the pace allows.
"""

import errno
import os
import select
import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from console.web.pace import Pace

BLOCK = 64 * 1024
# So much of an answer is kept in memory before the thread that makes it has to wait.
MOST_UNSENT = 1024 * 1024
# More of it than this waits here and not in the kernel, which would take megabytes.
MOST_IN_KERNEL = 128 * 1024
# What one client gets before others have their turn.
TURN = 512 * 1024


@dataclass
class _Text:
    """Bytes that are to go."""

    data: memoryview

    def __len__(self) -> int:
        return len(self.data)

    def send(self, to: socket.socket, most: int) -> int:
        sent = socket.socket.send(to, self.data[:most])
        self.data = self.data[sent:]
        return sent

    def close(self) -> None:
        self.data.release()


@dataclass
class _PartOfFile:
    """A part of a file that is to go, by a descriptor of its own."""

    file: int
    offset: int
    size: int

    def __len__(self) -> int:
        return self.size

    def send(self, to: socket.socket, most: int) -> int:
        sent = os.sendfile(to.fileno(), self.file, self.offset, min(self.size, most))
        if not sent:
            raise _too_slow("The file became shorter while it was sent.")
        self.offset += sent
        self.size -= sent
        return sent

    def close(self) -> None:
        os.close(self.file)


class PatientSocket(socket.socket):
    """A socket that never blocks, whatever gunicorn asks it for."""

    def __init__(self, accepted: socket.socket) -> None:
        family = accepted.family
        kind = family, accepted.type, accepted.proto
        super().__init__(*kind, fileno=accepted.detach())
        super().setblocking(False)
        if family != socket.AF_UNIX and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            # Who does not read gets no further answers.
            option = socket.TCP_NOTSENT_LOWAT
            self.setsockopt(socket.IPPROTO_TCP, option, MOST_IN_KERNEL)
        self.pace = Pace()
        # What came and was not read yet.
        self.taken = bytearray()
        self._to_go: deque[_Text | _PartOfFile] = deque()
        self._unsent_text = 0

    def setblocking(self, flag: bool) -> None:
        """Stay as it is: gunicorn's threads would have it block."""

    def settimeout(self, value: float | None) -> None:
        """Stay as it is: the pace says how long to wait."""

    def take(self) -> bytes:
        """Receive what is there: b"" at the end. Raises BlockingIOError for nothing."""
        data = super().recv(BLOCK)
        self.pace.moved(len(data))
        return data

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what was taken; a thread waits for more."""
        if self.taken:
            data = bytes(self.taken[:size])
            del self.taken[:size]
            return data
        while True:
            try:
                data = super().recv(size)
            except BlockingIOError:
                self._wait(select.POLLIN)
                continue
            self.pace.moved(len(data))
            return data

    def send(self, data: Any, flags: int = 0) -> int:
        """Have all of it sent."""
        self.sendall(data)
        return len(data)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Have all of it sent; a thread waits where too much is to go already."""
        if data:
            self._to_go.append(_Text(memoryview(bytes(data))))
            self._unsent_text += len(data)
        self.flush()
        while self._unsent_text > MOST_UNSENT:
            self._wait(select.POLLOUT)
            self.flush()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Have a part of a file sent. It may be closed meanwhile."""
        if count is None:
            count = os.fstat(file.fileno()).st_size - offset
        self._to_go.append(_PartOfFile(os.dup(file.fileno()), offset, count))
        self.flush()
        return count

    def flush(self) -> bool:
        """Send what goes without waiting, a turn of it; tell whether all has gone."""
        turn = TURN
        while self._to_go and turn > 0:
            first = self._to_go[0]
            try:
                sent = first.send(self, turn)
            except BlockingIOError:
                return False
            turn -= sent
            self.pace.moved(sent)
            if isinstance(first, _Text):
                self._unsent_text -= sent
            if not len(first):
                self._to_go.popleft().close()
        return not self._to_go

    def _wait(self, event: int) -> None:
        began = time.monotonic()
        poll = select.poll()
        poll.register(self, event)
        ready = poll.poll(self.pace.longest * 1000)
        self.pace.waited(time.monotonic() - began)
        if not ready:
            raise _too_slow("The client was too slow.")

    def close(self) -> None:
        """Close it, with what was still to go."""
        while self._to_go:
            self._to_go.popleft().close()
        super().close()


def _too_slow(why: str) -> ConnectionResetError:
    """Return what ends a request as if the client had gone."""
    return ConnectionResetError(errno.ECONNRESET, why)
