"""200 slow connections of each kind to a real console: how long others wait meanwhile.

`SECONDS=60` holds each kind for a minute.
"""

import os
import re
import socket
import time
from contextlib import ExitStack, suppress

import httpx
import memory
import polling
import running
from figures import figure, finish

CONNECTIONS = 200
SECONDS = float(os.environ.get("SECONDS", "5"))
SOON = 2.0
BODY = b"POST /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
PAGE = "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def main() -> None:
    """Hold each kind, and print the longest wait of the others and the memory."""
    with running.console() as console:
        workers = console.web_workers()
        base = max(memory.resident(pid) for pid in workers)
        page = httpx.get(f"{console.url}/login/").text
        styles = re.findall(r'href="(/[^"]+[.]css)"', page)
        for name, (sent, drip) in {
            "none": (b"", b""),
            "head": (b"GET /healthz HTTP/1.1\r\n", b""),
            "body": (BODY + b"a", b""),
            "drip": (BODY, b"a"),
            "reader": ("".join(map(PAGE.format, styles)).encode() * 9, b""),
        }.items():
            healthz, sign_in = hold(console.url, sent, drip)
            figure(f"slow_{name}_healthz", healthz, "s", at_most=SOON)
            figure(f"slow_{name}_sign_in", sign_in, "s", at_most=SOON)
        peak = max(memory.peak(pid) for pid in workers)
        figure("slow_web_memory", peak - base, "MiB above base", at_most=100)
    finish()


def hold(url: str, sent: bytes, drip: bytes) -> tuple[float, float]:
    """Hold the connections; return the longest health page and sign-in meanwhile.

    Who is let go comes again.
    """
    healthz = sign_in = 0.0
    address = ("127.0.0.1", httpx.URL(url).port)
    with ExitStack() as stack:
        clients: dict[int, socket.socket] = {}
        stack.callback(lambda: [each.close() for each in clients.values()])
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            for number in range(CONNECTIONS if sent else 0):
                if not _goes_on(clients.get(number), drip):
                    clients[number] = _connect(address, sent)
            healthz = max(healthz, polling.took(lambda: httpx.get(f"{url}/healthz")))
            sign_in = max(sign_in, polling.took(lambda: polling.sign_in_at(url)))
            time.sleep(0.2)
    return healthz, sign_in


def _connect(address: tuple[str, int | None], sent: bytes) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    client.connect(address)
    client.setblocking(False)
    client.send(sent)
    return client


def _goes_on(client: socket.socket | None, drip: bytes) -> bool:
    """Send a byte more where that is how it is slow; tell whether it is still held."""
    if client is None:
        return False
    try:
        client.send(drip)
        with suppress(BlockingIOError):
            if not client.recv(1, socket.MSG_PEEK):
                client.close()
                return False
    except BlockingIOError:
        return True
    except OSError:
        client.close()
        return False
    return True


if __name__ == "__main__":
    main()
