"""Where a request comes from."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """Return the peer's address, or the one that a trusted proxy names.

    None where that is no address.
    """
    address: str = request.META.get("REMOTE_ADDR", "")
    if settings.TRUST_PROXY:
        # Only the last entry is the proxy's own; the ones before it anyone may send.
        named = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        address = named or address
    try:
        validate_ipv46_address(address)
    except ValidationError:
        return None
    return address
