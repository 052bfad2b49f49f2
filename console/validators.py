"""Checks of single values that a person types."""

import re
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError

from files.remote.addresses import is_private_host

# Ampersand's own: they serve https at the usual port, in the USA and in the EU.
# That of searches is named by a public client alone, and by no document.
AMPERSAND_HOSTS = {
    (f"{service}.{domain}", 443)
    for service in ("write", "api", "search")
    for domain in ("withampersand.com", "eu.withampersand.com")
}
# NUL is not among them: Django refuses it everywhere.
_NO_LINE = re.compile(
    "[\x01-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff]"
)
# What needs no https, since nothing leaves the machine.
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")

# No database has a higher id, nor any file so many rows or parts.
LARGEST_ID = 2**63 - 1
LARGEST_NUMBER = 999_999_999


def whole_number(text: str, *, most: int = LARGEST_NUMBER) -> int | None:
    """Return the number that a text from outside is; None for any other text.

    Only ASCII digits count, and nothing above `most`.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    return int(text) if is_number and int(text) <= most else None


def validate_base_url(value: str) -> None:
    """Accept the address of a host to which an API key may go, with a path or without.

    That is one of Ampersand's own or one that API_HOSTS names, over https unless it is
    this machine itself. User names, queries and fragments are refused.
    """
    if not value.isprintable() or " " in value:
        raise ValidationError("Remove spaces and invisible characters.", code="spaces")
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValidationError("This is not a URL.", code="address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError(
            "Give the full URL, for example https://host/v1.", code="address"
        )
    if "@" in parts.netloc:
        raise ValidationError(
            "Remove user name and password from the URL.", code="user-name"
        )
    if parts.query or parts.fragment:
        raise ValidationError("Remove everything from “?” or “#” on.", code="query")
    _need_host_for_keys(parts)


def _need_host_for_keys(parts: SplitResult) -> None:
    host, port = endpoint(parts)
    if parts.scheme != "https" and host not in THIS_MACHINE:
        raise ValidationError(
            "It must begin with https://, since the API key goes there.", code="https"
        )
    if not may_have_keys(host, port):
        raise ValidationError(
            "API keys go only to Ampersand's own hosts, for example "
            "write.withampersand.com. Whoever runs this console can allow another "
            "host with the setting API_HOSTS.",
            code="host",
        )


def validate_webhook(value: str) -> None:
    """Accept the address of a webhook. No message repeats it.

    Over https, unless PRIVATE_HOSTS names its host and port; where the host leads is
    looked at when something is posted.
    """
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    is_line = value.isprintable() and " " not in value
    if not is_line or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError(
            "Give the full address, for example https://hooks.example.com/…",
            code="address",
        )
    if "@" in parts.netloc or parts.fragment:
        raise ValidationError(
            "Leave out user name, password and everything from “#” on.",
            code="user-name",
        )
    host, port = endpoint(parts)
    is_named = (host, port) in settings.PRIVATE_HOSTS
    if is_named:
        return
    if parts.scheme != "https":
        raise ValidationError("It must begin with https://.", code="https")
    if is_private_host(host):
        raise ValidationError(
            "This host is inside the network. Whoever runs this console can allow it "
            "with the setting PRIVATE_HOSTS.",
            code="host",
        )


def endpoint(parts: SplitResult) -> tuple[str, int]:
    """Return the host and the port that an address of http or https leads to."""
    usual = 443 if parts.scheme == "https" else 80
    return parts.hostname or "", usual if parts.port is None else parts.port


def may_have_keys(host: str, port: int) -> bool:
    """Tell whether API keys may go to a host at a port."""
    return (host, port) in AMPERSAND_HOSTS or (host, port) in settings.API_HOSTS


def validate_line(value: str) -> None:
    """Refuse what is more than a line, or looks like another text than it is.

    Those are control characters, separators of lines, and what is not seen or turns
    the direction of what is; joiners and variants, which scripts need, are let be.
    """
    if _NO_LINE.search(value):
        raise ValidationError(
            "Remove line ends and invisible characters.", code="one-line"
        )


def validate_reference(value: str) -> None:
    """Refuse what cannot be an id that machines compare."""
    if value.strip() != value or not value.isprintable():
        raise ValidationError(
            "Remove spaces at the ends and invisible characters.", code="spaces"
        )


def validate_path_part(value: str) -> None:
    """Refuse what cannot be one part of an address: control characters, dots alone."""
    validate_reference(value)
    if value in (".", ".."):
        raise ValidationError("This cannot be an id or a name.", code="dots")
