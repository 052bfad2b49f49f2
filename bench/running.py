"""What the benchmarks run against: the console's real settings, and a real console.

Importing it makes the project's packages importable from a script in bench/.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "only-for-the-benchmarks"  # noqa: S105
sys.path.insert(0, str(ROOT))


def environment(data: Path, **variables: str) -> dict[str, str]:
    """Return an environment in which the console keeps everything in `data`.

    It says all that `.env` could say, so that a developer's own settings have no part.
    """
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "SECRET_KEY": "only-for-benchmarks-0123456789-abcdefghijklmnopqrs",
        "FIELD_KEYS": "A3nKxG4dpVQyIvUk4DgbmsAzXBiTaQZbkdcHBvnTzDY=",
        "AUDIT_KEYS": "",
        "ALLOWED_HOSTS": "testserver,127.0.0.1",
        "CSRF_TRUSTED_ORIGINS": "",
        "HTTPS_ONLY": "false",
        "TRUST_PROXY": "false",
        "DEBUG": "false",
        "TIME_ZONE": "UTC",
        "LOG_LEVEL": "WARNING",
        "SENTRY_DSN": "",
        "MACHINES": "1",
        "SEND_TIMEOUT": "60",
        "REPEAT_DAYS": "0",
        "SESSION_HOURS": "12",
        "SESSION_IDLE_MINUTES": "120",
        "SECOND_FACTOR_FOR": "",
        "IDENTITY_CHECK_FOR": "",
        "OIDC_ISSUER": "",
        "DATABASE_URL": "",
        "PUBLIC_URL": "",
        # `manage.py run` adds its sandbox; 1 is the port of those without any.
        "API_HOSTS": "127.0.0.1:1",
        "PRIVATE_HOSTS": "",
        "S3_BUCKET": "",
        "TASKS_BACKEND": "django_tasks_db.DatabaseBackend",
        "DATA_DIR": str(data),
        **variables,
    }


@contextmanager
def settings(module: str = "console.settings") -> Iterator[Path]:
    """Set Django up in this process; give the directory of its data, removed after."""
    import django

    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        url = os.environ.get("TEST_DATABASE_URL", "")
        variables = environment(data, DATABASE_URL=url)
        os.environ.update(variables, DJANGO_SETTINGS_MODULE=module)
        need_static_files(variables)
        django.setup()
        yield data


@dataclass
class Console:
    """A running console; its processes, the sandbox among them, write to `log`."""

    url: str
    log: Path
    pid: int

    def calls(self, words: str) -> int:
        """Count the sandbox's log lines with `words`: one line a request."""
        return sum(words in line for line in self.log.read_text().splitlines())

    def web_workers(self) -> list[int]:
        """Return the ids of the processes that answer requests."""
        [web] = [pid for pid in _children(self.pid) if "gunicorn" in _command(pid)]
        return _children(web)

    def workers(self, queue: str) -> list[int]:
        """Return the ids of the processes that work on a queue."""
        return [pid for pid in _children(self.pid) if queue in _command(pid)]

    def below(self, word: str) -> list[int]:
        """Return the ids of processes that its processes started, by their command."""
        found = []
        for parent in _children(self.pid):
            for pid in [*_children(parent), *_grandchildren(parent)]:
                # It may have ended just now.
                with suppress(OSError):
                    if word in _command(pid):
                        found.append(pid)
        return found


def _grandchildren(pid: int) -> list[int]:
    return [grandchild for child in _children(pid) for grandchild in _children(child)]


def _children(pid: int) -> list[int]:
    found = []
    # One that ends meanwhile has none.
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += (thread / "children").read_text().split()
    return [int(word) for word in found]


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


@contextmanager
def console() -> Iterator[Console]:
    """Start everything with `manage.py run`, and stop it afterwards as Ctrl-C does."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        port, sandbox_port = free_ports()
        variables = environment(
            data,
            PORT=str(port),
            SANDBOX_PORT=str(sandbox_port),
            DEMO_PASSWORD=PASSWORD,
        )
        need_static_files(variables)
        log = data / "log"
        with log.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run"],
                cwd=ROOT,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
            )
        try:
            assert process.stdout is not None
            if not any(line.startswith("Ready:") for line in process.stdout):
                sys.exit(f"The console did not start:\n{log.read_text()}")
            yield Console(f"http://127.0.0.1:{port}", log, process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


def need_static_files(variables: dict[str, str]) -> None:
    """Collect them as `make run` does, on a checkout where nobody has run that."""
    if (ROOT / "staticfiles" / "staticfiles.json").exists():
        return
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(command, cwd=ROOT, env=variables, check=True)


def free_ports() -> tuple[int, int]:
    """Return two ports that nobody listens on just now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
