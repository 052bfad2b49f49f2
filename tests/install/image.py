"""`make image-test`: the image is built, and used as its own user, beside PostgreSQL.

buildah builds and runs it by chroot, on a base that debootstrap makes. What that cannot
show: a root file system that is mounted read-only (instead no file may have changed),
name spaces, limits, and the networks of Compose and Kubernetes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.fernet import Fernet

from tests.install.machine import (
    CERTIFICATES,
    PLACE,
    ROOT,
    empty_debian,
    need_root,
    pip_settings,
)
from tests.machines.installation import answers, wait_until

MB = 10**6
LARGEST = 300 * MB
USER = 10001
BASE = "localhost/debian-trixie"
IMAGE = "localhost/write-console"
VOLUME = "var/lib/write-console"
PASSWORD = "the first one of an installation"
WEB, SANDBOX = "http://127.0.0.1:8000", "http://127.0.0.1:8900"
# As in debian:trixie-slim.
LEFT_OUT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")
CACHES = ("var/cache/apt", "var/lib/apt/lists", "var/log")
# Everybody may write there; containers have a tmpfs in its place.
OF_EVERYBODY = ("tmp", "var/tmp", "run", "dev", "proc", "sys")
PROCESSES = ("sending", "watching", "files")


def buildah(*command: str | Path) -> str:
    """Run buildah with storage of its own; return what it prints."""
    return subprocess.run(
        _buildah(*command), check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ).stdout.strip()


def _buildah(*command: str | Path) -> list[str]:
    place = ("--root", PLACE / "images", "--runroot", PLACE / "images-run")
    return ["buildah", *map(str, place), "--storage-driver", "vfs", *map(str, command)]


# --- Building ---------------------------------------------------------------------


def build() -> None:
    """Build the image of what is committed, on an empty Debian made here."""
    with tempfile.TemporaryDirectory() as directory:
        _make_base(Path(directory))
        context = Path(directory) / "context"
        context.mkdir()
        packed = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE
        )
        subprocess.run(["tar", "-x"], cwd=context, input=packed.stdout, check=True)
        lent = _lent(Path(directory))
        subprocess.run(
            _buildah("build", "--format=docker", "--layers=false", *lent)
            + [f"--build-arg=BASE={BASE}", f"--tag={IMAGE}", str(context)],
            check=True,
        )


def _make_base(directory: Path) -> None:
    packed = directory / "base.tar"
    left_out = [f"--exclude=./{name}/*" for name in (*LEFT_OUT, *CACHES)]
    subprocess.run(
        ["tar", "-C", empty_debian(), *left_out, "-cf", packed, "."], check=True
    )
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, packed, "/")
    buildah("commit", "--quiet", "--rm", container, BASE)


def _lent(directory: Path) -> list[str]:
    """Return what the build is told of how this machine reaches its package index."""
    path = directory / "pip.conf"
    path.write_text(pip_settings("/lent/certificates.crt"))
    return [
        f"--volume={path}:/etc/pip.conf:ro",
        f"--volume={CERTIFICATES}:/lent/certificates.crt:ro",
    ]


def told_size() -> int:
    """Print the layers of the image, and return what it takes in bytes."""
    found = json.loads(buildah("inspect", "--type=image", IMAGE))
    for layer in found["Docker"]["history"]:
        sys.stdout.write(f"  {' '.join(layer.get('created_by', '').split())[:110]}\n")
    container = buildah("from", IMAGE)
    root = Path(buildah("mount", container))
    for part in ("usr", "opt/write-console/.venv", "opt/write-console"):
        sys.stdout.write(f"  {size_of(root / part) / MB:6.0f} MB /{part}\n")
    size = size_of(root)
    buildah("rm", container)
    return size


def size_of(path: Path) -> int:
    """Return how many bytes the files below have."""
    said = subprocess.run(
        ["du", "-sxb", path], check=True, stdout=subprocess.PIPE, text=True
    )
    return int(said.stdout.split()[0])


# --- Running ----------------------------------------------------------------------


class Container:
    """What runs of the image: each process with the volume and the secrets alone."""

    def __init__(self, directory: Path, database: str) -> None:
        self.name = buildah("from", IMAGE)
        # buildah would put a new volume over ours for each process.
        buildah("config", f"--volume=/{VOLUME}-", self.name)
        self.root = Path(buildah("mount", self.name))
        inspected = json.loads(buildah("inspect", "--type=image", IMAGE))
        self.config: dict[str, Any] = inspected["Docker"]["config"]
        self.volume = self._place(directory / "data")
        self.secrets = self._secrets(directory, database)
        self.log = directory / "log"
        self.socket = parse_qs(urlsplit(database).query)["host"][0]
        # The server looks at these rights when it starts, and lets nobody in by itself.
        Path(self.socket).chmod(0o711)

    @staticmethod
    def _place(path: Path) -> Path:
        """Make a directory for the user of the image alone."""
        path.mkdir(mode=0o700)
        os.chown(path, USER, USER)
        return path

    def _secrets(self, directory: Path, database: str) -> Path:
        place = self._place(directory / "secrets")
        for name, value in {
            "secret-key": Fernet.generate_key().decode() * 2,
            "field-keys": Fernet.generate_key().decode(),
            "audit-keys": Fernet.generate_key().decode(),
            "database-url": database,
        }.items():
            (place / name).write_text(value)
            (place / name).chmod(0o400)
            os.chown(place / name, USER, USER)
        return place

    def command(self, *command: str, **variables: str) -> list[str]:
        """Return how a command is run in it, as the image's own user."""
        told = {
            "ALLOWED_HOSTS": "127.0.0.1",
            "HTTPS_ONLY": "false",
            "API_HOSTS": "127.0.0.1:8900",
            **{
                f"{name}_FILE": f"/run/secrets/{name.lower().replace('_', '-')}"
                for name in ("SECRET_KEY", "FIELD_KEYS", "AUDIT_KEYS", "DATABASE_URL")
            },
            **variables,
        }
        mounts = {
            self.volume: f"/{VOLUME}",
            self.secrets: "/run/secrets",
            Path(self.socket): self.socket,
        }
        return _buildah(
            "run",
            "--cap-drop=all",
            *(f"--volume={here}:{there}" for here, there in mounts.items()),
            *(f"--env={name}={value}" for name, value in told.items()),
            self.name,
            "--",
            *command,
        )

    def run(self, *command: str, **variables: str) -> str:
        """Run a command to its end; return what it prints."""
        done = subprocess.run(
            self.command(*command, **variables),
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return done.stdout.strip()

    @contextmanager
    def running(self, *command: str) -> Iterator[None]:
        """Have a process run meanwhile."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command(*command), stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()

    def files(self) -> dict[str, tuple[float, int]]:
        """Return when each file outside of volumes was changed, and its size."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            inside = Path(folder).relative_to(self.root)
            if str(inside) == ".":
                folders[:] = [each for each in folders if each not in OF_EVERYBODY]
            if str(inside) == str(Path(VOLUME).parent):
                folders.remove(Path(VOLUME).name)
            for name in names:
                status = (Path(folder) / name).lstat()
                found[str(inside / name)] = (status.st_mtime, status.st_size)
        return found

    def writable(self) -> list[str]:
        """Return what its user could write outside of volumes."""
        places = [path for path in self.root.iterdir() if path.name not in OF_EVERYBODY]
        owned = ["(", "-uid", str(USER), "-o", "-perm", "-o+w", ")", "!", "-type", "l"]
        volume = ["-path", str(self.root / VOLUME), "-prune", "-o"]
        everybody = ["-path", str(self.root / "var/tmp"), "-prune", "-o"]
        said = subprocess.run(
            ["find", *places, "-xdev", *volume, *everybody, *owned, "-print"],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        return said.stdout.split()


def use(database: str) -> None:
    """Start it, work with it as a person; it must write in its volume alone."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        Path(directory).chmod(0o755)
        container = Container(Path(directory), database)
        stack.callback(buildah, "rm", container.name)
        who = container.run("python", "-c", "import os; print(os.getuid())")
        assert who == str(USER), who
        assert not container.writable(), container.writable()
        before = container.files()
        container.run("python", "manage.py", "migrate", "--verbosity=0")
        container.run(
            *("python", "manage.py", "createsuperuser", "--noinput"),
            *("--username=admin", "--email=admin@example.com"),
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )
        _start(container, stack)
        try:
            _look(container)
        except BaseException:
            sys.stdout.write(container.log.read_text()[-6000:])
            raise
        after = container.files()
        changed = [
            path for path in before | after if before.get(path) != after.get(path)
        ]
        assert not changed, changed
        assert any(path.is_file() for path in container.volume.rglob("*"))
        sys.stdout.write(f"Nothing was written but in /{VOLUME}.\n")


def _start(container: Container, stack: ExitStack) -> None:
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port=8900", "--bulk-seconds=0"],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(sandbox.wait)
    stack.callback(sandbox.kill)
    for queue in PROCESSES:
        command = ("python", "manage.py", "worker", "--queue", queue)
        stack.enter_context(container.running(*command))
    stack.enter_context(container.running("python", "manage.py", "clock"))
    stack.enter_context(container.running(*container.config["Cmd"]))
    wait_until(lambda: answers(f"{WEB}/healthz") and answers(SANDBOX))


def _look(container: Container) -> None:
    page = httpx.get(f"{WEB}/login/")
    assert page.status_code == 200, page.status_code
    style = page.text.partition('href="/static/')[2].partition('"')[0]
    assert httpx.get(f"{WEB}/static/{style}").status_code == 200, style
    kind, *check = container.config["Healthcheck"]["Test"]
    assert kind == "CMD", kind
    container.run(*check)
    sys.stdout.write("/healthz, /login/, its style and HEALTHCHECK answer.\n")
    subprocess.run(
        [sys.executable, "tests/install/journey.py", WEB, "--admin", "admin", PASSWORD]
        + ["--sandbox", SANDBOX, "--manifest", "sandbox/amp.yaml"],
        cwd=ROOT,
        check=True,
    )


def main() -> int:
    need_root("buildah")
    os.environ |= {"BUILDAH_ISOLATION": "chroot"}
    database = os.environ["TEST_DATABASE_URL"]
    if sys.argv[1:] == ["use"]:
        use(database)
        return 0
    build()
    size = told_size()
    sys.stdout.write(f"The image takes {size / MB:.0f} MB.\n")
    assert size < LARGEST, size
    # In a network of its own it has the ports that it is made for.
    command = [sys.executable, "-m", "tests.install.image", "use"]
    subprocess.run(["unshare", "--net", "--mount", *command], check=True)
    for place in ("images", "images-run"):
        shutil.rmtree(PLACE / place, ignore_errors=True)
    sys.stdout.write("The image works.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
