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

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from console.models.sign_in_attempt import SignInAttempt, folded_name

WINDOW = timedelta(minutes=15)
# By so much the clocks of web processes may differ. What is noted for later is from
# before a clock was set back: it would lock people out until then.
SKEW = timedelta(minutes=1)
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


def cleaned_name(typed: str) -> str:
    """Return the name that the form of the sign-in looks up for what was typed."""
    try:
        return str(AuthenticationForm().fields["username"].clean(typed))
    except ValidationError:
        # It looks nobody up, and is counted all the same.
        return typed.replace("\0", "")


def counted_name(typed: str) -> str:
    """Return what a typed name is counted as: all spellings of one name alike."""
    return folded_name(cleaned_name(typed))


def begin(typed: str, address: str | None) -> SignInAttempt:
    """Count a try and return it. Raises `Locked` when there were too many before.

    `typed` is the name as it came; what counts is who would be signed in by it.
    """
    now = timezone.now()
    attempt = SignInAttempt.objects.create(
        name=counted_name(typed),
        user=User.objects.filter(username=cleaned_name(typed)).first(),
        address=_network(address),
        at=now,
    )
    full = []
    for fields, most in LIMITS:
        same = {field: getattr(attempt, field) for field in fields}
        before = SignInAttempt.objects.filter(
            at__gt=now - WINDOW, at__lte=now + SKEW, **same
        )
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


def forget_tries(user: User, address: str | None) -> None:
    """Forget what was tried for `user` from an address: they showed who they are."""
    SignInAttempt.objects.filter(user=user, address=_network(address)).delete()


def forget_old(now: datetime) -> None:
    """Delete what counts no more."""
    SignInAttempt.objects.filter(at__lte=now - WINDOW).delete()


def _network(address: str | None) -> str:
    if address is None:
        return ""
    if ip_address(address).version == 4:
        return address
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))
