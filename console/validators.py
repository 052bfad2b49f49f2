"""Checks of single values that an administrator types."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError


def validate_base_url(value: str) -> None:
    """Accept http(s)://host[:port][/path]; refuse user names, queries and fragments."""
    if not value.isprintable() or " " in value:
        raise ValidationError("Remove spaces and invisible characters.", code="spaces")
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise ValidationError("This is not an address.", code="address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValidationError(
            "Give the full address, as https://host/v1.", code="address"
        )
    if parts.username or parts.password:
        raise ValidationError(
            "Leave user name and password out of the address.", code="user-name"
        )
    if parts.query or parts.fragment:
        raise ValidationError("Leave out everything from “?” or “#” on.", code="query")


def validate_path_part(value: str) -> None:
    """Refuse what cannot be one part of an address: control characters, dots alone."""
    if value.strip() != value or not value.isprintable():
        raise ValidationError(
            "Remove spaces at the ends and invisible characters.", code="spaces"
        )
    if value in (".", ".."):
        raise ValidationError("This cannot be an id or a name.", code="dots")
