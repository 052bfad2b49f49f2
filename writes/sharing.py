"""Addresses from which Ampersand fetches a file: the console's own, or an S3 store's.

An address is made when the write is sent, never before, and nothing of it is stored but
a digest: whoever reads the database or a page cannot fetch the file with it.
"""

from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from files.remote.stores import S3Store, new_name
from writes.models import Batch, SharedAddress, Write

# Ampersand fetches soon; a job that waits in a queue may take hours.
OPEN_FOR = timedelta(hours=24)
# Ampersand's write-actions document: a file behind a URL has at most 150 MiB.
LARGEST_URL = 150 * 1024 * 1024
# Salesforce counts its own 150 MB after base64 (Bulk API 2.0 guide).
LARGEST_SAFE_URL = 100_000_000


def deliveries(size: int) -> list[str]:
    """Return how a file of `size` bytes, too big for one request, can be handed over.

    Ampersand fetches no more than 150 MiB.
    """
    ways = [Write.Delivery.PARTS]
    if size > LARGEST_URL:
        return [str(way) for way in ways]
    if settings.PUBLIC_URL:
        ways.append(Write.Delivery.CONSOLE)
    if settings.S3_BUCKET:
        ways.append(Write.Delivery.STORE)
    return [str(way) for way in ways]


def share(batch: Batch) -> str:
    """Make an address for the text of `batch` and return it.

    Raises `FileNotFoundError` if the file is gone, and `StoreError`.
    """
    if batch.write.delivery == Write.Delivery.STORE:
        return _put_in_store(batch)
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
    store = s3_store()
    name = new_name()
    store.put(batch.write.path_of("as_sent"), name)
    batch.store_name = name
    batch.save(update_fields=["store_name"])
    return store.signed_get(name, int(OPEN_FOR.total_seconds()))


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


def stop_sharing(batch: Batch) -> None:
    """End the address of a batch that nobody needs to fetch any more."""
    address = SharedAddress.objects.filter(batch=batch).first()
    if address is not None:
        address.revoke()
    if batch.store_name:
        s3_store().delete(batch.store_name)
        Batch.objects.filter(pk=batch.pk).update(store_name="")
