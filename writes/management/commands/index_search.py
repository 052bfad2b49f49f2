"""Note what older writes are found by, from a shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.db.models import Exists, OuterRef

from writes.models import SearchTerm, Write, WriteQuerySet
from writes.search import terms

AT_ONCE = 200


class Command(BaseCommand):
    """`manage.py index_search`, and `--values` after FIELD_KEYS have a new first key.

    It begins at the newest and may be stopped and started again at any time.
    """

    help = "Have the search find writes from before this version."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--values",
            action="store_true",
            help="note field values anew under the first key of FIELD_KEYS",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many writes were noted, and how far it is."""
        is_again = options["values"]
        writes = _with_values() if is_again else terms.not_noted()
        done, before = 0, None
        while found := _next(writes, before):
            for write in found:
                with transaction.atomic():
                    if is_again:
                        terms.forget_values_of(write)
                    terms.note(write)
            done, before = done + len(found), found[-1].pk
            self.stdout.write(f"{done:,} writes noted, down to write {before}.")
        self.stdout.write(f"Done: {done:,} writes were noted.")


def _with_values() -> WriteQuerySet:
    kept = SearchTerm.objects.filter(write=OuterRef("pk"), kind=SearchTerm.Kind.VALUE)
    return Write.objects.filter(Exists(kept))


def _next(writes: WriteQuerySet, before: int | None) -> list[Write]:
    if before:
        writes = writes.filter(pk__lt=before)
    newest = writes.select_related("integration__project").order_by("-pk")
    return list(newest[:AT_ONCE])
