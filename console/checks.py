"""What `manage.py check` says about the console's own settings."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Warned
from django.db import DatabaseError, InterfaceError, connection
from django.http.request import validate_host

from console import private_files
from console.runtime import db_clock


@register(Tags.security)
def public_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a PUBLIC_URL under which the console would give no file away."""
    if not settings.PUBLIC_URL:
        return []
    parts = urlsplit(settings.PUBLIC_URL)
    if not validate_host(parts.hostname or "", settings.ALLOWED_HOSTS):
        hint = f"Add {parts.hostname} to ALLOWED_HOSTS."
        text = "The console does not answer to the host of PUBLIC_URL."
        return [Error(text, hint=hint, id="console.E004")]
    if settings.HTTPS_ONLY and parts.scheme != "https":
        text = "PUBLIC_URL begins with http, and HTTPS_ONLY is set."
        return [Warned(text, id="console.W001")]
    return []


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


@register(Tags.security, deploy=True)
def proxies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn of proxies that are counted and not trusted: what they name is not read."""
    if settings.TRUST_PROXY or settings.PROXY_COUNT == 1:
        return []
    text = f"PROXY_COUNT is {settings.PROXY_COUNT}, and TRUST_PROXY is not set."
    hint = "Set TRUST_PROXY, or all people count as one visitor: the last proxy."
    return [Warned(text, hint=hint, id="console.W010")]


@register(Tags.security, deploy=True)
def private_data(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn where other users of this machine may read customers' data or the keys.

    At the start rights are taken away, but not from a directory that others use as
    well, from what is another user's, or on a disk that knows no rights.
    """
    database = settings.DATABASES["default"]
    own = [Path(settings.BASE_DIR) / ".env"]
    if database["ENGINE"].endswith("sqlite3") and ":memory:" not in str(
        database["NAME"]
    ):
        own.append(Path(database["NAME"]))
    found = private_files.open_to_others(Path(settings.DATA_DIR), *own)
    if not found:
        return []
    names = ", ".join(map(str, dict.fromkeys(found)))
    text = f"Other users of this machine may read or enter: {names}."
    hint = "Give DATA_DIR a directory of its own, and run: chmod -R go= on these."
    return [Warned(text, hint=hint, id="console.W003")]


def _hosts_seen() -> list[str]:
    """Return the machines that workers and clocks ran on since yesterday."""
    from console.models import Heartbeat

    try:
        seen = Heartbeat.objects.filter(seen_at__gt=db_clock.now() - Heartbeat.KEPT)
        return sorted(set(seen.values_list("host", flat=True)))
    except (DatabaseError, InterfaceError):
        # It cannot be reached, or has no tables yet: others say so.
        return []
