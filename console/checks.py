"""What `manage.py check` says about the console's own settings."""

from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Warned
from django.db import DatabaseError, InterfaceError, connection
from django.http.request import validate_host

from console.runtime import db_clock

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


@register(Tags.security)
def public_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a PUBLIC_URL under which the console would give no file away."""
    if not settings.PUBLIC_URL:
        return []
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        text = "PUBLIC_URL is no address, as https://console.example.com."
        return [Error(text, id="console.E003")]
    if not validate_host(parts.hostname, settings.ALLOWED_HOSTS):
        hint = f"Add {parts.hostname} to ALLOWED_HOSTS."
        text = "The console does not answer to the host of PUBLIC_URL."
        return [Error(text, hint=hint, id="console.E004")]
    if settings.HTTPS_ONLY and parts.scheme != "https":
        text = "PUBLIC_URL begins with http, and HTTPS_ONLY is set."
        return [Warned(text, id="console.W001")]
    return []


@register(Tags.security)
def s3_store(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report an S3 store that is described by halves."""
    needed = ("S3_BUCKET", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY")
    missing = [name for name in needed if not getattr(settings, name)]
    if not settings.S3_BUCKET or not missing:
        return []
    text = f"S3_BUCKET is set, and these are not: {', '.join(missing)}."
    return [Error(text, id="console.E005")]


@register(Tags.security, deploy=True)
def one_machine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn of SQLite where several machines run: each would have a database alone.

    `manage.py check --deploy` asks it. Several are set by MACHINES or were seen.
    """
    if connection.vendor != "sqlite":
        return []
    hosts = _hosts_seen()
    if settings.MACHINES > 1:
        seen = f"MACHINES is {settings.MACHINES}"
    elif len(hosts) > 1:
        seen = f"workers and clocks of {', '.join(hosts)} were seen within a day"
    else:
        return []
    text = f"The database is SQLite, which is for one machine, and {seen}."
    return [Warned(text, hint="Set DATABASE_URL to a PostgreSQL.", id="console.W002")]


def _hosts_seen() -> list[str]:
    """Return the machines that workers and clocks ran on since yesterday."""
    from console.models import Heartbeat

    try:
        seen = Heartbeat.objects.filter(seen_at__gt=db_clock.now() - Heartbeat.KEPT)
        return sorted(set(seen.values_list("host", flat=True)))
    except (DatabaseError, InterfaceError):
        # It cannot be reached, or has no tables yet: others say so.
        return []
