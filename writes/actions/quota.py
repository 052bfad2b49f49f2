"""How much the drafts of one person may keep on disk."""

import os
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage

from writes.models import KeptFile, Write

MIB = 1024 * 1024


class QuotaReached(Exception):
    """No more files are kept for this person; the text says what to do."""


def need_quota(user: User, more: int) -> None:
    """Raise `QuotaReached` if a person's drafts took too much with `more` bytes."""
    kept, most = kept_by(user), settings.DRAFTS_MIB * MIB
    if kept + more > most:
        raise QuotaReached(
            f"Your drafts use {kept / MIB:,.1f} MiB of files; with this one they would "
            f"exceed the {settings.DRAFTS_MIB:,} MiB that each user has. Send or "
            "discard some of them, then try again."
        )


def kept_by(user: User) -> int:
    """Return the bytes on disk of all files of a person's drafts, each counted once.

    What waits for its destination is as good as a draft.
    """
    drafts = Write.objects.filter(started_by=user, state=Write.State.DRAFT)
    names = {name for row in drafts.values_list(*Write.FILES) for name in row if name}
    names |= set(KeptFile.objects.filter(user=user).values_list("file", flat=True))
    found = {}
    for name in names:
        try:
            status = os.stat(Path(default_storage.path(name)))
        except OSError:
            # Somebody took it away just now.
            continue
        found[status.st_dev, status.st_ino] = status.st_size
    return sum(found.values())
