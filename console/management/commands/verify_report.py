"""Check that a signed report is as this console, or a given key, signed it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.signed_file import Refused, read_signed
from console.signing import public_keys


class Command(BaseCommand):
    """`manage.py verify_report FILE`: exit 1 where one byte was changed."""

    help = "Check the signature of a report that was downloaded as signed JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--public-key",
            help="trust this key alone, as the report page showed it; "
            "without it the keys of this console",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what the report is about, or why it is refused."""
        key = options["public_key"]
        try:
            file = options["file"].read_bytes()
            report = read_signed(file, trusted=[key] if key else public_keys())
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error}") from None
        except Refused as error:
            raise CommandError(f"Refused. {error}") from None
        told = (report.get(name) for name in ("from", "to", "time_zone", "made_at"))
        self.stdout.write("Unchanged. {} to {} ({}), made {}.".format(*told))
