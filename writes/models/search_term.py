"""What a write that was confirmed is found by: words, digests, values."""

from collections.abc import Iterable, Sequence
from heapq import nlargest
from itertools import batched

from django.db import models
from django.db.models import Q
from django.utils import timezone

from console.environments import Environment
from console.runtime.prefix import begins_with
from writes.models.write import Write

# So many rows that merely begin as what is looked for are looked at.
MOST_BEGUN = 10_000
# Of so many writes at a time it is asked whether they have another word, too.
AT_ONCE = 500


class SearchTermQuerySet(models.QuerySet["SearchTerm"]):
    """Questions asked of what writes are found by."""

    def beginning(self, text: str) -> "SearchTermQuerySet":
        """Return those that begin with `text`, by an index on both databases."""
        return self.filter(begins_with("text", text))

    def newest(
        self,
        kind: "SearchTerm.Kind",
        words: Sequence[str],
        *,
        environments: Iterable[str],
        before: int | None,
        limit: int,
    ) -> tuple[list[int], bool]:
        """Return ids of writes that have all `words`, or what begins so; newest first.

        Also whether that are all: of a beginning that more than MOST_BEGUN have, some
        were not looked at. Each environment is asked by itself, so that none costs the
        rows of another.
        """
        found: set[int] = set()
        is_all = True
        for environment in environments:
            rows = self.filter(environment=environment, kind=kind)
            if before:
                rows = rows.filter(write_id__lt=before)
            first, *others = _rarest_first(rows, words)
            same = rows.filter(text=first).order_by("-write_id")
            begun = rows.beginning(first)
            if others:
                # Of what many have, the newest alone: each is asked for the others.
                is_all &= not _is_longer(same) and not _is_longer(begun)
                same = _having(others, same[:MOST_BEGUN])
                begun = _having(others, begun[:MOST_BEGUN])
            found.update(same.values_list("write_id", flat=True)[:limit])
            ids = list(begun.values_list("write_id", flat=True)[: MOST_BEGUN + 1])
            is_all &= len(ids) <= MOST_BEGUN
            found.update(ids)
        return nlargest(limit, found), is_all

    def having(
        self,
        kind: "SearchTerm.Kind",
        texts: Sequence[str],
        *,
        environments: Iterable[str],
        before: int | None,
        limit: int,
    ) -> list[int]:
        """Return ids of writes that have one of `texts` exactly; newest first."""
        found: set[int] = set()
        for environment in environments:
            for text in texts:
                rows = self.filter(environment=environment, kind=kind, text=text)
                if before:
                    rows = rows.filter(write_id__lt=before)
                ids = rows.order_by("-write_id").values_list("write_id", flat=True)
                found.update(ids[:limit])
        return nlargest(limit, found)


def _is_longer(rows: SearchTermQuerySet) -> bool:
    return rows.order_by()[: MOST_BEGUN + 1].count() > MOST_BEGUN


def _rarest_first(rows: SearchTermQuerySet, words: Sequence[str]) -> list[str]:
    """Return the words in the order of how many have them, the longest of as many."""
    if len(words) == 1:
        return list(words)
    counts = {w: rows.beginning(w).order_by()[:MOST_BEGUN].count() for w in words}
    return sorted(words, key=lambda word: (counts[word], -len(word)))


def _having(words: Sequence[str], rows: SearchTermQuerySet) -> SearchTermQuerySet:
    """Return those of a slice whose writes have all `words`, or what begins so.

    Asked for some of the writes at a time, a database looks them up one by one; asked
    for all at once, it may read the whole table.
    """
    left = list(rows.values_list("pk", "write_id", "kind"))
    for word in words:
        have: set[int] = set()
        for some in batched(left, AT_ONCE):
            beside = SearchTerm.objects.filter(
                write_id__in={write for _, write, _ in some}, kind=some[0][2]
            )
            have.update(beside.beginning(word).values_list("write_id", flat=True))
        left = [each for each in left if each[1] in have]
    found = SearchTerm.objects.filter(pk__in=[pk for pk, _, _ in left])
    return found.order_by("-write_id")


class SearchTerm(models.Model):
    """That a confirmed write is found by this text.

    Rows are made by `writes.search.terms` when it is confirmed. The environment is a
    copy: that of a project with writes never changes.
    """

    class Kind(models.IntegerChoices):
        # A word of the file's name, or the whole of it; without case.
        FILE = 1, "File name"
        # SHA-256 of a file or a request, the first 32 hexadecimal digits.
        DIGEST = 2, "SHA-256"
        # A keyed digest of a value of a single record; it goes with retention.
        VALUE = 3, "Field value"

    # No index of its own: that of the constraint begins with it.
    write = models.ForeignKey(
        Write, on_delete=models.CASCADE, related_name="search_terms", db_index=False
    )
    environment = models.CharField(max_length=20, choices=Environment)
    kind = models.PositiveSmallIntegerField(choices=Kind)
    text = models.CharField(max_length=255)
    confirmed_at = models.DateTimeField(default=timezone.now)

    objects = SearchTermQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["write", "kind", "text"], name="search_term_once_per_write"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[1, 2, 3]), name="search_term_kind_known"
            ),
        ]
        indexes = [
            # The search: which writes have this, newest first? Which begin so?
            models.Index(
                fields=["environment", "kind", "text", "-write"],
                opclasses=[
                    "varchar_pattern_ops",
                    "int2_ops",
                    "varchar_pattern_ops",
                    "int8_ops",
                ],
                name="search_term_found",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of write {self.write_id}"
