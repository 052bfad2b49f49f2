"""Files that wait until somebody says where they go."""

import uuid
from contextlib import suppress
from pathlib import Path

from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from console.actor import Actor
from files.reading.inspection import header_of_beginning
from writes.actions.tell_audit import audit_upload
from writes.models import KeptFile
from writes.storage import delete, measure, storable, stored


def keep(file: File[bytes], file_name: str, user: User, actor: Actor) -> KeptFile:
    """Keep a file for `user`, with the names of its columns where they can be read."""
    name = stored(file, "original")
    columns = storable(header_of_beginning(Path(default_storage.path(name))))
    size, sha256 = measure(Path(default_storage.path(name)))
    with transaction.atomic():
        audit_upload(actor, file_name=file_name, size=size, sha256=sha256)
        return KeptFile.objects.create(
            user=user, file=name, file_name=file_name, size=size, columns=columns
        )


def find(token: str | uuid.UUID | None, user: User) -> KeptFile | None:
    """Return the file of `user` with this token, None where there is none any more."""
    with suppress(ValueError, AttributeError):
        return KeptFile.objects.filter(token=uuid.UUID(str(token)), user=user).first()
    return None


def forget(kept: KeptFile) -> None:
    """Let a file go that has become one of a write, or that nobody came back for."""
    kept.delete()
    delete(kept.file.name)
