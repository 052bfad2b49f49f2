"""A database with all migrations, made once for all processes that test the same code.

Each of them would take as long to migrate one as hundreds of tests take.
"""

import fcntl
import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".pytest_cache" / "migrated"
# What its tables may come from; other code makes another one.
CODE = ("ampersand", "console", "files", "operations", "writes")


def migrated() -> Path:
    """Return the file of an SQLite database that lacks no migration, to be read only.

    The first process makes it, and the others wait for that.
    """
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"{_digest()}.sqlite3"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for old in KEPT.glob("*.sqlite3"):
                old.unlink()
            _make(path)
    return path


def fill(database: sqlite3.Connection) -> None:
    """Make an empty database one that lacks no migration."""
    with closing(sqlite3.connect(migrated())) as made:
        made.backup(database)


def _digest() -> str:
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted(path for name in CODE for path in (ROOT / name).rglob("*.py")):
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _make(path: Path) -> None:
    """Migrate a database elsewhere, and put it there as one whole file."""
    with TemporaryDirectory() as folder:
        made = Path(folder) / "console.sqlite3"
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "-v", "0"],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "console.settings",
                "DATABASE_URL": "",
                "DATA_DIR": folder,
            },
            check=True,
        )
        half = path.with_suffix(".half")
        half.unlink(missing_ok=True)
        with (
            closing(sqlite3.connect(made)) as whole,
            closing(sqlite3.connect(half)) as copy,
        ):
            whole.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        half.rename(path)
