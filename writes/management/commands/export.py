"""Take history away into files for a warehouse."""

from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from console.actor import Actor
from writes.actions.export import CSV, PARQUET, USUAL, ExportRefused, export


def day(text: str) -> datetime:
    """Return the beginning of a day that was given as 2026-11-30."""
    return timezone.make_aware(datetime.strptime(text, "%Y-%m-%d"))  # noqa: DTZ007 - made aware


class Command(BaseCommand):
    """`manage.py export DIRECTORY`: each time what is new since the last time."""

    help = "Export history as CSV or Parquet: what is new since the last run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--format", choices=[CSV, PARQUET], default=PARQUET)
        parser.add_argument(
            "--only", choices=USUAL, nargs="+", default=USUAL, help="not all of it"
        )
        parser.add_argument(
            "--rows",
            action="store_true",
            help="also the result of each row, with the keys of customers' records",
        )
        parser.add_argument(
            "--since", type=day, help="of the first run: a day, as 2026-11-30"
        )
        parser.add_argument(
            "--by", default="the command line", help="your name, for the audit"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say which files there are now."""
        wanted = [*options["only"], *(["rows"] if options["rows"] else [])]
        try:
            files = export(
                options["directory"],
                form=options["format"],
                wanted=wanted,
                actor=Actor(name=options["by"][:150]),
                since=options["since"],
            )
        except (ExportRefused, OSError) as error:
            raise CommandError(
                f"{error} Files that are whole have their names; run it again for the "
                "rest."
                if isinstance(error, OSError)
                else str(error)
            ) from None
        for file in files:
            self.stdout.write(f"{file.name}: {file.rows:,} rows, {file.size:,} bytes")
        if not files:
            self.stdout.write("Nothing is new.")
