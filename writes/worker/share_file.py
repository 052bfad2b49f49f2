"""Addresses from which Ampersand fetches a file: the console's own, an S3 store's, or
Ampersand's storage.

An address is made when the write is sent, never before, and nothing of it is stored but
a digest: whoever reads the database or a page cannot fetch the file with it.
"""

import base64
import hashlib
import logging
from datetime import timedelta
from functools import partial
from typing import cast

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from ampersand import NotSent, OutcomeUnknown, Refused, Upload, UploadFailed
from console.runtime.trouble import Prevented
from files.remote.stores import S3Store, StoreError, new_name
from files.splitting import Part, part_blocks
from writes.delivery import deliveries
from writes.models import Batch, SharedAddress, Write

log = logging.getLogger(__name__)

# Ampersand fetches soon; a job that waits in a queue may take hours.
OPEN_FOR = timedelta(hours=24)


def share(batch: Batch) -> str:
    """Make an address for the text of `batch` and return it.

    Raises `FileNotFoundError` if the file is gone, `StoreError`, and `Prevented` where
    the settings have lost what was chosen.
    """
    way = batch.write.delivery
    if way not in deliveries(batch.write, 0):
        raise Prevented(
            "The chosen delivery is no longer set up. Ask whoever runs this console, "
            "or cancel this and send it again in parts."
        )
    if way == Write.Delivery.STORE:
        return _put_in_store(batch)
    if way == Write.Delivery.UPLOAD:
        return _upload(batch)
    return _share_from_here(batch)


def _share_from_here(batch: Batch) -> str:
    token = SharedAddress.new_token()
    now = timezone.now()
    SharedAddress.objects.update_or_create(
        batch=batch,
        defaults={
            "token_sha256": SharedAddress.digest(token),
            "created_at": now,
            "expires_at": now + OPEN_FOR,
            "revoked_at": None,
        },
    )
    path = reverse("served", args=[token])
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"


def _put_in_store(batch: Batch) -> str:
    """Put the file there, under the name that an earlier try gave it."""
    store = s3_store()
    # Noted first: what was put there by a process that died can be found, too.
    batch.store_name = name = batch.store_name or new_name()
    batch.save(update_fields=["store_name"])
    store.put(batch.write.path_of("as_sent"), name)
    return store.signed_get(name, int(OPEN_FOR.total_seconds()))


def _upload(batch: Batch) -> str:
    """Put the text of `batch` into Ampersand's storage; return its reference.

    That writes nothing, so a worker that dies after it has it done once more.
    """
    path, part = batch.write.path_of("as_sent"), cast(Part, batch.part)
    blocks = partial(part_blocks, path, part)
    size, digest = 0, hashlib.md5(usedforsecurity=False)
    for block in blocks():
        size += len(block)
        digest.update(block)
    file = Upload(
        name=f"write-{batch.write_id}-part-{batch.number}.csv",
        size=size,
        md5=base64.b64encode(digest.digest()).decode(),
        blocks=blocks,
    )
    try:
        return batch.write.project.client().upload(file)
    except (NotSent, OutcomeUnknown, Refused, UploadFailed) as error:
        raise StoreError(f"The file is not in Ampersand's storage. {error}") from None


def s3_store() -> S3Store:
    """Return the store of the settings."""
    return S3Store(
        bucket=settings.S3_BUCKET,
        endpoint=settings.S3_ENDPOINT,
        region=settings.S3_REGION,
        access_key=settings.S3_ACCESS_KEY,
        secret_key=settings.S3_SECRET_KEY,
        prefix=settings.S3_PREFIX,
    )


def remove_from_store(batch_id: int) -> None:
    """Take the file of a settled batch out of the store, if it still is there."""
    batch = Batch.objects.get(pk=batch_id)
    if not batch.is_settled or not batch.store_name:
        return
    if not (settings.S3_BUCKET and settings.S3_ENDPOINT):
        log.warning("Batch %s: its file is in a store that is not set up", batch_id)
        return
    try:
        s3_store().delete(batch.store_name)
    except StoreError as error:
        log.warning("Batch %s: its file is still in the store. %s", batch_id, error)
        return
    Batch.objects.filter(pk=batch_id).update(store_name="")
