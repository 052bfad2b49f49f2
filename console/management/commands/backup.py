"""`manage.py backup`: make a back-up of the database and the files, or prove one."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.actor import Actor
from console.backup.make import make
from console.backup.manifest import Manifest, Refused
from console.backup.verify import examine, verify
from console.models import AuditEvent


class Command(BaseCommand):
    """`backup make DIRECTORY` while the console runs; `backup verify DIRECTORY`."""

    help = "Make a back-up of the database and DATA_DIR together, or prove one."

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True)
        made = parts.add_parser("make", help="make one, in a new directory below it")
        made.add_argument("directory", type=Path)
        made.add_argument(
            "--by", default="the command line", help="your name, for the audit trail"
        )
        proven = parts.add_parser(
            "verify", help="restore one into a scratch database, and look at it"
        )
        proven.add_argument("directory", type=Path)
        proven.add_argument(
            "--scratch", default="", help="an empty database of PostgreSQL to use"
        )
        examined = parts.add_parser(
            "examine", help="compare the database in use with the back-up it came from"
        )
        examined.add_argument("directory", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what there is; exit 1 where something is wrong."""
        folder = options["directory"]
        try:
            if options["part"] == "make":
                self._make(folder, options["by"])
            elif options["part"] == "verify":
                manifest = verify(folder, scratch=options["scratch"])
                self.stdout.write(f"Proven: {_in_words(manifest)}.")
            else:
                examine(folder)
        except Refused as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"Nothing was made: {error}") from None

    def _make(self, parent: Path, by: str) -> None:
        folder = make(parent)
        manifest = Manifest.read(folder)
        AuditEvent.record(
            action="backup.made",
            subject=f"Back-up {folder.name}"[:200],
            actor=Actor(name=by[:150]),
            detail={"directory": str(folder), "files": len(manifest.files)},
        )
        self.stdout.write(f"{folder}: {_in_words(manifest)}.")
        self.stdout.write("Now prove it: manage.py backup verify " + str(folder))


def _in_words(manifest: Manifest) -> str:
    return (
        f"{sum(manifest.rows.values()):,} rows in {len(manifest.rows)} tables and "
        f"{len(manifest.files):,} files, of {manifest.made_at}"
    )
