"""The last admin stays: somebody must be left who gives roles to others.

Asked before a user or a grant is changed or deleted through its model: by our pages, by
commands, and in the shell. What goes past the models is not: `QuerySet.update`,
`bulk_create`, SQL.
"""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet
from django.db.models.signals import pre_delete, pre_save
from django.dispatch import receiver

from console.environments import Environment
from console.models import Grant
from console.runtime import db_lock
from console.sign_in.oidc import PROVIDER, is_connected

# Passwords that nobody can sign in with.
NO_PASSWORD = Q(password="") | Q(password__startswith=UNUSABLE_PASSWORD_PREFIX)  # nosec B106 # no secret - the sign of none
# Fields that decide whether somebody is an admin who can sign in.
DECIDING = {"is_active", "is_superuser", "password"}


class LastAdmin(ValueError):
    """Nobody would be left who is admin everywhere and can sign in."""

    def __init__(self, user: User) -> None:
        super().__init__(
            f"{user} is the last active admin of all environments, so nobody could "
            "give roles any more. Make somebody else admin everywhere first."
        )


def active_admins() -> QuerySet[User]:
    """Return who is admin in every environment and can sign in."""
    can_sign_in = ~NO_PASSWORD
    if settings.OIDC_ISSUER:
        by_provider = SocialAccount.objects.filter(provider=PROVIDER)
        can_sign_in |= Q(pk__in=by_provider.values("user"))
    able = User.objects.filter(can_sign_in, is_active=True)
    is_admin = Q(grants__role=Grant.Role.ADMIN)
    return able.annotate(admin_in=Count("grants", filter=is_admin)).filter(
        Q(is_superuser=True) | Q(admin_in=len(Environment))
    )


def comes_by_provider(user: User) -> bool:
    """Whether the provider signs `user` in, where there is one."""
    return bool(settings.OIDC_ISSUER) and is_connected(user)


def need_another(user: User) -> None:
    """Raise `LastAdmin` where `user` is one, and there is no other.

    Whoever else asks waits until the transaction ends: of two admins who take the role
    from each other at the same moment, the second finds that they are the last.
    """
    db_lock.hold(db_lock.ADMINS)
    admins = set(active_admins().values_list("pk", flat=True)[:2])
    if admins == {user.pk}:
        raise LastAdmin(user)


@receiver(pre_save, sender=User)
def user_changes(
    instance: User, raw: bool, update_fields: Any = None, **kwargs: Any
) -> None:
    """Refuse to close the account of the last admin, or to take their password."""
    is_new = instance._state.adding
    is_about_it = update_fields is None or DECIDING & set(update_fields)
    if raw or is_new or not is_about_it or _stays(instance):
        return
    need_another(instance)


def _stays(user: User) -> bool:
    """Tell whether `user`, as they are about to be stored, is one anyway."""
    has_password = bool(user.password and user.has_usable_password())
    if not user.is_active or not (has_password or comes_by_provider(user)):
        return False
    roles = list(user.grants.values_list("role", flat=True))
    is_everywhere = roles.count(Grant.Role.ADMIN) == len(Environment)
    return user.is_superuser or is_everywhere


@receiver(pre_save, sender=Grant)
def grant_changes(instance: Grant, raw: bool, **kwargs: Any) -> None:
    """Refuse to lower the role of the last admin."""
    if not raw and instance.role != Grant.Role.ADMIN:
        _need_another_for(instance)


@receiver(pre_delete, sender=Grant)
def grant_goes(instance: Grant, **kwargs: Any) -> None:
    """Refuse to take a role from the last admin."""
    _need_another_for(instance)


def _need_another_for(grant: Grant) -> None:
    """Ask, unless its user is admin everywhere without any grant.

    Nor where they come by the provider alone, and its groups give and take their
    roles: a group gives an admin again, and what was taken must not stay.
    """
    user = User.objects.get(pk=grant.user_id)
    is_of_groups = settings.OIDC_GROUPS and not user.has_usable_password()
    if user.is_superuser or (is_of_groups and comes_by_provider(user)):
        return
    need_another(user)


@receiver(pre_delete, sender=User)
def user_goes(instance: User, **kwargs: Any) -> None:
    """Refuse to delete the last admin."""
    need_another(instance)


@receiver(pre_delete, sender=SocialAccount)
def provider_goes(instance: SocialAccount, **kwargs: Any) -> None:
    """Refuse to take from the last admin the only way in that they have."""
    user: User = instance.user
    if settings.OIDC_ISSUER and not user.has_usable_password():
        need_another(user)
