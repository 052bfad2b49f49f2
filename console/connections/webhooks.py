"""The webhook of a project: given, taken away, and posted to."""

import base64
import json
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from ampersand import SecretStr
from ampersand.notifications import PREFIX, key_of, signature
from ampersand.posting import PostFailed, post
from console.actor import Actor
from console.clients import addresses_outside
from console.connections.save import record
from console.fields import UnreadableSecret
from console.models import Project, Webhook
from console.redaction import remember

SECRET_BYTES = 32


def give(project: Project, address: SecretStr, actor: Actor) -> SecretStr:
    """Have notices posted to `address` from now on; return what they are signed with.

    What was kept of another address before goes, and is not read.
    """
    bytes_ = secrets.token_bytes(SECRET_BYTES)
    secret = SecretStr(PREFIX + base64.b64encode(bytes_).decode())
    remember(secret)
    host = urlsplit(address.reveal()).hostname or ""
    with transaction.atomic():
        known = Webhook.objects.filter(project=project)
        before = known.values_list("host", flat=True).first()
        known.delete()
        Webhook.objects.create(
            project=project, address=address, secret=secret, host=host[:300]
        )
        record("webhook.changed", project, actor, {"host": [before, host]})
    return secret


def take_away(project: Project, actor: Actor) -> None:
    """Post nothing more of a project: address, secret and what waits are deleted."""
    with transaction.atomic():
        deleted, _ = Webhook.objects.filter(project=project).delete()
        if deleted:
            record("webhook.deleted", project, actor)


def addresses_for_webhooks(host: str, port: int) -> Sequence[str]:
    """Return where to connect to, as the resolver says now.

    Raises `AddressRefused` for a host that leads inside and is not in PRIVATE_HOSTS;
    OSError for one that is not known.
    """
    return addresses_outside(host, port, named=settings.PRIVATE_HOSTS)


def tell(
    webhook: Webhook,
    message: dict[str, Any],
    message_id: uuid.UUID,
    *,
    now: datetime,
    seconds: float,
) -> None:
    """Post a message, signed as Standard Webhooks has it. Raises `PostFailed`.

    The same id comes again with a message that may have arrived.
    """
    body = json.dumps(message, ensure_ascii=False).encode()
    timestamp = str(int(now.timestamp()))
    try:
        address, key = webhook.address.reveal(), key_of(webhook.secret)
    except UnreadableSecret:
        raise PostFailed("FIELD_KEYS does not open its address.") from None
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Write-Console",
        "webhook-id": str(message_id),
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(key, str(message_id), timestamp, body).decode(),
    }
    post(address, body, headers, resolve=addresses_for_webhooks, seconds=seconds)
