"""Proving a back-up: its bytes, and that a database restored from it is the same."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import FileField, Model

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

# So many names are told.
SHOWN = 10


def verify(folder: Path, *, scratch: str = "") -> Manifest:
    """Restore a back-up into a scratch database and look at it; nothing is sent.

    Raises `Refused` with the first thing that is wrong.
    """
    manifest = Manifest.read(folder)
    if manifest.engine != connection.vendor:
        raise Refused(
            f"The back-up is of {manifest.engine}, and DATABASE_URL names "
            f"{connection.vendor}: nothing was restored."
        )
    _need_same_bytes(folder, manifest)
    with tempfile.TemporaryDirectory() as name:
        data = Path(name)
        (data / FILES).symlink_to((folder / DATA / FILES).resolve())
        if (folder / DATA / HEAD).is_file():
            shutil.copyfile(folder / DATA / HEAD, data / HEAD)
        with engines.restored(folder / DATABASE, data, scratch) as url:
            environment = _settings(data, DATABASE_URL=url, DATA_DIR=name)
            for command in (
                ["backup", "examine", str(folder.resolve())],
                ["audit", "verify"],
            ):
                _manage(command, environment)
    return manifest


def _settings(folder: Path, **values: str) -> dict[str, str]:
    """Return variables that stand for `values`, which are written into `folder`.

    NAME_FILE comes before NAME, also where it stands in `.env` alone.
    """
    for name, value in values.items():
        (folder / name).write_text(value)
    return {f"{name}_FILE": str(folder / name) for name in values}


def examine(folder: Path) -> None:
    """Compare the database of this process with the back-up that it came from.

    Raises `Refused` where rows are missing, or a file that a row names.
    """
    there, told = engines.rows(), Manifest.read(folder).rows
    if others := {name for name in there | told if there.get(name) != told.get(name)}:
        counts = ", ".join(
            f"{name}: {there.get(name, 'none')} instead of {told.get(name, 'none')}"
            for name in sorted(others)[:SHOWN]
        )
        raise Refused(f"The restored database has other rows: {counts}.")
    if lost := _lost():
        raise Refused(
            f"{len(lost)} files that rows name are missing: {', '.join(lost[:SHOWN])}."
        )


def _need_same_bytes(folder: Path, manifest: Manifest) -> None:
    there = {str(path.relative_to(folder)) for path in files_in(folder)}
    if lost := manifest.files.keys() - there:
        raise Refused(f"Missing in the back-up: {', '.join(sorted(lost)[:SHOWN])}.")
    for name, digest in manifest.files.items():
        if digest_of(folder / name) != digest:
            raise Refused(f"Changed since the back-up was made: {name}.")


def _lost() -> list[str]:
    """Return the names in the storage that a row has and nothing is stored under."""
    return [
        name
        for model in apps.get_models()
        for field in _file_fields(model)
        for name in model._default_manager.exclude(**{field: ""})
        .exclude(**{field: None})
        .values_list(field, flat=True)
        .iterator()
        if not default_storage.exists(name)
    ]


def _file_fields(model: type[Model]) -> list[str]:
    fields = model._meta.get_fields()
    return [field.name for field in fields if isinstance(field, FileField)]


def _manage(command: list[str], environment: dict[str, str]) -> None:
    """Run a command of the console on the restored database."""
    done = subprocess.run(  # nosec B603 # noqa: S603 - our own command
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Refused(done.stderr.strip() or done.stdout.strip())
