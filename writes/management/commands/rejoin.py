"""Join rows to their outcome once more, from a shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.actor import Actor
from writes.actions.rejoin import NothingToJoin, not_joined, rejoin
from writes.models import Write

ACTOR = Actor(name="the command line")


class Command(BaseCommand):
    """`manage.py rejoin 170`, `--operation 301`, or `--failed` for all that failed."""

    help = "Join the rows of a write to their outcome anew; nothing is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("write", nargs="?", type=int, help="the number of a write")
        which.add_argument("--operation", type=int, help="the number of an operation")
        which.add_argument(
            "--failed",
            action="store_true",
            help="every write whose rows could not be joined, or never were",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say of how many writes the rows are joined, and why not of others."""
        if not options["failed"]:
            self._join_one(options)
            return
        writes = list(not_joined())
        begun = sum(self._join(write) for write in writes)
        self.stdout.write(f"{begun} of {len(writes)} writes: {_FOLLOWS}")

    def _join_one(self, options: dict[str, Any]) -> None:
        if options["operation"] is None:
            name = f"write {options['write']}"
            found = Write.objects.filter(pk=options["write"])
        else:
            name = f"operation {options['operation']}"
            found = Write.objects.filter(batches__operation=options["operation"])
        write = found.first()
        if write is None:
            raise CommandError(f"Nothing was begun. This console sent no {name}.")
        try:
            rejoin(write, ACTOR)
        except NothingToJoin as error:
            raise CommandError(f"Nothing was begun. {error}") from None
        self.stdout.write(f"1 write ({write.pk}): {_FOLLOWS}")

    def _join(self, write: Write) -> bool:
        try:
            rejoin(write, ACTOR)
        except NothingToJoin as error:
            self.stderr.write(f"Write {write.pk}: {error}")
            return False
        return True


_FOLLOWS = "the worker of the queue “files” joins the rows now."
