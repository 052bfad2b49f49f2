"""The sign-in limit: how often a password may be guessed, over all web processes.

Each try is stored before the password is looked at, and counts until it turns out to be
right: so of many at the same moment no more than the limit are looked at. Once there
are too many, even the right password is refused for a while. Whether the name exists
makes no difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Network, ip_address

from django.utils import timezone

from console.models.sign_in_attempt import LONGEST_NAME, SignInAttempt

WINDOW = timedelta(minutes=15)
# What is counted together, and how many tries that may have within the window.
LIMITS: tuple[tuple[tuple[str, ...], int], ...] = (
    (("name", "address"), 5),
    (("address",), 20),
    (("name",), 50),
)
# Whoever has an IPv6 address has all of its network.
IPV6_PREFIX = 64


@dataclass
class Locked(Exception):  # noqa: N818 - a state, not a fault
    """Nobody is let in until `until`; `last` are the newest tries that count."""

    until: datetime
    last: Sequence[SignInAttempt]

    @property
    def seconds(self) -> int:
        """How long that is from now; at least 1."""
        left = (self.until - timezone.now()).total_seconds()
        return max(1, min(round(left), round(WINDOW.total_seconds())))


def begin(name: str, address: str | None) -> SignInAttempt:
    """Count a try and return it. Raises `Locked` when there were too many before."""
    now = timezone.now()
    attempt = SignInAttempt.objects.create(
        name=name.replace("\0", "").casefold()[:LONGEST_NAME],
        address=_network(address),
        at=now,
    )
    full = []
    for fields, most in LIMITS:
        same = {field: getattr(attempt, field) for field in fields}
        before = SignInAttempt.objects.filter(at__gt=now - WINDOW, **same)
        counted = before.exclude(pk=attempt.pk).order_by("-at", "-pk")[:most]
        if len(counted) == most:
            full.append(list(counted))
    if not full:
        return attempt
    # What is refused unseen does not make the wait longer.
    attempt.delete()
    raise Locked(
        until=max(counted[-1].at for counted in full) + WINDOW,
        last=[counted[0] for counted in full],
    )


def forget_old(now: datetime) -> None:
    """Delete what counts no more."""
    SignInAttempt.objects.filter(at__lte=now - WINDOW).delete()


def _network(address: str | None) -> str:
    if address is None:
        return ""
    if ip_address(address).version == 4:
        return address
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))
