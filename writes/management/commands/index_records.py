"""Index what writes carried before there was an index, or could not be indexed."""

import sqlite3
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from writes import record_index
from writes.models import IndexKey, Write
from writes.records import LARGE

# So many writes are read at once, and told of together.
AT_ONCE = 100


class Command(BaseCommand):
    """`manage.py index_records`: begun again, it goes on where it was stopped."""

    help = "Have records find the writes that carried them; nothing is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anew",
            action="store_true",
            help="with a new key, for all writes: where the old one cannot be read",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how far it is; exit 1 if some writes could not be indexed."""
        if options["anew"]:
            self._forget_all()
        total, done, failed, last = self._waiting().count(), 0, 0, 0
        while writes := list(self._waiting().filter(pk__gt=last)[:AT_ONCE]):
            for write in writes:
                last = write.pk
                is_done = self._index(write)
                done += is_done
                failed += not is_done
            self.stdout.write(f"{done + failed:,} of {total:,} writes")
        self.stdout.write(f"Indexed: {done:,}.")
        if failed:
            raise CommandError(f"Not indexed: {failed:,}. They are named above.")

    def _waiting(self) -> QuerySet[Write]:
        """Return what can be indexed; rows are not before they are joined."""
        waiting = Write.objects.not_indexed()
        waiting = waiting.exclude(source=Write.Source.CSV, rows_store="")
        return waiting.defer(*LARGE).order_by("pk")

    def _index(self, write: Write) -> bool:
        try:
            if record_index.fill(write):
                return True
            why = "its files were deleted meanwhile, or the key cannot be read"
        except (FileNotFoundError, sqlite3.DatabaseError) as error:
            why = str(error)
        self.stderr.write(f"Write {write.pk}: {why}")
        return False

    def _forget_all(self) -> None:
        """Take the key away first: without it the digests say nothing."""
        IndexKey.objects.all().delete()
        found = Write.objects.filter(indexed=Write.Indexed.YES)
        found.update(indexed=Write.Indexed.NOT_YET)
