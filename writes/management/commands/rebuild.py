"""Have the clock count and index anew what it keeps beside operations and writes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from operations.worker.count_days import mark_all
from writes.models import Backlog, IndexKey, Write

DAYS = "days"


class Command(BaseCommand):
    """`manage.py rebuild days errors`: it asks, and the clock does it."""

    help = "Have the clock count or index anew; nothing is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="+", choices=[DAYS, *Backlog.Kind.values])
        parser.add_argument(
            "--new-key",
            action="store_true",
            help="of records, all of them with a new key: the old one cannot be read",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Note what is to be done anew."""
        for kind in dict.fromkeys(options["what"]):
            if kind == DAYS:
                mark_all()
                continue
            if kind == Backlog.Kind.RECORDS and options["new_key"]:
                _forget_records()
            Backlog.ask(kind)
        self.stdout.write("The clock does it beside its work, the newest first.")


def _forget_records() -> None:
    """Take the key away first: without it the digests say nothing."""
    IndexKey.objects.all().delete()
    found = Write.objects.filter(indexed=Write.Indexed.YES)
    found.update(indexed=Write.Indexed.NOT_YET)
