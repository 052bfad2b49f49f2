"""Tokens by which programs read the API, each of one person."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Case, F, Q, Value, When

# What secret scanners know it by; the next characters tell tokens apart on pages.
BEGINS = "wc_"
SHOWN = len(BEGINS) + 6


class Scope(models.TextChoices):
    """What a token may read, of what its person may see."""

    HISTORY = "history:read", "Operations, writes and logs"
    ROWS = "rows:read", "Rows of files: their keys, record ids and errors"
    AUDIT = "audit:read", "Audit"


def _is_fresh(minute: datetime) -> Q:
    """Return the condition that a token was not used in this minute yet.

    A use that lies further ahead was noted before the clock was set back.
    """
    ahead = Q(used_at__gt=minute + timedelta(minutes=1))
    return Q(used_at=None) | Q(used_at__lt=minute) | ahead


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Questions asked of tokens."""

    def usable(self, now: datetime) -> "ApiTokenQuerySet":
        """Return those that open something now.

        None of a closed account, and none of somebody whose password was reset and who
        has not chosen another one yet.
        """
        in_time = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(in_time, user__is_active=True, user__first_password=None)

    def by_text(self, token: str) -> "ApiTokenQuerySet":
        """Return the one whose text this is, if it is one."""
        return self.filter(token_sha256=ApiToken.digest(token))


class ApiToken(models.Model):
    """A person's leave for a program to read what they may see, within `scopes`.

    Only a digest of its text is kept: it is 256 random bits, so that nothing slower is
    needed. Revoking deletes the row. `used_at` is the minute of the last use, and
    `used_count` how often it was used in that minute.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    # How its text begins.
    prefix = models.CharField(max_length=20)
    token_sha256 = models.CharField(max_length=64, unique=True)
    # Words of `Scope`.
    scopes = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    # None where it never ends by itself.
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    used_count = models.PositiveIntegerField(default=0)

    objects = ApiTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def new_text() -> str:
        """Return a text that nobody can guess: 256 random bits."""
        return BEGINS + secrets.token_urlsafe(32)

    @staticmethod
    def digest(token: str) -> str:
        """Return what is kept of a text."""
        return hashlib.sha256(token.encode(errors="replace")).hexdigest()

    @property
    def scope_labels(self) -> list[str]:
        """What it may read, in words."""
        return [Scope(word).label for word in self.scopes]

    def spend(self, minute: datetime, *, most: int) -> bool:
        """Count one use in `minute`; tell whether there were fewer than `most`.

        One conditional UPDATE, so that web processes together allow no more. A clock
        that is a minute behind counts towards the newest minute that was seen.
        """
        fresh = _is_fresh(minute)
        mine = ApiToken.objects.filter(fresh | Q(used_count__lt=most), pk=self.pk)
        used = mine.update(
            used_count=Case(When(fresh, then=Value(1)), default=F("used_count") + 1),
            used_at=Case(When(fresh, then=Value(minute)), default=F("used_at")),
        )
        return used == 1

    spend.alters_data = True  # type: ignore[attr-defined]
