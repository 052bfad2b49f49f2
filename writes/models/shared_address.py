"""Where Ampersand fetches the text of a batch from this console."""

import hashlib
import secrets
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from writes.models.batch import Batch


class SharedAddressQuerySet(models.QuerySet["SharedAddress"]):
    """Questions asked of shared addresses."""

    def open(self, now: datetime) -> "SharedAddressQuerySet":
        """Return those that still give their file."""
        return self.filter(revoked_at=None, expires_at__gt=now)


class SharedAddress(models.Model):
    """An address that gives one file to whoever knows it, for a while.

    Only a digest of its token is kept here. It ends by time, when its operation has
    ended, or when somebody revokes it.
    """

    batch = models.OneToOneField(
        Batch, on_delete=models.CASCADE, related_name="shared_address"
    )
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    fetched_count = models.PositiveIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True)

    objects = SharedAddressQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="shared_address_expires",
            )
        ]

    def __str__(self) -> str:
        return f"Address of batch {self.batch_id}"

    @staticmethod
    def new_token() -> str:
        """Return a token that nobody can guess: 256 random bits."""
        return secrets.token_urlsafe(32)

    @staticmethod
    def digest(token: str) -> str:
        """Return what is kept of a token."""
        return hashlib.sha256(token.encode()).hexdigest()

    @property
    def is_open(self) -> bool:
        """Whether it still gives its file."""
        return self.revoked_at is None and self.expires_at > timezone.now()

    def revoke(self) -> bool:
        """End it now. Returns False when that was done already."""
        mine = SharedAddress.objects.filter(pk=self.pk, revoked_at=None)
        return mine.update(revoked_at=timezone.now()) == 1

    revoke.alters_data = True  # type: ignore[attr-defined]
