"""Tries to sign in that were not right, as rows."""

import unicodedata

from django.conf import settings
from django.db import models

LONGEST_NAME = 150


def folded_name(name: str) -> str:
    """Return what the names have in common that only their spelling tells apart."""
    return unicodedata.normalize("NFKC", name[:LONGEST_NAME].casefold())[:LONGEST_NAME]


class SignInAttempt(models.Model):
    """A try to sign in that was not right; the sweep forgets it after the window.

    `name` is what is counted, `user` whose password was tried, if there is somebody.
    """

    name = models.CharField(max_length=LONGEST_NAME)
    address = models.CharField(max_length=50)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    at = models.DateTimeField()
    # Whether it is written down that nobody was let in after it.
    is_audited = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["name", "at"], name="sign_in_by_name"),
            models.Index(fields=["address", "at"], name="sign_in_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.name} from {self.address}"

    def was_right(self) -> None:
        """Forget it, and what this person tried wrongly from here before.

        Of another person whose name is spelt alike nothing is forgotten.
        """
        if self.user is not None:
            mine = SignInAttempt.objects.filter(user=self.user, address=self.address)
            mine.delete()

    was_right.alters_data = True  # type: ignore[attr-defined]

    def was_half_right(self) -> None:
        """Forget it alone: the password was right, and a second factor is to come.

        What was tried before counts on: else a known password would let anybody guess
        codes for ever.
        """
        self.delete()

    was_half_right.alters_data = True  # type: ignore[attr-defined]

    def claim_audit(self) -> bool:
        """Tell whether the caller is the one to write down the lock that follows it."""
        mine = SignInAttempt.objects.filter(pk=self.pk, is_audited=False)
        return mine.update(is_audited=True) == 1

    claim_audit.alters_data = True  # type: ignore[attr-defined]
