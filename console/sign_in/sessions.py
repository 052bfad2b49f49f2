"""Where a person is signed in."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from console.models import Session
from console.sign_in.session_expiry import (
    ADDRESS,
    BROWSER,
    SEEN_AT,
    SIGNED_IN_AT,
    why_over,
)

# What a browser calls itself holds the names of others too: the first that is found.
BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
    "curl": "curl",
}
SYSTEMS = {
    "Windows": "Windows",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


@dataclass(frozen=True)
class SignedIn:
    """One browser in which somebody is signed in."""

    since: datetime
    seen: datetime
    address: str
    browser: str
    is_this: bool
    # Says which one is meant, and opens none: the key stays with its browser.
    name: str


def signed_in(user: User, this: str | None = None) -> list[SignedIn]:
    """Return where `user` is signed in, last seen first; `this` is the reader's key."""
    found = [_read(row.session_key, data, this) for _, row, data in _open([user])]
    return sorted(found, key=lambda each: each.seen, reverse=True)


def count_signed_in(users: Iterable[User]) -> Counter[int]:
    """Return in how many browsers each of `users` is signed in, by their number."""
    return Counter(user.pk for user, _, _ in _open(users))


def _open(users: Iterable[User]) -> Iterator[tuple[User, Session, dict[str, Any]]]:
    """Yield the sessions of `users` that are not over, each with what it holds."""
    now = timezone.now()
    by_number = {user.pk: user for user in users}
    for row in Session.objects.filter(user__in=by_number, expire_date__gt=now):
        data = row.get_decoded()
        user = by_number[cast(int, row.user_id)]
        if not why_over(data, now) and _is_of_this_password(data, user):
            yield user, row, data


def end_other(user: User, this: str | None, name: str) -> SignedIn | None:
    """Sign `user` out where `name` says, but not in `this`; return where that was.

    None where they are not signed in there.
    """
    for row in Session.objects.filter(user=user).exclude(session_key=this):
        if constant_time_compare(_name(row.session_key), name):
            deleted, _ = Session.objects.filter(pk=row.pk).delete()
            return _read(row.session_key, row.get_decoded(), this) if deleted else None
    return None


def _name(key: str) -> str:
    return salted_hmac("console.sign_in.sessions", key, algorithm="sha256").hexdigest()


def _is_of_this_password(data: Mapping[str, Any], user: User) -> bool:
    kept = data.get(HASH_SESSION_KEY, "")
    return constant_time_compare(kept, user.get_session_auth_hash())


def _read(key: str, data: Mapping[str, Any], this: str | None) -> SignedIn:
    return SignedIn(
        since=datetime.fromtimestamp(data[SIGNED_IN_AT], UTC),
        seen=datetime.fromtimestamp(data[SEEN_AT], UTC),
        address=data.get(ADDRESS) or "unknown",
        browser=_browser(data.get(BROWSER, "")),
        is_this=key == this,
        name=_name(key),
    )


def _browser(named: str) -> str:
    """Return in words what a browser calls itself."""
    browser = next((name for sign, name in BROWSERS.items() if sign in named), "")
    system = next((name for sign, name in SYSTEMS.items() if sign in named), "")
    if not browser:
        return named[:60] or "unknown"
    return f"{browser} on {system}" if system else browser
