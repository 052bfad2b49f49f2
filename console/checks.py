"""What `manage.py check` says about the console's own settings."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

HINT = (
    "Make one with: python -c 'from cryptography.fernet import Fernet; "
    "print(Fernet.generate_key().decode())'"
)


@register(Tags.security)
def field_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report FIELD_KEYS that are missing or no Fernet keys, by their place only."""
    if not settings.FIELD_KEYS:
        text = "FIELD_KEYS is empty, so API keys can be neither stored nor read."
        return [Error(text, hint=HINT, id="console.E001")]
    return [
        Error(
            f"Key {number} of FIELD_KEYS is not 32 bytes in URL-safe base64.",
            hint=HINT,
            id="console.E002",
        )
        for number, key in enumerate(settings.FIELD_KEYS, 1)
        if not _is_fernet_key(key)
    ]


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
