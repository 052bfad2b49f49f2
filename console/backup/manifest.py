"""What a back-up holds, as its `backup.json` says.

    database            the dump (PostgreSQL), or the file (SQLite)
    data/files/…        the files of DATA_DIR
    data/audit-head     the head of the audit trail that was noted last
    backup.json         made last: without it the back-up is not whole

`DATA_DIR/pulse` is left out: what is restored must not say that nothing came since.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

NAME = "backup.json"
DATABASE = "database"
DATA = "data"
HEAD = "audit-head"
FILES = "files"


class Refused(Exception):
    """The back-up cannot be made, or does not hold; the text says why."""


@dataclass(frozen=True)
class Manifest:
    """When and of what it was made; `rows` by table, as the dump has them.

    `files` are the SHA-256 of all else by their path in the back-up.
    """

    made_at: str
    version: str
    engine: str
    rows: dict[str, int]
    files: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write it, which makes the back-up a whole one."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True)
        (folder / NAME).write_text(text)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return that of a back-up. Raises `Refused`."""
        try:
            found: dict[str, Any] = json.loads((folder / NAME).read_text())
            return cls(**found)
        except (OSError, ValueError, TypeError) as error:
            raise Refused(
                f"{folder} is not a whole back-up: {NAME} cannot be read ({error})."
            ) from None


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_in(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, those being made left out."""
    if folder.is_dir():
        yield from (path for path in folder.rglob("*") if path.is_file())
