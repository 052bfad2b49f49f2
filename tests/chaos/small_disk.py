"""A disk that is soon full, which only root can mount."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections

from tests.chaos.databases import Sqlite

SIZE = "12m"


@contextmanager
def small_disk(database: Sqlite) -> Iterator[Path | None]:
    """Have the database on a small disk meanwhile; None where none can be mounted."""
    before = database.path
    with _mounted(before.parent / "small") as disk:
        if disk is None:
            yield None
            return
        try:
            _move(database, disk / before.name)
            yield disk
        finally:
            _move(database, before)


@contextmanager
def files_on_small_disk(folder: Path) -> Iterator[Path | None]:
    """Have what is stored in `folder` on a small disk; None where none can be mounted.

    What was there before is out of sight meanwhile.
    """
    with _mounted(folder) as disk:
        yield disk


@contextmanager
def _mounted(disk: Path) -> Iterator[Path | None]:
    disk.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _move(database: Sqlite, path: Path) -> None:
    database.path = path
    connections["default"].settings_dict["NAME"] = path


def fill(disk: Path) -> None:
    """Leave not a byte on it."""
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            return


def empty(disk: Path) -> None:
    """Take away what filled it."""
    (disk / "filler").unlink(missing_ok=True)
