"""Joining the rows of a write to their outcome once more, because a person wishes so.

It may be done at any time while its file and its logs are kept: nothing leaves this
machine, and what was joined before stays until the new one is there.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from console.actor import Actor
from console.models import AuditEvent
from console.runtime.trouble import in_words
from writes.actions import begin_job
from writes.actions.settle import is_moving
from writes.models import Batch, FileJob, Write, WriteQuerySet

JOIN = FileJob.Kind.JOIN


class NothingToJoin(Exception):
    """Its rows cannot be joined; the text tells why."""


def rejoin(write: Write, actor: Actor) -> FileJob:
    """Have the rows of `write` joined anew; return the job.

    One that is open already is returned as it is. Raises `NothingToJoin`.
    """
    if write.source != Write.Source.CSV or write.state != Write.State.CONFIRMED:
        raise NothingToJoin("Only a file that was sent has rows to match.")
    try:
        size = write.path_of("as_sent").stat().st_size
    except FileNotFoundError as error:
        raise NothingToJoin(in_words(error)) from None
    if is_moving(write):
        raise NothingToJoin(
            "It is still running. Its rows are matched automatically when it ends."
        )
    if job := write.jobs.filter(kind=JOIN, state__in=FileJob.OPEN).first():
        return job
    with transaction.atomic():
        AuditEvent.record(
            action="rows.rejoined",
            subject=f"Rows of write {write.pk}, matched to their results again",
            about=write,
            actor=actor,
            detail={"write": write.pk},
        )
        return begin_job.begin(write, JOIN, size=size, wait=False)


def not_joined() -> WriteQuerySet:
    """Return the writes whose last join failed, or that ended and never had one."""
    joins = FileJob.objects.filter(write=OuterRef("pk"), kind=JOIN)
    last = Subquery(joins.order_by("-pk").values("state")[:1])
    ended = ~Exists(Batch.objects.filter(write=OuterRef("pk"), is_settled=False))
    kept = Write.objects.filter(
        source=Write.Source.CSV,
        state=Write.State.CONFIRMED,
        files_deleted_at=None,
    )
    failed = Q(last_join=FileJob.State.FAILED)
    never = Q(last_join=None, rows_store="") & ended
    return kept.annotate(last_join=last).filter(failed | never).order_by("pk")
