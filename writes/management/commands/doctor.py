"""Is this installation well? Looks at all that only a running one can show."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from console import VERSION
from console.health.doctor import ANSWER_SECONDS, Finding, examine
from files.remote.stores import StoreError, new_name
from writes.worker.share_file import s3_store

TEXT = b"doctor\n"


class Command(BaseCommand):
    """`manage.py doctor`: one line for each finding, exit 1 where something failed."""

    help = "Look at the database, keys, disk, addresses, mail, store and processes."
    # It looks at them itself, and says more.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what was found; warnings alone are no failure."""
        found = []
        for finding in examine(store):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(_line(finding))
        is_well = all(finding.state != "failed" for finding in found)
        if options["json"]:
            told = [finding.as_json() for finding in found]
            answer = {"version": VERSION, "ok": is_well, "findings": told}
            self.stdout.write(json.dumps(answer, indent=2))
        if not is_well:
            raise SystemExit(1)


def _line(finding: Finding) -> str:
    words = f"{finding.state:14} {finding.name}: {finding.text}"
    return f"{words} {finding.remedy}" if finding.remedy else words


def store() -> Iterator[Finding]:
    """Put a small file into the store, fetch it by a signed address, delete it."""
    if not settings.S3_BUCKET:
        yield Finding("store", "not looked at", "S3_BUCKET is not set.")
        return
    name = new_name()
    try:
        with tempfile.NamedTemporaryFile(dir=settings.DATA_DIR) as file:
            file.write(TEXT)
            file.flush()
            s3_store().put(Path(file.name), name)
        try:
            is_same = _fetch(s3_store().signed_get(name, 60)) == TEXT
        finally:
            s3_store().delete(name)
    except (StoreError, OSError) as error:
        remedy = "Look at the five S3_ variables, and at what the key may do there."
        yield Finding("store", "failed", str(error), remedy)
        return
    if is_same:
        yield Finding("store", "ok", "A file was put, fetched and deleted.")
    else:
        text = "A file that was put came back as another one."
        yield Finding("store", "failed", text, "Look at what is before the store.")


def _fetch(address: str) -> bytes:
    with urlopen(address, timeout=ANSWER_SECONDS) as answer:  # nosec B310 # noqa: S310 - signed by our store
        body: bytes = answer.read(len(TEXT) + 1)
        return body
