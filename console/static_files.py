"""The static files as they are collected: for every user of the machine to read."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from whitenoise.storage import (  # type: ignore[import-untyped]
    CompressedManifestStaticFilesStorage,
)

FILE, FOLDER = 0o644, 0o755

# What every page asks for is collected into one file of styles and one of scripts:
# a first visit takes few requests. `theme.js` stays apart, since it runs first.
STYLES, SCRIPTS = "all.css", "all.js"
BUNDLES = {
    STYLES: ("vendor/tabler/tabler.min.css", "console.css"),
    SCRIPTS: (
        "vendor/htmx/htmx.min.js",
        "console.js",
        "keys.js",
        "list.js",
        "typed.js",
        "drop.js",
    ),
}


def files_of(bundle: str) -> tuple[str, ...]:
    """Return what pages link to: the bundle, or its parts if nothing is collected."""
    return BUNDLES[bundle] if settings.DEBUG else (bundle,)


class ReadableStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage, whose files another user than the collecting one serves.

    Whatever the umask, and also what was collected before.
    """

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        root = Path(self.location)
        if not dry_run:
            for bundle, parts in BUNDLES.items():
                # A line of strict mode at the top of a script counts there alone.
                start = '"use strict";\n' if bundle == SCRIPTS else ""
                texts = [(root / part).read_text() for part in parts]
                (root / bundle).write_text(start + "\n".join(texts))
                paths[bundle] = (self, bundle)
        yield from super().post_process(paths, dry_run=dry_run, **options)
        if dry_run:
            return
        for path in (root, *root.rglob("*")):
            wanted = FOLDER if path.is_dir() else FILE
            # Only the owner may, and need not where it is right already.
            if stat.S_IMODE(path.stat().st_mode) != wanted:
                path.chmod(wanted)
