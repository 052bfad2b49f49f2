"""Everything on one machine: web, workers, clock and sandbox under one supervisor."""

import ctypes
import json
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
from urllib.request import urlopen

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from console.connections.demo import (
    HOST,
    USER,
    given_password,
    make_demo,
    needs_password,
)
from console.settings import env
from console.variables import as_endpoint

# A process that dies this often within a minute is not worth another try.
MOST_DEATHS = 5
# A worker needs up to half a minute to finish or hand back what it holds.
STOP_SECONDS = 30


@dataclass
class Child:
    """One process that is kept running."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it in a session of its own.

        So Ctrl-C reaches the supervisor alone, and the children are stopped in order.
        """
        self.process = subprocess.Popen(  # nosec B603 # noqa: S603 - our own commands
            self.command,
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - no threads here
        )

    @property
    def is_dead(self) -> bool:
        """Whether it was started and has ended."""
        return self.process is not None and self.process.poll() is not None

    @property
    def exit_code(self) -> int | None:
        """What it ended with."""
        return self.process.returncode if self.process else None

    def stop(self, deadline: float) -> bool:
        """Wait until it ended; end it at `deadline`, and tell whether that was so."""
        if self.process is None:
            return False
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            return True
        return False


class Command(BaseCommand):
    """Migrate, make the demo workspace, start everything, and keep it running."""

    help = "Run web, workers, clock and sandbox on this machine; Ctrl-C stops all."

    def handle(self, *args: Any, **options: Any) -> None:
        port = env.number("PORT", default=8000, least=1, most=65_535)
        sandbox_port = env.number("SANDBOX_PORT", default=8900, least=1, most=65_535)
        _need_free("PORT", port)
        _need_free("SANDBOX_PORT", sandbox_port)
        _allow_sandbox(sandbox_port)
        # One that is not right ends this before anything is made.
        env.text("DEMO_PASSWORD", default="")
        call_command("migrate", verbosity=0)
        password = given_password()
        if not password and needs_password():
            password = secrets.token_urlsafe(9)
        self.stopping = threading.Event()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, lambda *_: self.stopping.set())
        children = _children(port, sandbox_port)
        try:
            for child in children:
                child.start()
            make_demo(password=password, port=sandbox_port)
            if self._is_ready(children, port):
                self._say(f"Ready: http://{HOST}:{port}/")
                self._say(_how_to_sign_in(password))
                self._say("Ctrl-C stops everything; the data stays.")
            self._keep_running(children)
        finally:
            self._stop(children)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _is_ready(self, children: list[Child], port: int) -> bool:
        """Wait until pages are answered and all has been seen alive.

        False when told to stop before that.
        """
        address = f"http://{HOST}:{port}/healthz"
        while not self.stopping.wait(0.1):
            self._restart_dead(children)
            try:
                with urlopen(address, timeout=2) as answer:  # nosec B310 # noqa: S310 - our own address
                    if json.load(answer)["worker"]["state"] != "missing":
                        return True
            except OSError:
                continue
        return False

    def _keep_running(self, children: list[Child]) -> None:
        while not self.stopping.wait(0.5):
            self._restart_dead(children)

    def _restart_dead(self, children: list[Child]) -> None:
        """Start again what died, unless it dies over and over."""
        for child in children:
            if child.is_dead:
                self._restart(child)

    def _restart(self, child: Child) -> None:
        now = time.monotonic()
        child.deaths = [at for at in child.deaths if now - at < 60] + [now]
        code = child.exit_code
        if len(child.deaths) >= MOST_DEATHS:
            raise CommandError(
                f"{child.name} ended {len(child.deaths)} times within a minute "
                f"(exit code {code}); stopping everything. Its last lines are above."
            )
        self._say(f"{child.name} ended (exit code {code}); starting it again")
        child.start()

    def _stop(self, children: list[Child]) -> None:
        """Stop all, with time to finish what they hold; then insist."""
        for child in children:
            if child.process is not None and not child.is_dead:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in children:
            if child.stop(deadline):
                self._say(f"{child.name} did not stop and was ended")
        self._say("Stopped.")


def _how_to_sign_in(password: str) -> str:
    """Say the password where it was set just now; else how to set another one."""
    if password:
        return f"Sign in as {USER} with the password {password}"
    return (
        f"Sign in as {USER} with the password that was said at the first start, or "
        "with the one chosen since.\n"
        f"Is it lost? Set another one: {sys.executable} manage.py changepassword {USER}"
    )


def _end_with_parent() -> None:
    """Have Linux end this process when its supervisor is killed.

    Otherwise the parts would run on with nobody to restart them.
    """
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)


def _allow_sandbox(port: int) -> None:
    """Let API keys go to our own sandbox, and files lie there: to no other port here.

    Both are set for this process and for those that it starts.
    """
    for name in ("API_HOSTS", "PRIVATE_HOSTS"):
        allowed = [*getattr(settings, name), (HOST, port)]
        setattr(settings, name, allowed)
        os.environ.pop(f"{name}_FILE", None)
        os.environ[name] = ",".join(map(as_endpoint, allowed))


def _need_free(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise CommandError(
                f"Port {port} is taken. Choose another one: make run {name}=…"
            ) from None


def _children(port: int, sandbox_port: int) -> list[Child]:
    python, data = sys.executable, settings.DATA_DIR
    manage = [python, str(settings.BASE_DIR / "manage.py")]
    sandbox = ["-m", "sandbox", "--port", str(sandbox_port)]
    config = "python:console.web.config"
    web = ["-m", "gunicorn", "--config", config, "--bind", f"{HOST}:{port}"]
    return [
        Child("sandbox", [python, *sandbox, "--state", str(data / "sandbox.sqlite3")]),
        # Two, so that a request that times out after a minute does not keep others.
        Child("worker (sending, 1)", [*manage, "worker", "--queue", "sending"]),
        Child("worker (sending, 2)", [*manage, "worker", "--queue", "sending"]),
        Child("worker (watching)", [*manage, "worker", "--queue", "watching"]),
        Child("worker (files)", [*manage, "worker", "--queue", "files"]),
        Child("clock", [*manage, "clock"]),
        Child("web", [python, *web]),
    ]
