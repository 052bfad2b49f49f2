"""Noting that something happened to a write of which people want to be told.

Whatever changes the state of an operation leaves a mark on it (`has_news`), and the
clock looks at what is marked. What its write comes to is kept with the write (`told`)
in one transaction with the notices of it, so that an event is neither lost nor told
twice. Parts of a write are one write: what matters is where it stands as a whole.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from console.models import MailWish, Webhook
from operations.models import Operation
from writes.display.result import result_of
from writes.models import Batch, Notice, Write
from writes.models.batch import stopped_at
from writes.models.notice import KEPT, OLDEST
from writes.worker.hold import CONSOLE

State = Operation.State
Event = Notice.Event

MOST_AT_ONCE = 500


def tell_news(now: datetime) -> int:
    """Note the events of what changed; return how many notices follow from them."""
    found = Operation.objects.filter(has_news=True).order_by("pk")
    rows = list(found.values_list("batch__write", "pk", "version")[:MOST_AT_ONCE])
    rows.sort(key=lambda row: row[0] or 0)
    made = 0
    for write_id, changed in groupby(rows, key=lambda row: row[0]):
        with transaction.atomic():
            # Before its operations, as who pauses it does.
            write = _locked(write_id)
            for _, pk, version in changed:
                # Whatever changes after this marks it again.
                seen = Operation.objects.filter(pk=pk, version=version)
                seen.update(has_news=False)
            if write is not None:
                made += _tell(write, now)
    return made


def _locked(pk: int | None) -> Write | None:
    """Return a write that no other clock looks at; None for what has none."""
    rows = Write.objects.select_for_update(of=("self",))
    return None if pk is None else rows.get(pk=pk)


def _tell(write: Write, now: datetime) -> int:
    batches = list(write.batches.select_related("operation"))
    event = event_of(write, batches)
    before = write.told
    if event == before or before == Event.ENDED:
        return 0
    write.told, write.told_count = event, write.told_count + 1
    write.save(update_fields=["told", "told_count"])
    # Who was told that an outcome is unknown looks at the rest, too.
    is_known = (before, event) == (Event.UNKNOWN, Event.DECISION)
    if not event or is_known or _is_small(write, event):
        return 0
    at = _at(batches, event, now)
    return _make(write, batches, event, at, now) if now - at <= OLDEST else 0


def event_of(write: Write, batches: Sequence[Batch]) -> str:
    """Return what is to be told of a write as it stands, "" while it goes on.

    `batches` come with their operations.
    """
    operations = [batch.operation for batch in batches]
    if any(operation.needs_person for operation in operations):
        return Event.UNKNOWN
    is_open = any(
        operation.is_in_flight or operation.state == State.HELD
        for operation in operations
    )
    if not is_open:
        return Event.ENDED
    is_held = write.paused_at is not None and write.paused_by_name == CONSOLE.name
    is_stopped = any(batch.stopped_why for batch in batches)
    if is_held or is_stopped or stopped_at(write, batches):
        return Event.DECISION
    return ""


def _is_small(write: Write, event: str) -> bool:
    """Tell whether it is the end of a single record, which nobody waits for."""
    return event == Event.ENDED and write.source == Write.Source.RECORD


def _at(batches: Sequence[Batch], event: str, now: datetime) -> datetime:
    """Return when it happened, as far as is known."""
    if event != Event.ENDED:
        return now
    ended = [batch.operation.ended_at for batch in batches]
    return max(filter(None, ended), default=now)


def _make(
    write: Write,
    batches: Sequence[Batch],
    event: str,
    at: datetime,
    now: datetime,
) -> int:
    counts = result_of(write, batches).counts
    own = Q(project=None, person=batches[0].operation.started_by_id)
    made = Notice.objects.bulk_create(
        Notice(
            write=write,
            number=write.told_count,
            event=event,
            at=at,
            counts=counts if write.source == Write.Source.CSV else {},
            due_at=now,
            **target,
        )
        for target in targets(write, own | Q(project=write.project))
    )
    return len(made)


def targets(write: Write, wishes: Q) -> Iterator[dict[str, object]]:
    """Yield whom a notice goes to: the webhooks, and people with one of these wishes.

    `wishes` is a condition of `MailWish`.
    """
    hooks = Webhook.objects.filter(project=write.project)
    for pk in hooks.values_list("pk", flat=True):
        yield {"webhook_id": pk}
    if settings.SENDS_MAIL:
        yield from _people(MailWish.objects.filter(wishes))


def _people(wishes: QuerySet[MailWish]) -> Iterator[dict[str, object]]:
    people = User.objects.filter(pk__in=wishes.values("person"), is_active=True)
    for pk in people.exclude(email="").order_by("pk").values_list("pk", flat=True):
        yield {"person_id": pk}


def forget_old(now: datetime) -> None:
    """Forget the notices that nobody looks for any more."""
    Notice.objects.filter(at__lt=now - KEPT, due_at=None).delete()
