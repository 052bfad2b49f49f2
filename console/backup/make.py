"""Making a back-up: files, then the database, then the files that came meanwhile.

So whatever the dump names is there: what was there before was copied first, and what
came until the dump is copied after it. Files of the storage are never changed.
"""

import os
import shutil
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils import timezone

from console import VERSION
from console.backup import engines
from console.backup.manifest import (
    DATA,
    DATABASE,
    FILES,
    HEAD,
    Manifest,
    Refused,
    digest_of,
    files_in,
)


def make(parent: Path) -> Path:
    """Make a back-up in a new directory below `parent`; return it.

    The console may go on meanwhile. Raises `Refused` and OSError; what was begun is
    taken away then.
    """
    folder = parent / f"console-{timezone.now():%Y-%m-%dT%H-%M-%SZ}"
    source = Path(settings.DATA_DIR) / FILES
    if folder.resolve().is_relative_to(source.resolve()):
        raise Refused(
            f"{parent} lies in {source}, which is what is copied: nothing was made. "
            "Name a directory elsewhere."
        )
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        raise Refused(f"{folder} is there already: nothing was made.") from None
    try:
        _fill(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _fill(folder: Path) -> None:
    made_at = timezone.now().isoformat()
    _copy_new(folder)
    # Before the dump: its trail must not end before this head.
    head = Path(settings.DATA_DIR) / HEAD
    if head.is_file():
        shutil.copyfile(head, folder / DATA / HEAD)
    rows = engines.dump(folder / DATABASE)
    _copy_new(folder)
    files = {
        str(path.relative_to(folder)): digest_of(path)
        for path in sorted(files_in(folder))
    }
    Manifest(made_at, VERSION, connection.vendor, rows, files).write(folder)


def _copy_new(folder: Path) -> None:
    """Copy the files that are not there yet; one that retention took just now goes."""
    source, target = Path(settings.DATA_DIR) / FILES, folder / DATA / FILES
    target.mkdir(parents=True, exist_ok=True)
    for path in files_in(source):
        copy = target / path.relative_to(source)
        if copy.exists():
            continue
        copy.parent.mkdir(parents=True, exist_ok=True)
        new = copy.with_name(f"{copy.name}.new")
        try:
            shutil.copyfile(path, new)
        except FileNotFoundError:
            new.unlink(missing_ok=True)
            continue
        os.replace(new, copy)
