"""A console with a Chromium, as the browser tests have them, and Prism beside it."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

from tests.browser.conftest import (
    Console,
    chromium,
    make_console,
    open_page,
    playwright,
    prepared,
)

__all__ = ["chromium", "make_console", "open_page", "playwright", "prepared"]

HERE = Path(__file__).resolve().parent
PRISM = HERE / "node_modules" / ".bin" / "prism"
CONTRACT = HERE.parent / "contract" / "write-current.json"
# Seconds that nothing takes, however busy the machine is.
LONGEST = 120


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


@dataclass
class Prism:
    """A running Prism: its address, and all lines that it has printed."""

    url: str
    lines: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """What it found that is not as documented: its warnings and errors."""
        words = ("iolation", "warning", "error")
        return [line for line in self.lines if any(word in line for word in words)]


@contextmanager
def running_prism(kind: str, port: int, *more: str) -> Iterator[Prism]:
    """Run Prism as a mock or as a proxy; it serves without the `/v1` of the real API.

    All that it prints is read, so that it never waits for a reader.
    """
    command = [PRISM, kind, "-h", "127.0.0.1", "-p", str(port), CONTRACT, *more]
    prism = Prism(f"http://127.0.0.1:{port}")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        reader = Thread(target=prism.lines.extend, args=(process.stdout,))
        try:
            until = time.monotonic() + LONGEST
            for line in process.stdout:
                assert time.monotonic() < until, "Prism did not start."
                if "is listening" in line:
                    break
            reader.start()
            yield prism
        finally:
            process.terminate()
            process.wait()
            if reader.ident:
                reader.join()


@pytest.fixture(scope="module")
def prism() -> Iterator[str]:
    """Prism's mock of the write API."""
    with running_prism("mock", free_port()) as running:
        yield running.url


@dataclass
class Watched:
    """A console whose writes go through Prism to its sandbox."""

    console: Console
    prism: Prism


@pytest.fixture(scope="module")
def watched(make_console: Callable[..., Console]) -> Iterator[Watched]:  # noqa: F811
    """Such a console. What either side says that is not documented fails the write."""
    port = free_port()
    console = make_console(API_HOSTS=f"127.0.0.1:{port}")
    upstream = f"{console.sandbox_url}/v1"
    with running_prism("proxy", port, upstream, "--errors") as prism:
        yield Watched(console, prism)
