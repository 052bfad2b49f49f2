"""A link by e-mail, by which a user chooses a password: an admin sends it."""

import smtplib

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import mail

from console.actor import Actor
from console.models import AuditEvent
from console.users.mailed_link import link_for

DAYS = settings.PASSWORD_RESET_TIMEOUT // 86_400


class NotSent(Exception):
    """No link was sent; the text says why, and what to do."""


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
            f"{link_for(user, 'invitation', default_token_generator)}\n\n"
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
