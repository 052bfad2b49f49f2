"""Where a request comes from."""

import logging
import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest

log = logging.getLogger(__name__)

# An IPv4 address as networks of IPv6 alone write it; its last 32 bits are the address.
NAT64 = IPv6Network("64:ff9b::/96")
# [address]:port, address:port of IPv4, or an address; quoted or not.
ENTRY = re.compile(r'"?(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+|([^"\[\]]+))"?')


def client_address(request: HttpRequest) -> str | None:
    """Return the connection's address, or the one that the trusted proxies name.

    What cannot be read counts as the connection: see the log. None where that has no
    address, as with a socket of the file system.
    """
    peer = read_address(request.META.get("REMOTE_ADDR", ""))
    if not settings.TRUST_PROXY:
        return peer
    named = request.headers.get("X-Forwarded-For", "")
    # Only the last entries are the proxies' own; the ones before them anyone may send.
    entries = named.split(",")[-settings.PROXY_COUNT :]
    address = read_address(entries[0])
    if address is None or len(entries) < settings.PROXY_COUNT:
        _warn(ascii(named[:100]), settings.PROXY_COUNT)
        return peer
    return address


def read_address(text: str) -> str | None:
    """Return the IP address in `text`, which may have a port; None if there is none."""
    entry = ENTRY.fullmatch(text.strip())
    if entry is None:
        return None
    written = next(part for part in entry.groups() if part is not None)
    try:
        return str(_plain(ip_address(written.partition("%")[0])))
    except ValueError:
        return None


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return an IPv4 address that was written as one of IPv6 as itself.

    They would all be of one network of 64 bits, and count as one visitor.
    """
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


# A header that is amiss comes with each request: it is told once.
@lru_cache(maxsize=100)
def _warn(named: str, proxies: int) -> None:
    log.warning(
        "X-Forwarded-For was not readable for %s proxies: %s. The address of the "
        "connection counts instead, and so all people behind it as one. Look at "
        "TRUST_PROXY, PROXY_COUNT and what the proxy sets.",
        proxies,
        named,
    )
