"""Files with customers' data are for the user of the console alone.

Whatever umask a process was started with: what it makes is 0600, its directories 0700.
What earlier versions made wider is narrowed at the start.
"""

import os
import stat
import uuid
from pathlib import Path

UMASK = 0o077
# What the console itself puts into DATA_DIR. Databases have companions, as "-wal".
FOLDERS = ("files", "uploads")
FILES = ("pulse", "audit-head", "console.sqlite3", "sandbox.sqlite3")
COMPANIONS = ("", "-wal", "-shm", "-journal")


def prepare(folder: Path) -> None:
    """Have DATA_DIR and its directories there, for this user alone.

    Raises OSError where this user cannot write there.
    """
    os.umask(UMASK)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "Permission denied")
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
        narrow(folder / name)
    for name in FILES:
        narrow_database(folder / name)
    # Somebody may have put it into a directory that others need, as /srv.
    if all(path.name.startswith((*FOLDERS, *FILES)) for path in folder.iterdir()):
        narrow(folder)


def write_anew(path: Path, text: str) -> None:
    """Put `text` in place of what a file holds; who reads it finds either as a whole.

    Several processes may do so at once: what each begins has a name of its own. Raises
    OSError, and leaves the file as it was then.
    """
    new = path.with_name(f"{path.name}.{uuid.uuid4().hex}.new")
    try:
        new.write_text(text)
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def narrow_database(path: Path) -> None:
    """Take others' rights to an SQLite file; its new companions get what it has."""
    for companion in COMPANIONS:
        narrow(path.with_name(path.name + companion))


def open_to_others(folder: Path, *more: Path) -> list[Path]:
    """Return what the console keeps in DATA_DIR, or in `more`, and others may read."""
    kept = [folder / name for name in (*FOLDERS, *FILES)]
    databases = [
        path.with_name(path.name + companion)
        for path in more
        for companion in COMPANIONS
    ]
    return [path for path in (folder, *kept, *databases) if _is_open(path)]


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & UMASK)
    except OSError:
        return False


def narrow(path: Path) -> None:
    """Take others' rights to a file or a directory, where it is there and ours."""
    try:
        found = path.stat()
        mode = stat.S_IMODE(found.st_mode)
        # A sticky directory, as /tmp, is everybody's.
        is_ours = found.st_uid == os.geteuid() and not mode & stat.S_ISVTX
        if mode & UMASK and is_ours:
            path.chmod(mode & ~UMASK)
    except OSError:
        # Gone, or on a disk that knows no rights: nothing can be done about it here.
        return
