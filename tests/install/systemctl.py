#!/usr/bin/python3
"""Stands for systemctl where no systemd runs: starts what the unit files say.

Knows enable --now, start, stop, restart, is-active and daemon-reload; of hardening no
more than user, umask, capabilities and new privileges. It needs nothing but Python,
since it runs on the empty machine.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
RUN = Path("/run/units")
NETWORK = ["nsenter", "--net=/run/install-test/net"]
# Capabilities and privileges are taken away as the units say.
BARE = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]


def read(path: Path) -> dict[str, list[str]]:
    """Return the settings of a unit file, with all values that each was given."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith(("#", ";")):
            found.setdefault(name, []).append(value)
    return found


def unit(name: str) -> dict[str, list[str]]:
    """Return a unit's settings, after those that it has by its name's beginning."""
    stem, is_instance, instance = name.removesuffix(".service").partition("@")
    found: dict[str, list[str]] = {}
    parts = stem.split("-")
    shared = [f"{'-'.join(parts[:n])}-.service.d" for n in range(1, len(parts))]
    paths = [path for each in shared for path in sorted((UNITS / each).glob("*.conf"))]
    for path in [*paths, UNITS / f"{stem}{'@' if is_instance else ''}.service"]:
        for key, values in read(path).items():
            found.setdefault(key, []).extend(v.replace("%i", instance) for v in values)
    return found


def members(name: str) -> list[str]:
    """Return the services of a target, or the one service that is named."""
    if name.endswith(".target"):
        return [each for line in read(UNITS / name)["Wants"] for each in line.split()]
    return [name if name.endswith(".service") else f"{name}.service"]


def of_debian(name: str, verb: str) -> None:
    """Start or stop a service that a package brought, by the script beside its unit."""
    script = f"/etc/init.d/{name.removesuffix('.service')}"
    subprocess.run([*NETWORK, script, verb], check=True)


def start(name: str) -> None:
    """Start a service, unless it runs."""
    if not name.startswith("write-console"):
        of_debian(name, "start")
        return
    if is_active(name):
        return
    settings = unit(name)
    user, mask = settings["User"][-1], settings["UMask"][-1]
    state = Path("/var/lib") / settings["StateDirectory"][-1]
    state.mkdir(mode=0o700, exist_ok=True)
    subprocess.run(["chown", f"{user}:", state], check=True)
    (command,) = settings["ExecStart"]
    as_user = [*BARE, f"--reuid={user}", f"--regid={user}", "--init-groups"]
    with Path(f"/var/log/{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [*NETWORK, *as_user, *command.split()],
            cwd=settings["WorkingDirectory"][-1],
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            umask=int(mask, 8),
        )
    RUN.mkdir(exist_ok=True)
    (RUN / name).write_text(str(process.pid))


def stop(name: str) -> None:
    """Ask it to end, and wait until it has, as long as its unit allows."""
    if not name.startswith("write-console"):
        of_debian(name, "stop")
        return
    if not is_active(name):
        return
    pid = int((RUN / name).read_text())
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + int(unit(name)["TimeoutStopSec"][-1])
    while is_active(name):
        if time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
            sys.exit(f"{name} did not end in time")
        time.sleep(0.05)


def is_active(name: str) -> bool:
    """Tell whether the process that was started for a service is still there."""
    try:
        status = Path(f"/proc/{(RUN / name).read_text()}/stat").read_text()
    except OSError:
        return False
    # A zombie that nobody waited for is no process any more.
    return status.rpartition(")")[2].split()[0] != "Z"


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    verb, names = words[0], [each for word in words[1:] for each in members(word)]
    if verb == "is-active":
        dead = [name for name in names if not is_active(name)]
        sys.exit(f"not running: {', '.join(dead)}" if dead else 0)
    for name in names:
        if verb in ("stop", "restart"):
            stop(name)
        if verb in ("start", "restart") or "--now" in sys.argv:
            start(name)


if __name__ == "__main__":
    main()
