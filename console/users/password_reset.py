"""A link by e-mail for who forgot their password: they ask for it themselves.

The request that asks looks nobody up, and is answered the same whoever was named. A
worker finds out who that is, so that not even the time tells.
"""

import logging
import smtplib
from datetime import timedelta

from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core import mail
from django.db.models import Q, QuerySet
from django.utils.http import base36_to_int

from console.models import SignInAttempt
from console.users.last_admin import NO_PASSWORD
from console.users.mailed_link import can_mail_links, link_for

log = logging.getLogger(__name__)

# How long a link opens.
LIFE = timedelta(hours=1)


class ResetTokens(PasswordResetTokenGenerator):
    """Django's own, for a shorter time, and none that opens an invitation."""

    key_salt = "console.users.password_reset"

    def check_token(self, user: User | None, token: str | None) -> bool:
        """Tell whether `token` is that of `user` as they are now, and fresh."""
        if not token or not super().check_token(user, token):
            return False
        made = base36_to_int(token.partition("-")[0])
        return self._num_seconds(self._now()) - made <= LIFE.total_seconds()


reset_tokens = ResetTokens()


def people(attempt: SignInAttempt) -> QuerySet[User]:
    """Return whose password may be reset of those whom an attempt names.

    By user name or e-mail address. Whoever has a closed account, no address, or no
    password (since a provider signs them in, or they were only invited) is nobody here.
    """
    named = Q(pk=attempt.user_id) | Q(email__iexact=attempt.name)
    able = User.objects.filter(named, is_active=True).exclude(email="")
    return able.exclude(NO_PASSWORD).order_by("pk")


def mail_links(attempt_id: int) -> None:
    """Send a link to whoever an attempt names. Call it outside a transaction.

    Nothing is sent for one that is not there any more: its person signed in meanwhile.
    """
    attempt = SignInAttempt.objects.filter(pk=attempt_id).first()
    if attempt is None or not can_mail_links():
        return
    for user in people(attempt):
        try:
            _letter(user).send()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            # Its text may quote the letter. Whoever waits for it asks once more.
            kind = type(error).__name__
            log.error("No link was sent to user %s: %s", user.pk, kind)
        else:
            log.info("A link to choose a new password was sent to user %s", user.pk)


def _letter(user: User) -> mail.EmailMessage:
    minutes = int(LIFE.total_seconds()) // 60
    return mail.EmailMessage(
        subject="A new password for the Write Console",
        body=(
            "Somebody, probably you, asked for a new password at the Write Console. "
            f"Your user name is {user.get_username()}.\n\n"
            f"Choose it by this link. It opens once, within {minutes} minutes:\n\n"
            f"{link_for(user, 'password_reset_link', reset_tokens)}\n\n"
            "Was it not you? Then do nothing: your password stays as it is."
        ),
        to=[user.email],
    )
