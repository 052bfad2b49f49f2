"""The web server as `make run` and every installation start it, and raw connections."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
NAME = "olga"
# Less than the server's patience with anybody: whoever is answered within it has not
# waited for a slow client.
SOON = 8

_PEOPLE = """
import django
django.setup()
from django.db import connection
from tests.migrated import fill
connection.ensure_connection()
fill(connection.connection)
from console.access.roles import Role
from tests.conftest import make_project, make_user
make_user("olga", Role.OPERATOR)
make_user("anna", Role.ADMIN)
make_project()
"""


@dataclass
class Server:
    """A running web server: where it listens, where its data lies, its process."""

    port: int
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self, sent: bytes = b"", *, window: int = 0) -> socket.socket:
        """Open a connection and send some bytes; `window` keeps its answer waiting."""
        client = socket.socket()
        if window:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        client.settimeout(30)
        client.connect(("127.0.0.1", self.port))
        client.sendall(sent)
        return client

    def browser(self) -> httpx.Client:
        """Return a browser that nobody has signed in with."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=SOON)

    def signed_in(self, name: str = NAME) -> httpx.Client:
        """Return a browser that somebody has signed in with."""
        browser = self.browser()
        try:
            token = hidden(browser.get("/login/").text)
            who = {"username": name, "password": name, "csrfmiddlewaretoken": token}
            answer = browser.post("/login/", data=who)
            assert answer.status_code == 302, answer.text
        except BaseException:
            browser.close()
            raise
        return browser

    def answers_others(self) -> bool:
        """Tell whether the health page and a sign-in are answered now."""
        try:
            with self.browser() as browser:
                is_alive = browser.get("/healthz").is_success
            self.signed_in().close()
        except httpx.TransportError:
            return False
        return is_alive


def hidden(page: str, name: str = "csrfmiddlewaretoken") -> str:
    """Return the value of a hidden field of a page."""
    found = re.search(rf'name="{name}"[^>]*value="([^"]+)"', page)
    assert found, page
    return found[1]


@contextmanager
def serving(data: Path, **variables: str) -> Iterator[Server]:
    """Run the console's web server on a database of its own; end it afterwards.

    It starts with the most careless umask.
    """
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.security.web_settings",
        "DATABASE_URL": "",
        "DATA_DIR": str(data),
        "LOG_LEVEL": "WARNING",
        **variables,
    }
    _run(environment, "-c", _PEOPLE)
    if not (ROOT / "staticfiles" / "staticfiles.json").exists():
        _run(environment, "manage.py", "collectstatic", "--noinput", "-v", "0")
    with _started(data, "console.web.config", environment) as server:
        _wait_until_it_answers(f"{server.url}/healthz")
        yield server


@contextmanager
def echoing(data: Path) -> Iterator[Server]:
    """Run the same web server with less patience, and with the pages of `echo`."""
    with _started(data, "tests.security.hasty", dict(os.environ)) as server:
        _wait_until_it_answers(server.url)
        yield server


@contextmanager
def _started(data: Path, config: str, environment: dict[str, str]) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listen = ["--config", f"python:{config}", "--bind", f"127.0.0.1:{port}"]
    with ExitStack() as stack:
        log = stack.enter_context((data / "log").open("w"))
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *listen],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            umask=0,
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        yield Server(port, data, process)


def _run(environment: dict[str, str], *command: str) -> None:
    subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)


def _wait_until_it_answers(url: str) -> None:
    for _ in range(600):
        try:
            httpx.get(url, trust_env=False, timeout=60).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("The web server does not start.")
