"""How much memory a process takes, as Linux tells it in `/proc`; MiB everywhere.

`getrusage` will not do: the peak that it tells of a new process begins with that of the
one which started it.
"""

from pathlib import Path

PROC = Path("/proc")


def resident(pid: int | str = "self") -> float:
    """Return what a process holds in memory now."""
    return _told(pid, "VmRSS")


def peak(pid: int | str = "self") -> float:
    """Return the most that it ever held, or has held since `forget_peak`."""
    return _told(pid, "VmHWM")


def forget_peak(pid: int | str = "self") -> None:
    """Have the peak begin anew with what it holds now."""
    (PROC / str(pid) / "clear_refs").write_text("5")


def _told(pid: int | str, name: str) -> float:
    status = (PROC / str(pid) / "status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) / 1024
