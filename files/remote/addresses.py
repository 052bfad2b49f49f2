"""Which addresses only their own network reaches."""

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

# Names that no public DNS answers: RFC 6761, 6762, 8375; ".internal" by ICANN, 2024.
_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa")

# IANA gives out global IPv6 addresses from here only.
_GLOBAL_IPV6 = IPv6Network("2000::/3")
# NAT64 (RFC 6052) and IPv4-compatible (RFC 4291) addresses end in an IPv4 address.
_HOLDING_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))

# Where clouds tell a machine its credentials, as far as it is not link-local:
# Azure (a public address), AWS over IPv6, Alibaba and Oracle.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("168.63.129.16", "fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)

# The dots that IDNA takes for a full stop.
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}")


def resolved(host: str, port: int) -> list[str]:
    """Return what the system's resolver says. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[4][0]) for where in found))


def leads_inside(addresses: Iterable[Address], *, may_be_private: bool) -> bool:
    """Tell whether a host with these addresses is one that nobody may connect to.

    One bad address among good ones is enough: that is how a name is made to lead
    inside. Link-local and metadata ones are bad even where it `may_be_private`.
    """
    bad = is_forbidden if may_be_private else is_private
    return any(bad(address) for address in addresses)


def is_private(address: Address) -> bool:
    """Tell whether only its own network reaches `address`, or nobody does.

    IPv6 forms that hold an IPv4 address (mapped, compatible, NAT64, 6to4) are judged by
    that one.
    """
    inner = _unwrapped(address)
    if is_forbidden(inner) or not inner.is_global:
        return True
    return isinstance(inner, IPv6Address) and inner not in _GLOBAL_IPV6


def is_forbidden(address: Address) -> bool:
    """Tell whether no file is ever there, not even in a sandbox.

    That is what a machine talks to about itself (link-local, a cloud's metadata) and
    what is not one machine (multicast).
    """
    inner = _unwrapped(address)
    return inner.is_link_local or inner.is_multicast or inner in _METADATA


def is_private_host(host: str) -> bool:
    """Tell whether `host`, a name or an address in any spelling, is private.

    No DNS is asked: a public-looking name may still lead to a private address, which
    only the one who connects can find out.
    """
    name = _plain(host)
    address = parsed(name)
    if address is not None:
        return is_private(address)
    return "." not in name or f".{name}".endswith(_PRIVATE_NAMES)


def parsed(host: str) -> Address | None:
    """Return the address that `host` spells, None where it is a name.

    Besides the usual forms those that C libraries take: 127.1, 0x7f.1, 2130706433.
    """
    name = _plain(host)
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    if not _NUMBERS.fullmatch(name):
        return None
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None


def _plain(host: str) -> str:
    """Return `host` as resolvers see it: no brackets, wide letters or last dot."""
    name = unicodedata.normalize("NFKC", _DOTS.sub(".", host)).casefold()
    return name.removeprefix("[").removesuffix("]").rstrip(".")


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address within an IPv6 one, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _HOLDING_IPV4):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
