"""A link by e-mail, by which a user chooses a password."""

import smtplib

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from console.actor import Actor
from console.models import AuditEvent, FirstPassword
from console.models.session import end_sessions

DAYS = settings.PASSWORD_RESET_TIMEOUT // 86_400


class NotSent(Exception):
    """No link was sent; the text says why, and what to do."""


def can_invite() -> bool:
    """Whether there is a mail server, and an address that the link can lead to.

    Never the address of a request: whoever makes one says what it is.
    """
    return bool(settings.SENDS_MAIL and settings.CONSOLE_URL)


def link_for(user: User) -> str:
    """Return an address that opens once, for `DAYS` days, to choose a password.

    A new password, another e-mail address and a sign-in end it, too.
    """
    number = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    path = reverse("invitation", args=[number, token])
    return f"{settings.CONSOLE_URL.rstrip('/')}{path}"


def invite(user: User, actor: Actor) -> None:
    """Send `user` a link and record it. Call it outside a transaction.

    Raises:
        NotSent: the mail server did not take it.
    """
    letter = mail.EmailMessage(
        subject="Your account at the Write Console",
        body=(
            f"{actor.name} invites you to the Write Console. Your user name is "
            f"{user.get_username()}.\n\n"
            f"Choose a password by this link. It opens once, within {DAYS} days:\n\n"
            f"{link_for(user)}\n\n"
            "Did you not expect this? Then do nothing, and tell whoever runs the "
            "console."
        ),
        to=[user.email],
    )
    try:
        letter.send()
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise NotSent(
            f"No link was sent: the mail server did not take it "
            f"({type(error).__name__}). Try again later, or set a first password."
        ) from None
    AuditEvent.record(
        action="user.invited",
        subject=user.get_username(),
        actor=actor,
        detail={"email": user.email},
    )


@transaction.atomic
def choose_password(user: User, password: str, actor: Actor) -> None:
    """Set the password that `user` chose by a link; their sessions end."""
    user.set_password(password)
    user.save(update_fields=["password"])
    FirstPassword.objects.filter(user=user).delete()
    end_sessions(user)
    AuditEvent.record(
        action="user.password_changed",
        subject=user.get_username(),
        actor=actor,
        detail={"by": "link"},
    )
