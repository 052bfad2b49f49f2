"""The files of writes in the storage: made, measured, and taken away."""

import hashlib
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from writes.models.write import new_path

# PostgreSQL keeps no NUL in texts or JSON. A reader sees that there was one.
NUL, SIGN_FOR_NUL = "\0", "␀"


class NewFiles:
    """Files that are being made; those that nobody keeps are taken away again."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def path(self, kind: str, ending: str = "csv") -> Path:
        """Return the path of a file that is to be made."""
        name = new_path(kind, ending)
        self.names.append(name)
        path = Path(default_storage.path(name))
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def name_of(self, path: Path) -> str:
        """Return the name in the storage of a file that was made."""
        return next(n for n in self.names if Path(default_storage.path(n)) == path)

    def discard(self, *, keep: set[str] | None = None) -> None:
        """Take away what was made, but for the names in `keep`."""
        for name in self.names:
            if name not in (keep or set()):
                delete(name)


def delete(name: str | None) -> None:
    """Take a file of the storage away; one that is gone already is no fault."""
    if name:
        default_storage.delete(name)


def measure(path: Path) -> tuple[int, str]:
    """Return the size in bytes and the SHA-256 of a file."""
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def storable(value: Any) -> Any:
    """Return JSON data as every database keeps it, with a sign for each NUL."""
    if isinstance(value, str):
        return value.replace(NUL, SIGN_FOR_NUL)
    if isinstance(value, dict):
        return {storable(name): storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [storable(each) for each in value]
    return value


def stored(file: File[bytes], kind: str) -> str:
    """Keep `file` and return its name in the storage."""
    return default_storage.save(new_path(kind), file)


def linked(name: str | None, kind: str) -> str:
    """Keep the same file under another name, so that each write has one of its own.

    Raises `FileNotFoundError` if it is gone.
    """
    if not name:
        raise FileNotFoundError("The files of this write were deleted.")
    twin = new_path(kind)
    path = Path(default_storage.path(twin))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.hardlink_to(default_storage.path(name))
    return twin
