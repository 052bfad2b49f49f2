"""What links by e-mail have in common, by which people choose a password."""

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from console.actor import Actor
from console.models import AuditEvent, FirstPassword
from console.models.session import end_sessions


def can_mail_links() -> bool:
    """Whether there is a mail server, and an address that a link can lead to.

    Never the address of a request: whoever makes one says what it is.
    """
    return bool(settings.SENDS_MAIL and settings.CONSOLE_URL)


def link_for(user: User, address: str, tokens: PasswordResetTokenGenerator) -> str:
    """Return a link to the page named `address`, which opens once, for `user` alone.

    A new password, another e-mail address and a sign-in end it, too.
    """
    number = urlsafe_base64_encode(force_bytes(user.pk))
    path = reverse(address, args=[number, tokens.make_token(user)])
    return f"{settings.CONSOLE_URL.rstrip('/')}{path}"


@transaction.atomic
def choose_password(user: User, password: str, action: str, actor: Actor) -> bool:
    """Set the password that `user` chose by a link; their sessions end.

    `action` is what the audit trail calls it. False, with nothing changed, where the
    password or the account is not as it was when the link was looked at.
    """
    now = User.objects.select_for_update().get(pk=user.pk)
    if now.password != user.password or not now.is_active:
        return False
    user.set_password(password)
    user.save(update_fields=["password"])
    FirstPassword.objects.filter(user=user).delete()
    end_sessions(user)
    AuditEvent.record(
        action=action,
        subject=user.get_username(),
        actor=actor,
        detail={"by": "link"},
    )
    return True
