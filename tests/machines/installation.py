"""An installation of several machines: processes of our own on one database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connections

from console.settings import env

ROOT = Path(__file__).resolve().parents[2]
# Far more than anything takes; who waits so long has found a fault.
LONGEST_WAIT = 120
_AS_SYSTEMD_DOES = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@dataclass
class Installation:
    """Web, workers, clocks and a sandbox that a test starts, kills and stops.

    The test speaks to the same database through the ORM.
    """

    data: Path
    database_url: str
    sandbox_url: str = ""
    sandbox_port: int = 0
    # Where the code lies that is started from now on.
    root: Path = ROOT
    variables: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    webs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ampersand: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What every process is told."""
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "DATABASE_URL": self.database_url,
            "DATA_DIR": str(self.data),
            "TASKS_BACKEND": "django_tasks_db.DatabaseBackend",
            # On a busy machine an answer takes its time.
            "SEND_TIMEOUT": "60",
            "API_HOSTS": f"127.0.0.1:{self.sandbox_port}",
            **self.variables,
        }

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start `python command…` as one more process."""
        return self.start_program(sys.executable, *command)

    def start_program(
        self, *command: str, pass_fds: Sequence[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start any program."""
        with (self.data / "log").open("a") as log:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        self.running.append(process)
        return process

    def manage(self, *command: str) -> subprocess.Popen[bytes]:
        """Start `manage.py command…`."""
        return self.start("manage.py", *command)

    def worker(self, queue: str, *options: str) -> subprocess.Popen[bytes]:
        """Start a worker for one queue."""
        return self.manage("worker", "--queue", queue, *options)

    def clock(self) -> subprocess.Popen[bytes]:
        """Start a clock that ticks a little faster than it does for real."""
        return self.manage("clock", "--interval", "0.5")

    def sandbox(self) -> None:
        """Start the one Ampersand that they all speak to."""
        port = self.sandbox_port = free_port()
        self.sandbox_url = f"http://127.0.0.1:{port}"
        self.ampersand = self.start(
            "-m", "sandbox", "--port", str(port), "--bulk-seconds", "0"
        )
        wait_until(lambda: answers(self.sandbox_url))

    def web(self) -> str:
        """Start a web process on a port of its own; return its address."""
        address = f"127.0.0.1:{free_port()}"
        config = ["--config", "python:console.web.config", "--workers", "1"]
        gunicorn = ["-m", "gunicorn", *config, "--bind", address]
        self.webs[f"http://{address}"] = self.start(*gunicorn)
        wait_until(lambda: answers(f"http://{address}/healthz"))
        return f"http://{address}"

    def start_behind(
        self, listener: socket.socket, *command: str
    ) -> subprocess.Popen[bytes]:
        """Start `python command…` with a socket that is held for it, as systemd does.

        Who asks meanwhile waits in it until somebody is there.
        """
        fd = listener.fileno()
        python = [sys.executable, "-c", _AS_SYSTEMD_DOES, str(fd)]
        return self.start_program(*python, *command, pass_fds=[fd])

    def received(self) -> list[dict[str, Any]]:
        """Return every write request that the sandbox has received."""
        answer = httpx.get(f"{self.sandbox_url}/sandbox/requests", timeout=LONGEST_WAIT)
        found: list[dict[str, Any]] = answer.json()
        return found

    def log(self) -> str:
        """Return all that the processes have printed."""
        return (self.data / "log").read_text()

    def end(self) -> None:
        """End every process that is left."""
        for process in self.running:
            process.kill()
        for process in self.running:
            process.wait()


def answers(url: str) -> bool:
    """Tell whether a page is answered."""
    try:
        return httpx.get(url, timeout=LONGEST_WAIT).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(holds: Callable[[], Any], *, seconds: float = LONGEST_WAIT) -> None:
    """Look again and again until `holds()`; fail when that takes far too long."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            pytest.fail("It never came about.", pytrace=True)
        time.sleep(0.05)


@contextmanager
def speaking_to(database_url: str) -> Iterator[None]:
    """Let the ORM of this test use another database than the tests' own."""
    before, made = connections["default"], connections.settings["default"]
    config = {"default": env.db_url_config(database_url)}
    if "sqlite" in config["default"]["ENGINE"]:
        config["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}
    connections.settings["default"] = connections.configure_settings(config)["default"]
    connections["default"] = connections.create_connection("default")
    try:
        yield
    finally:
        connections["default"].close()
        connections.settings["default"] = made
        connections["default"] = before
