"""Signatures of what leaves the console as a proof: a public key checks them anywhere.

Ed25519. The keys are derived from AUDIT_KEYS, then FIELD_KEYS, as the seals of the
audit trail are: the first signs, all of them verify.
"""

import hmac
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings

# Names the use, so that nothing else that a key does can be taken for a signature.
_USE = b"write console: signed report"


def public_keys() -> list[str]:
    """Return the public keys as hexadecimal digits; the first one's partner signs."""
    return [_public(key) for key in _private_keys()]


def sign(content: bytes) -> tuple[str, str]:
    """Return the public key and the signature of `content`, as hexadecimal digits."""
    key = _private_keys()[0]
    return _public(key), key.sign(content).hex()


def is_signed(content: bytes, *, public_key: str, signature: str) -> bool:
    """Tell whether the partner of `public_key` signed `content`."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private_keys() -> list[Ed25519PrivateKey]:
    return _derived((*settings.AUDIT_KEYS, *settings.FIELD_KEYS))


@lru_cache(maxsize=8)
def _derived(given: tuple[str, ...]) -> list[Ed25519PrivateKey]:
    seeds = (hmac.digest(key.encode(), _USE, "sha256") for key in given)
    return [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()
