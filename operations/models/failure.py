"""Why operations failed, so that errors can be counted over any selection of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import models, transaction

from console.access.roles import Person, Role, environments_for
from operations.models.error_kind import ErrorKind
from operations.models.rollup import RollupMark

if TYPE_CHECKING:
    from operations.models.operation import Operation
    from operations.models.operation_queries import OperationQuerySet


class FailureQuerySet(models.QuerySet["Failure"]):
    """Questions asked of failures, and how those of an operation are kept."""

    def newest_of(self, digest: str, user: Person) -> "Failure | None":
        """Return the newest error of a kind that `user` may see.

        By the environments, in the order of an index: asked in another way, either
        database would look at all of the kind.
        """
        seen = environments_for(user, Role.VIEWER)
        told = self.filter(digest=digest, operation__environment__in=seen)
        return told.order_by("-operation_id").first()

    def keep(self, operation: "Operation", failures: Sequence["Failure"]) -> None:
        """Have an operation failed for these reasons and no others.

        Call it in a transaction that holds the operation's row. Its day is counted
        again.
        """
        with transaction.atomic():
            self.filter(operation=operation).delete()
            for failure in failures:
                failure.operation = operation
            self.bulk_create(failures)
            RollupMark.add(operation.pk)

    def forget_examples(self, operations: "OperationQuerySet") -> int:
        """Have these operations keep no error with its values; return of how many.

        Which errors they had, and for how many rows, stays. Call it with what deletes
        the files of their write.
        """
        told = self.filter(operation__in=operations).exclude(example="")
        return told.update(example="")


class Failure(models.Model):
    """One kind of error of an operation, and how many of its rows had it.

    Errors are of one kind where they differ in ids, numbers and quoted values alone
    (`operations.outcome.error_kinds`); `digest` tells kinds apart. It is made anew
    whenever the operation's outcome is stored.
    """

    # No index of its own: the constraint begins with it.
    operation = models.ForeignKey(
        "operations.Operation",
        on_delete=models.CASCADE,
        related_name="failures",
        db_index=False,
    )
    digest = models.CharField(max_length=16)
    code = models.CharField(max_length=100, blank=True)
    message = models.CharField(max_length=500, blank=True)
    # As they were told, with commas between them.
    fields = models.CharField(max_length=200, blank=True)
    # The first of them as it was told, with its values, cut; "" once these are gone.
    example = models.CharField(max_length=500, blank=True)
    rows = models.PositiveIntegerField()

    objects = FailureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operation", "digest"], name="failure_once_per_operation"
            ),
        ]
        indexes = [
            # The page of an error: which operations had it, newest first?
            models.Index(fields=["digest", "-operation"], name="failure_by_digest"),
        ]

    def __str__(self) -> str:
        return str(self.kind)

    @property
    def kind(self) -> ErrorKind:
        """What it shares with all errors of its kind."""
        return ErrorKind(self.code, self.message, self.fields)
