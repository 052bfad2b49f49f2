"""The static files as they are collected: for every user of the machine to read."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)

FILE, FOLDER = 0o644, 0o755


class ReadableStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, whose files another user than the collecting one serves.

    Whatever the umask, and also what was collected before.
    """

    def post_process(self, *args: Any, **options: Any) -> Iterator[Any]:
        yield from super().post_process(*args, **options)
        if options.get("dry_run"):
            return
        root = Path(self.location)
        for path in (root, *root.rglob("*")):
            wanted = FOLDER if path.is_dir() else FILE
            # Only the owner may, and need not where it is right already.
            if stat.S_IMODE(path.stat().st_mode) != wanted:
                path.chmod(wanted)
