"""Retention: files and values go after their time; digests, counts and the audit stay.

What was sent is kept for KEEP_DAYS of its environment, drafts that nobody came back to
for a day. Nothing goes while an operation may still need it, nor what somebody holds or
pinned (`writes.models.Preservation`). How a write is emptied: `forget_values`.
"""

import stat
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from console.models import AuditEvent
from console.sign_in import throttle
from writes import dispatch
from writes.actions import (
    derive,
    forget_values,
    kept_files,
    log_retention,
    notified,
    tell,
)
from writes.models import Batch, Destination, FileJob, KeptFile, Write
from writes.models.preservation import DRAFTS_KEPT, is_busy, is_warned_of

# A file that no row names may be one that is being made just now.
STRAYS_KEPT = timedelta(days=1)
# One that is half made has a dot before its name. Who makes it writes to it all the
# time, and has a job that is open.
HALF_MADE_KEPT = timedelta(hours=1)
# So many are looked for at once; and none is begun after so many seconds, since the
# clock has other things to do: the next sweep goes on.
MOST_AT_ONCE = 500
SECONDS = 20.0
LEFT_IN_STORE = ~Q(store_name="") & Q(is_settled=True)


def sweep(now: datetime, *, seconds: float = SECONDS) -> int:
    """Take away what is past its time; return how many writes lost their values.

    What a sweep that was killed left over goes first.
    """
    until = time.monotonic() + seconds
    for write in _in_time(_half_swept(now), until):
        forget_values.finish(write, now)
    drafts = sum(_discard(write, now) for write in _in_time(_drafts(now), until))
    swept = drafts
    for environment, days in settings.KEEP_DAYS.items():
        kept = timedelta(days=days)
        for write in _in_time(_sent(environment, now, kept), until):
            swept += _empty(write, now)
        _forget_how_files_were_mended(environment, now - kept)
    log_retention.sweep(now, seconds=seconds)
    for pk in Batch.objects.filter(LEFT_IN_STORE).values_list("pk", flat=True):
        dispatch.enqueue_deletion(pk)
    uploads = list(KeptFile.objects.filter(created_at__lt=now - DRAFTS_KEPT))
    for kept_file in uploads:
        kept_files.forget(kept_file)
    strays = _forget_strays(now)
    _audit_sweep(drafts=drafts, uploads=len(uploads), strays=strays)
    throttle.forget_old(now)
    notified.forget_old(now)
    tell.forget_old(now)
    return swept


def _in_time(writes: QuerySet[Write], until: float) -> Iterator[Write]:
    """Yield the first of `writes`, as many as there is time for.

    The key of each before its row: rows are large. Not what somebody came back to, or
    keeps, since the keys were read.
    """
    rows = writes.select_related("integration__project")
    for pk in list(writes.values_list("pk", flat=True)[:MOST_AT_ONCE]):
        if time.monotonic() > until:
            return
        yield from rows.filter(pk=pk)


def _half_swept(now: datetime) -> QuerySet[Write]:
    """Return the writes that were begun to be emptied, and nobody keeps since."""
    begun = Write.objects.filter(files_deleted_at__isnull=False, values_deleted_at=None)
    return begun.filter(is_warned_of(now)).order_by("pk")


def _drafts(now: datetime) -> QuerySet[Write]:
    """Return drafts that nobody came back to, and what was discarded with its values.

    A draft whose first rows were sent on trial is the rest of something, and so is a
    trial whose rest was sent: they are kept as long as that.
    """
    on_trial = Write.objects.filter(
        parent=OuterRef("pk"),
        relation=Write.Relation.TRIAL,
        state=Write.State.CONFIRMED,
        files_deleted_at=None,
    )
    rest_is_sent = Q(
        relation=Write.Relation.TRIAL,
        parent__state=Write.State.CONFIRMED,
        parent__files_deleted_at=None,
    )
    drafts = Q(~Exists(on_trial), ~rest_is_sent, state=Write.State.DRAFT)
    old = Write.objects.filter(changed_at__lt=now - DRAFTS_KEPT, files_deleted_at=None)
    unsent = old.filter(drafts | Q(state=Write.State.DISCARDED), is_warned_of(now))
    return unsent.order_by("-state", "pk")


def _discard(write: Write, now: datetime) -> bool:
    with transaction.atomic():
        # Who changes or keeps it at this moment comes before or after this.
        Write.objects.select_for_update().get(pk=write.pk)
        if not _drafts(now).filter(pk=write.pk).exists():
            return False
        if write.is_draft and not derive.discard(write, wait=False):
            return False
    return _empty(write, now)


def _sent(environment: str, now: datetime, kept: timedelta) -> QuerySet[Write]:
    working = FileJob.objects.filter(write=OuterRef("pk"), state__in=FileJob.OPEN)
    return Write.objects.filter(
        ~is_busy(),
        ~Exists(working),
        is_warned_of(now),
        files_deleted_at=None,
        state=Write.State.CONFIRMED,
        integration__project__environment=environment,
        confirmed_at__lt=now - kept,
    ).order_by("confirmed_at")


def _empty(write: Write, now: datetime) -> bool:
    if not forget_values.begin(write, now):
        return False
    forget_values.finish(write, now)
    return True


def _forget_how_files_were_mended(environment: str, before: datetime) -> None:
    """Forget values that somebody had put into every row of a file.

    A preset has a name, and is there to do so again.
    """
    Destination.objects.filter(
        name="", used_at__lt=before, integration__project__environment=environment
    ).exclude(recipe_json={}).update(recipe_json={})


def _audit_sweep(**counts: int) -> None:
    """Record what a sweep took away that no event of its own tells of."""
    if not any(counts.values()):
        return
    AuditEvent.record(
        action="files.swept",
        subject="Drafts and files that nobody came back to",
        detail=counts,
    )


def _forget_strays(now: datetime) -> int:
    """Delete files that no write names, left by a killed process; return how many."""
    folders = [
        Path(default_storage.path("writes")),
        Path(settings.FILE_UPLOAD_TEMP_DIR),
    ]
    before = (now - STRAYS_KEPT).timestamp()
    is_working = FileJob.objects.filter(state__in=FileJob.OPEN).exists()
    half_made = before if is_working else (now - HALF_MADE_KEPT).timestamp()
    root = Path(default_storage.path(""))
    deleted = 0
    for folder in folders:
        if not folder.exists():
            continue
        for path in folder.rglob("*"):
            latest = half_made if path.name.startswith(".") else before
            if not _is_left_since(path, latest):
                continue
            if path.is_relative_to(root) and _is_named(path.relative_to(root)):
                continue
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted


def _is_left_since(path: Path, latest: float) -> bool:
    """Tell whether this is a file that nobody touched since `latest`.

    A link to an older file is new by its change time alone.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_ctime < latest


def _is_named(name: Path) -> bool:
    named = Q()
    for kind in Write.FILES:
        named |= Q(**{kind: name.as_posix()})
    waits = KeptFile.objects.filter(file=name.as_posix())
    return Write.objects.filter(named).exists() or waits.exists()
