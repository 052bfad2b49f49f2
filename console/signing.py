"""Signatures that others can check: Ed25519, by keys outside the database.

A seal of the audit trail proves something to who has the key; a signature does to
everybody. The private keys are derived from AUDIT_KEYS, then FIELD_KEYS, and kept
nowhere. The first signs. The public keys of the others are told as well, so that what
was signed before a new key came in front can still be compared.
"""

import hmac
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings

# Names the use, so that nothing else that a key does can be taken for a signature. What
# is signed begins with a use of its own, so that a report is never taken for a pack.
_USE = b"write console: signatures"


def public_keys() -> list[str]:
    """Return the public keys in hex; what is signed now is signed by the first."""
    return list(_keys())


def sign(message: bytes, by: str) -> bytes:
    """Return the signature of `message` by one of `public_keys`."""
    return _keys()[by].sign(message)


def is_signed(message: bytes, *, public_key: str, signature: str) -> bool:
    """Tell whether the partner of `public_key`, both in hex, signed `message`.

    A signature counts as it was written alone: in small letters, nothing between.
    """
    try:
        given = bytes.fromhex(signature)
        if given.hex() != signature:
            return False
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(given, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _keys() -> dict[str, Ed25519PrivateKey]:
    return _derived((*settings.AUDIT_KEYS, *settings.FIELD_KEYS))


@lru_cache(maxsize=8)
def _derived(given: tuple[str, ...]) -> dict[str, Ed25519PrivateKey]:
    seeds = [hmac.digest(key.encode(), _USE, "sha256") for key in given]
    keys = map(Ed25519PrivateKey.from_private_bytes, seeds)
    return {key.public_key().public_bytes_raw().hex(): key for key in keys}
