"""A model field that is encrypted at rest."""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models

from ampersand import SecretStr
from console.redaction import remember


class UnreadableSecret(Exception):
    """A stored secret that none of the keys in FIELD_KEYS opens."""


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("FIELD_KEYS is empty: API keys cannot be stored.")
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """Return the cipher of settings.FIELD_KEYS: the first key encrypts, all decrypt."""
    return _cipher(tuple(settings.FIELD_KEYS))


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """Text that Python sees as `SecretStr` and the database as a Fernet token.

    Reading raises `UnreadableSecret` when no key of FIELD_KEYS fits, so that a wrong
    key is never mistaken for a wrong API key. Look-ups raise `FieldError`: the same
    text encrypts differently each time.
    """

    def get_prep_value(self, value: Any) -> str | None:
        if value is None:
            return None
        plain = value.reveal() if isinstance(value, SecretStr) else str(value)
        return cipher().encrypt(plain.encode()).decode()

    def from_db_value(
        self, value: str | None, expression: Any, connection: Any
    ) -> SecretStr | None:
        if value is None:
            return None
        try:
            plain = cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            raise UnreadableSecret(
                "This API key was encrypted with a key that is no longer in FIELD_KEYS."
            ) from None
        secret = SecretStr(plain)
        remember(secret)
        return secret

    def to_python(self, value: Any) -> SecretStr | None:
        if value is None or isinstance(value, SecretStr):
            return value
        return SecretStr(str(value))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError("An encrypted field cannot be searched.")
