"""Count the errors of operations that ended before this console counted them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from operations.models import Operation
from operations.worker.store_failures import store_failures
from writes.models import Write
from writes.worker.join_rows import keep_failures

AT_ONCE = 500


class Command(BaseCommand):
    """`manage.py count_failures`, at any time and as often as you like."""

    help = "Count the errors of operations that ended; nothing is sent."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--after", type=int, default=0, help="go on after the operation of this id"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through all that ended badly, oldest first; say how far it is."""
        last, count = options["after"], 0
        while pks := self._next(last):
            for pk in pks:
                _count(pk)
            last, count = pks[-1], count + len(pks)
            self.stdout.write(f"{count:,} operations, up to {last}")
        self.stdout.write(f"Done: {count:,} operations.")

    def _next(self, after: int) -> list[int]:
        failed = Operation.objects.filter(rows_failed__gt=0) | (
            Operation.objects.ended_badly()
        )
        later = failed.filter(pk__gt=after).order_by("pk")
        return list(later.values_list("pk", flat=True)[:AT_ONCE])


def _count(pk: int) -> None:
    """Count those of one operation: of a run by its rows, where these are known."""
    with transaction.atomic():
        operation = Operation.objects.select_for_update().get(pk=pk)
        if not operation.is_run:
            store_failures(operation)
            return
        write = Write.objects.filter(batches__operation=operation).first()
        if write is not None and write.rows_totals is not None:
            keep_failures(write, write.rows_totals)
