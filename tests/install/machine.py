"""An empty Debian in a directory, and commands that are typed there, as root.

No machine: it has the kernel and, for packages, the network of the one it is on. What
listens does so in a network of its own, with a loopback interface alone, so no port is
taken or reached. Processes end with the shell that the commands were typed in.
"""

import os
import pty
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUITE = "trixie"
# Empty: the one that debootstrap takes by itself.
MIRROR = os.environ.get("DEBIAN_MIRROR", "")
# Where the empty Debian is kept between two runs, and machines are made of it.
PLACE = Path(os.environ.get("INSTALL_TEST_DIR", "/var/tmp/write-console-install"))
# Packages that were fetched once.
PACKAGES = PLACE / "archives"
# The certificates that this machine trusts, which may be more than Debian's.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
LONGEST = 1800

# In namespaces of its own for mounts, processes and, for what listens, the network.
BOOT = """
set -eu
mount -t devpts devpts "$1/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$1/dev/shm"
mount -t proc proc "$1/proc"
mount -t tmpfs tmpfs "$1/run"
mount --bind "$2" "$1/var/cache/apt/archives"
mkdir -p "$1/run/install-test"
touch "$1/run/install-test/net"
unshare --net="$1/run/install-test/net" true
nsenter --net="$1/run/install-test/net" ip link set lo up
root=$1
shift 2
exec chroot "$root" "$@"
"""


def need_root(*more: str) -> None:
    """End where this cannot run, with what it takes: root, and some programs."""
    tools = ("debootstrap", "unshare", "nsenter", "ip", *more)
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if os.geteuid() or missing:
        sys.exit(
            f"This needs root, and Debian's packages for {', '.join(tools)}"
            f"{'; it does not find ' + ', '.join(missing) if missing else ''}."
        )


def empty_debian() -> Path:
    """Return an empty Debian, made by debootstrap unless it is there from before."""
    base = PLACE / SUITE
    if not base.exists():
        made = PLACE / f"{SUITE}.new"
        shutil.rmtree(made, ignore_errors=True)
        PLACE.mkdir(parents=True, exist_ok=True)
        mirror = [MIRROR] if MIRROR else []
        command = ["debootstrap", "--variant=minbase", SUITE, made, *mirror]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        made.rename(base)
    return base


def pip_settings(certificates: str) -> str:
    """Return a pip.conf by which the index is reached as it is from this machine.

    That is no part of what is tested, and in no file of ours.
    """
    names = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST")
    told = {name: os.environ[name] for name in names if name in os.environ}
    lines = [
        f"{name.removeprefix('PIP_').lower().replace('_', '-')} = {value}\n"
        for name, value in told.items()
    ]
    return "".join(["[global]\n", f"cert = {certificates}\n", *lines])


@dataclass
class Machine:
    """A copy of the empty Debian; `path` is its root directory."""

    path: Path

    @classmethod
    def new(cls, name: str) -> "Machine":
        """Make one anew; what there was of that name is gone."""
        base, path = empty_debian(), PLACE / name
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run(["cp", "--archive", base, path], check=True)
        machine = cls(path)
        (PACKAGES / "partial").mkdir(parents=True, exist_ok=True)
        machine.write("/etc/hosts", "127.0.0.1 localhost\n")
        # It does not have to outlive a power cut.
        machine.write("/etc/dpkg/dpkg.cfg.d/fast", "force-unsafe-io\n")
        # Not where Debian's own are, which its package writes.
        trusted = "/root/certificates.crt"
        machine.write(trusted, CERTIFICATES.read_text())
        machine.write("/etc/pip.conf", pip_settings(trusted))
        return machine

    def write(self, target: str, text: str) -> None:
        """Put a file there that may be run."""
        place = self.path / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(0o755)

    def put_release(self, version: str, target: str) -> None:
        """Put the archive of a version there, as a release brings it."""
        archive = self.path / target.lstrip("/")
        subprocess.run(
            ["git", "archive", "--prefix=write-console/", "-o", archive, version],
            cwd=ROOT,
            check=True,
        )

    def type(self, script: str, answers: dict[str, str]) -> int:
        """Run a script in bash at a terminal; return what it ended with.

        Where a line ends with one of `answers`, its answer is typed.
        """
        (self.path / "root" / "script").write_text(script)
        separate = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        boot = [
            "unshare",
            *separate,
            "/bin/sh",
            "-c",
            BOOT,
            "boot",
            self.path,
            PACKAGES,
        ]
        child, terminal = pty.fork()
        if child == 0:
            os.execvpe(boot[0], [*boot, "/bin/bash", "/root/script"], ENVIRONMENT)  # noqa: S606
        return _converse(child, terminal, answers)


ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_ROOT_USER_ACTION": "ignore",
}


def _converse(child: int, terminal: int, answers: dict[str, str]) -> int:
    until, line = time.monotonic() + LONGEST, b""
    while time.monotonic() < until:
        try:
            said = os.read(terminal, 65_536)
        except OSError:
            # The other side has closed.
            break
        sys.stdout.buffer.write(said.replace(b"\r\n", b"\n"))
        sys.stdout.flush()
        line = (line + said).rpartition(b"\n")[2]
        for asked, answer in answers.items():
            if line.endswith(asked.encode()):
                os.write(terminal, f"{answer}\n".encode())
                line = b""
    else:
        os.kill(child, 9)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
