"""Disks and databases that are full or cannot be written, for a while."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser


@contextmanager
def small_disk(path: Path, size: str = "size=64k,nr_inodes=8") -> Iterator[Path]:
    """Mount a small disk at `path`; skips where none can be mounted."""
    path.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can mount a disk")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def use_up_room(disk: Path) -> None:
    """Leave not a byte."""
    with pytest.raises(OSError, match="space"):
        (disk / "filler").write_bytes(bytes(2**26))


@contextmanager
def _pragma(statement: str, undo: str) -> Iterator[None]:
    """Have SQLite refuse to store meanwhile, as it does on a disk like that."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {statement}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {undo}")


def full() -> Any:
    """Let the database not grow any more."""
    return _pragma("max_page_count = 1", "max_page_count = 1000000000")


def read_only() -> Any:
    """Let the database be read alone."""
    return _pragma("query_only = ON", "query_only = OFF")


def patient(browser: Browser) -> Browser:
    """Return the browser, which shows the page of an error rather than raising it."""
    browser.raise_request_exception = False
    return browser
