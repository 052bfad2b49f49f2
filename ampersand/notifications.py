"""What Ampersand tells by itself: notifications, and whether one is genuine.

They come through Svix, which signs each: HMAC-SHA256 over `id.timestamp.body`, with the
bytes that stand in Base64 behind `whsec_`, in Base64 behind `v1,`; several signatures
may stand side by side, with blanks between. Source: Svix's document "Verifying webhooks
manually", and Ampersand's of webhooks. The document of `write.async.done` names neither
operation nor counts, so that nothing but "ask again" follows from one.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ampersand.schemas import dict_or_empty, text_of
from ampersand.secrets import SecretStr

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 16, 128
# One that is older or newer than so many seconds may be somebody's second use of it.
MOST_APART = 300
LONGEST_ID = 100
LONGEST_TIMESTAMP = 12
MOST_SIGNATURES = 20


class NotGenuine(Exception):
    """It is not from who has the secret, or not from now; the text says which."""


@dataclass(frozen=True)
class Notification:
    """A genuine one: of which customer and object something ended, "" where not told.

    `id` is Svix's: the same when it is sent once more.
    """

    id: str
    installation: str
    group_ref: str
    object_name: str

    @classmethod
    def read(cls, message_id: str, body: bytes) -> Self:
        """Read a body, wherever in it the fields stand; what is no JSON has none."""
        try:
            said = dict_or_empty(json.loads(body))
        except (ValueError, RecursionError):
            said = {}
        fields = {**said, **dict_or_empty(said.get("data"))}
        names = ("installationId", "groupRef", "objectName")
        told = [text_of(fields.get(name)) or "" for name in names]
        # No name has a line end or a NUL, which a database would refuse.
        usable = [text if text.isprintable() else "" for text in told]
        return cls(message_id, *usable)


def key_of(secret: SecretStr) -> bytes:
    """Return the bytes to sign with. Raises ValueError where it is no such secret."""
    text = secret.reveal()
    if not text.startswith(PREFIX):
        raise ValueError("A signing secret begins with whsec_.")
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("What follows whsec_ is not Base64.") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise ValueError("This is too short or too long for a signing secret.")
    return key


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    """Return what a message with this id, from then, is signed with."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return b"v1," + base64.b64encode(digest)


def genuine(
    key: bytes, headers: Mapping[str, str], body: bytes, *, now: datetime
) -> Notification:
    """Return what a body says. Raises NotGenuine unless it is signed, and from now."""
    message_id, timestamp, signatures = (
        headers.get(f"svix-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not 0 < len(message_id) <= LONGEST_ID or not message_id.isprintable():
        raise NotGenuine("It has no id.")
    is_number = timestamp.isascii() and timestamp.isdecimal()
    if not is_number or len(timestamp) > LONGEST_TIMESTAMP:
        raise NotGenuine("It has no time.")
    if abs(now.timestamp() - int(timestamp)) > MOST_APART:
        raise NotGenuine("It is too old, or from the future.")
    right = signature(key, message_id, timestamp, body)
    given = signatures.encode(errors="replace").split(b" ")[:MOST_SIGNATURES]
    # All are compared, so that the time tells nothing.
    if not sum(hmac.compare_digest(each, right) for each in given):
        raise NotGenuine("It is not signed with the secret.")
    return Notification.read(message_id, body)
