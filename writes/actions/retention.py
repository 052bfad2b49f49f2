"""Retention: files go after their time; digests, counts and the audit stay.

Files of a write that was sent are kept for KEEP_DAYS of its environment, drafts that
nobody came back to for a day. Nothing goes while an operation may still need it, nor
what somebody holds or pinned (`writes.models.Preservation`).
"""

import stat
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from console.models import AuditEvent
from console.sign_in import throttle
from operations.models import Operation
from writes import dispatch, record_index
from writes.actions import derive, kept_files, log_retention, notified, tell
from writes.models import Batch, Call, FileJob, KeptFile, KeyLookup, Write
from writes.models.preservation import is_warned_of, with_files
from writes.search import terms
from writes.storage import delete

DRAFTS_KEPT = timedelta(days=1)
# A file that no row names may be one that is being made just now.
STRAYS_KEPT = timedelta(days=1)
# One that is half made has a dot before its name. Who makes it writes to it all the
# time, and has a job that is open.
HALF_MADE_KEPT = timedelta(hours=1)
MOST_AT_ONCE = 500
LEFT_IN_STORE = ~Q(store_name="") & Q(is_settled=True)


def sweep(now: datetime) -> int:
    """Take away what is past its time; return how many writes lost their files."""
    drafts = sum(_discard(write, now) for write in _drafts(now)[:MOST_AT_ONCE])
    swept = drafts
    for environment, days in settings.KEEP_DAYS.items():
        for write in _sent(environment, now, timedelta(days=days)):
            swept += _forget(write, now)
    log_retention.sweep(now)
    for pk in Batch.objects.filter(LEFT_IN_STORE).values_list("pk", flat=True):
        dispatch.enqueue_deletion(pk)
    uploads = list(KeptFile.objects.filter(created_at__lt=now - DRAFTS_KEPT))
    for kept in uploads:
        kept_files.forget(kept)
    terms.forget_values(now)
    strays = _forget_strays(now)
    _audit_sweep(drafts=drafts, uploads=len(uploads), strays=strays)
    throttle.forget_old(now)
    notified.forget_old(now)
    tell.forget_old(now)
    return swept


def _drafts(now: datetime) -> list[Write]:
    """Return drafts that nobody came back to, and what was discarded with its files.

    A draft whose first rows were sent on trial is the rest of something, and so is a
    trial whose rest was sent: they are kept as long as that.
    """
    on_trial = Write.objects.filter(
        parent=OuterRef("pk"),
        relation=Write.Relation.TRIAL,
        state=Write.State.CONFIRMED,
        files_deleted_at=None,
    )
    old = Write.objects.filter(changed_at__lt=now - DRAFTS_KEPT)
    rest_is_sent = Q(
        relation=Write.Relation.TRIAL,
        parent__state=Write.State.CONFIRMED,
        parent__files_deleted_at=None,
    )
    drafts = old.filter(~Exists(on_trial), ~rest_is_sent, state=Write.State.DRAFT)
    discarded = old.filter(with_files(), state=Write.State.DISCARDED)
    return [*drafts.order_by("pk"), *discarded.order_by("pk")]


def _discard(write: Write, now: datetime) -> bool:
    if write.is_draft and not derive.discard(write, wait=False):
        return False
    return _delete_files(write, now)


def _sent(environment: str, now: datetime, kept: timedelta) -> list[Write]:
    busy = Batch.objects.filter(write=OuterRef("pk")).filter(
        Q(operation__state__in=(*Operation.IN_FLIGHT, *Operation.UNSENT))
        | Q(is_settled=False)
    )
    working = FileJob.objects.filter(write=OuterRef("pk"), state__in=FileJob.OPEN)
    return list(
        Write.objects.filter(
            with_files(),
            ~Exists(busy),
            ~Exists(working),
            is_warned_of(now),
            state=Write.State.CONFIRMED,
            integration__project__environment=environment,
            source=Write.Source.CSV,
            confirmed_at__lt=now - kept,
        ).order_by("confirmed_at")[:MOST_AT_ONCE]
    )


def _forget(write: Write, now: datetime) -> bool:
    if not _delete_files(write, now):
        return False
    AuditEvent.record(
        action="write.files_deleted",
        subject=f"Files of write {write.pk}, retention period ended",
        about=write,
        detail={
            "write": write.pk,
            "rows": write.row_count,
            "original_sha256": write.inspection.get("sha256"),
            "as_sent_sha256": write.check_report.get("as_sent_sha256"),
        },
    )
    return True


def _delete_files(write: Write, now: datetime) -> bool:
    """Note it first: a row that names a file that is gone would be worse."""
    names = {getattr(write, kind).name for kind in Write.FILES}
    mine = Write.objects.filter(pk=write.pk, files_deleted_at=None)
    with transaction.atomic():
        if not mine.update(files_deleted_at=now, **dict.fromkeys(Write.FILES, "")):
            return False
        record_index.forget(write)
    for name in names:
        delete(name)
    # They tell of the customer's records, row by row.
    Call.objects.filter(batch__write=write).update(outcome=None, answer=None)
    KeyLookup.objects.filter(write=write).delete()
    return True


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
