"""Making and revoking tokens; each is an audit event."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from console.actor import Actor
from console.models import ApiToken, AuditEvent
from console.models.api_token import SHOWN

# So many a person: a page of their own shows all of them.
MOST = 20


class TooManyTokens(ValueError):
    """A person has as many tokens as they may."""


@transaction.atomic
def make_token(
    user: User,
    *,
    name: str,
    scopes: list[str],
    expires_at: datetime | None,
    actor: Actor,
) -> str:
    """Make a token of `user` and return its text, which nobody can read again.

    Raises `TooManyTokens`.
    """
    # One after the other, so that they are counted right.
    User.objects.select_for_update().get(pk=user.pk)
    if user.api_tokens.count() >= MOST:
        raise TooManyTokens
    text = ApiToken.new_text()
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=text[:SHOWN],
        token_sha256=ApiToken.digest(text),
        scopes=scopes,
        expires_at=expires_at,
    )
    _record("token.made", token, actor)
    return text


@transaction.atomic
def revoke_token(token: ApiToken, actor: Actor) -> bool:
    """Have a token open nothing more; tell whether it was there until now."""
    count, _ = ApiToken.objects.filter(pk=token.pk).delete()
    if count:
        _record("token.revoked", token, actor)
    return bool(count)


def _record(action: str, token: ApiToken, actor: Actor) -> None:
    until = token.expires_at
    AuditEvent.record(
        action=action,
        subject=f"{token.name} of {token.user.get_username()}",
        actor=actor,
        detail={
            "user": token.user.get_username(),
            "prefix": token.prefix,
            "scopes": token.scopes,
            "expires_at": until.isoformat() if until else None,
        },
    )
