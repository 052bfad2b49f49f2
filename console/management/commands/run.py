"""Everything on one machine: web, workers, clock and sandbox under one supervisor."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

HOST = "127.0.0.1"
# A process that dies this often within a minute is not worth another try.
MOST_DEATHS = 5
STOP_SECONDS = 20


@dataclass
class Child:
    """One process that is kept running."""

    name: str
    command: list[str]
    process: subprocess.Popen[str] | None = None
    deaths: list[float] = field(default_factory=list)


class Command(BaseCommand):
    """Migrate, make the demo workspace, start everything, and keep it running."""

    help = "Run web, workers, clock and sandbox on this machine; Ctrl-C stops all."

    def handle(self, *args: Any, **options: Any) -> None:
        port = _port("PORT", 8000)
        sandbox_port = _port("SANDBOX_PORT", 8900)
        password = os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(9)
        os.environ["DEMO_PASSWORD"] = password
        call_command("migrate", verbosity=0)
        call_command("demo")
        self.stopping = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: self.stopping.set())
        children = _children(port, sandbox_port)
        try:
            for child in children:
                self._start(child)
            self._wait_until_ready(children, port)
            self._say(
                f"Ready: http://{HOST}:{port}/  user operator, password {password}"
            )
            self._keep_running(children)
        finally:
            self._stop(children)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _start(self, child: Child) -> None:
        # A session of its own, so that Ctrl-C reaches this process alone and the
        # children are stopped in order.
        child.process = subprocess.Popen(  # noqa: S603 - our own commands
            child.command, cwd=settings.BASE_DIR, start_new_session=True, text=True
        )

    def _wait_until_ready(self, children: list[Child], port: int) -> None:
        from urllib.error import URLError
        from urllib.request import urlopen

        while not self.stopping.wait(0.1):
            if any(child.process.poll() is not None for child in children):
                return
            try:
                with urlopen(f"http://{HOST}:{port}/healthz", timeout=2):  # noqa: S310
                    return
            except (URLError, OSError):
                continue

    def _keep_running(self, children: list[Child]) -> None:
        """Start again what died, until told to stop or it dies over and over."""
        while not self.stopping.wait(0.5):
            for child in children:
                if child.process is None or child.process.poll() is None:
                    continue
                self._restart(child)

    def _restart(self, child: Child) -> None:
        now = time.monotonic()
        child.deaths = [at for at in child.deaths if now - at < 60] + [now]
        code = child.process.returncode if child.process else None
        if len(child.deaths) >= MOST_DEATHS:
            raise CommandError(
                f"{child.name} ended {len(child.deaths)} times within a minute "
                f"(exit code {code}); stopping everything. Its last lines are above."
            )
        self._say(f"{child.name} ended (exit code {code}); starting it again")
        self._start(child)

    def _stop(self, children: list[Child]) -> None:
        """Stop all, with time to finish what they hold; then insist."""
        running = [c for c in children if c.process and c.process.poll() is None]
        for child in running:
            child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in running:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{child.name} did not stop; ending it")
                child.process.kill()
        self._say("Stopped.")


def _port(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise CommandError(f"{name}={value} is not a port number.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(value)))
        except OSError:
            raise CommandError(
                f"Port {value} is taken. Choose another one: make run {name}=…"
            ) from None
    return int(value)


def _children(port: int, sandbox_port: int) -> list[Child]:
    python, data = sys.executable, settings.DATA_DIR
    manage = [python, str(settings.BASE_DIR / "manage.py")]
    sandbox = ["-m", "sandbox", "--port", str(sandbox_port)]
    web = ["-m", "gunicorn", "console.wsgi", "--bind", f"{HOST}:{port}"]
    web += ["--workers", "2", "--threads", "4", "--worker-class", "gthread"]
    web += ["--graceful-timeout", "15", "--log-level", "warning"]
    work = ["db_worker", "--interval", "0.2", "--no-startup-delay", "-v", "1"]
    return [
        Child("sandbox", [python, *sandbox, "--state", str(data / "sandbox.sqlite3")]),
        Child("worker (sending)", [*manage, *work, "--queue-name", "sending"]),
        Child("worker (watching)", [*manage, *work, "--queue-name", "watching"]),
        Child("clock", [*manage, "clock"]),
        Child("web", [python, *web]),
    ]
