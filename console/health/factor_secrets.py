"""The secrets of second factors: FIELD_KEYS encrypt them as they do API keys.

A security key has none: what is stored of it is public.
"""

from collections.abc import Iterator

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt, encrypt
from cryptography.fernet import InvalidToken
from django.db import transaction

TYPE = Authenticator.Type
# Where in a row it stands.
NAMES = {TYPE.TOTP.value: "secret", TYPE.RECOVERY_CODES.value: "seed"}


def factor_secrets() -> Iterator[tuple[Authenticator, str]]:
    """Yield what has a secret, and its name."""
    rows = Authenticator.objects.filter(type__in=NAMES).select_related("user")
    yield from ((row, NAMES[row.type]) for row in rows)


def unreadable_factors() -> list[str]:
    """Return the names of those that no key of FIELD_KEYS opens."""
    found = []
    for row, name in factor_secrets():
        try:
            decrypt(row.data[name])
        except InvalidToken:
            found.append(_name_of(row))
    return found


def encrypt_anew() -> tuple[int, list[str]]:
    """Encrypt all of them with the first key of FIELD_KEYS.

    Returns how many, and whose could not be read.
    """
    done, unreadable = 0, []
    for row, name in factor_secrets():
        try:
            _encrypt_anew(row.pk, name)
            done += 1
        except InvalidToken:
            unreadable.append(_name_of(row))
    return done, unreadable


@transaction.atomic
def _encrypt_anew(pk: int, name: str) -> None:
    # What is used meanwhile stays used.
    row = Authenticator.objects.select_for_update().get(pk=pk)
    row.data[name] = encrypt(decrypt(row.data[name]))
    row.save(update_fields=["data"])


def _name_of(row: Authenticator) -> str:
    """Return what people call it."""
    return f"{row.get_type_display()} of {row.user}"
