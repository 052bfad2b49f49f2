"""From an address that cannot be sent to a file that can be fixed here."""

import uuid
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from django.db import transaction

from console.actor import Actor
from files.remote.judging import is_ok
from files.remote.looking import RemoteFile
from writes.actions import begin_job, derive, quota, save_draft
from writes.models import FileJob, Write


class NotFetched(Exception):
    """Nothing is fetched; the text says why, for operators."""


def can_be_fetched(write: Write) -> bool:
    """Tell whether a draft of an address is kept back by its file alone."""
    if write.source != Write.Source.URL or not write.is_draft or write.is_ready:
        return False
    found = RemoteFile.from_json(write.remote_file) if write.remote_file else None
    return found is not None and found.blocks and is_ok(found.status)


def fetch(write: Write, actor: Actor) -> Write:
    """Return a draft of the file at the address of a draft, whose place it takes.

    It goes where that one goes; a worker fetches the file and checks it. Raises
    `NotFetched`.
    """
    if not can_be_fetched(write):
        raise NotFetched(
            "Only a draft whose URL has an error in its file can be fetched."
        )
    size = write.remote_file.get("size") or 0
    if actor.user is not None:
        try:
            quota.need_quota(actor.user, size)
        except quota.QuotaReached as error:
            raise NotFetched(str(error)) from None
    with transaction.atomic():
        if not derive.discard(write, actor=actor):
            raise NotFetched("It is no draft any more.")
        fetched = save_draft.save_draft(
            token=uuid.uuid4(),
            actor=actor,
            **{name: getattr(write, name) for name in derive.TARGET}
            | {"source": Write.Source.CSV},
            url=write.url,
            remote_file=write.remote_file,
            file_name=_name_of(write.url),
            is_ready=False,
        )
        derive.hand_on_authors(write, fetched)
    begin_job.begin(fetched, FileJob.Kind.CHECK, size=size, wait=False)
    return fetched


def _name_of(url: str) -> str:
    """Return the last part of the path, as people know the file."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    shown = "".join(char for char in name if char.isprintable())
    return shown[-255:] or "fetched.csv"
