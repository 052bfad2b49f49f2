"""Who may do what: three roles, each including the ones before it, per environment.

What belongs to an environment is found through `console.access.scoping`.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import wraps
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from console.environments import Environment

View = Callable[..., HttpResponse]
Person = AbstractBaseUser | AnonymousUser


class Role(IntEnum):
    """What a person may do in an environment. `Grant` holds its word."""

    NONE = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The role as `Grant.role` and pages spell it."""
        return self.name.lower()


# What each role adds to the one before it, after "You can".
MAY = {
    Role.VIEWER: "view this",
    Role.OPERATOR: "write",
    Role.ADMIN: "change settings",
}


def role_in(user: Person, environment: str) -> Role:
    """Return the role of `user` in an environment; a superuser is admin in all."""
    return _grants_of(user).get(environment, Role.NONE)


def role_of(user: Person) -> Role:
    """Return the highest role of `user` anywhere: enough to show a link, not to act."""
    return max(_grants_of(user).values(), default=Role.NONE)


def is_admin_everywhere(user: Person) -> bool:
    """Whether `user` may do what concerns the installation as a whole."""
    return len(environments_for(user, Role.ADMIN)) == len(Environment)


def may_change_user(user: Person, other: Person | None = None) -> bool:
    """Whether `user` may change users, and `other` among them.

    Only a superuser may touch a superuser: else a new password would be a way up.
    """
    is_out_of_reach = getattr(other, "is_superuser", False) and not getattr(
        user, "is_superuser", False
    )
    return is_admin_everywhere(user) and not is_out_of_reach


def environments_for(user: Person, least: Role) -> list[str]:
    """Return the words of the environments where `user` has at least the role."""
    grants = _grants_of(user)
    return [word for word in Environment.values if grants.get(word, 0) >= least]


def _grants_of(user: Person) -> Mapping[str, Role]:
    """Return the role by environment: one query per request, kept on the user."""
    if not user.is_authenticated:
        return {}
    if getattr(user, "is_superuser", False):
        return dict.fromkeys(Environment.values, Role.ADMIN)
    known: Mapping[str, Role] | None = getattr(user, "_console_grants", None)
    if known is None:
        rows = user.grants.values_list("environment", "role")  # type: ignore[attr-defined]
        known = {environment: Role[word.upper()] for environment, word in rows}
        user._console_grants = known  # type: ignore[attr-defined]
    return known


# --- Guarding views -----------------------------------------------------------------


def require_role(role: Role) -> Callable[[View], View]:
    """Guard a view: people who have `role` nowhere get 403 and read what is missing.

    This is the coarse check, before anything is looked up. What belongs to an
    environment is got by `console.access.scoping.find`, which checks the role there.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if role_of(request.user) < role:
                raise PermissionDenied(
                    f"This needs the {role.word} role. Ask an admin for it."
                )
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def require_admin_everywhere(view: View) -> View:
    """Guard a view of the installation as a whole: others get 403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        need_admin_everywhere(request.user)
        return view(request, *args, **kwargs)

    return guarded


def need_admin_everywhere(user: Person) -> None:
    """Go on only for people who are admin in every environment."""
    if not is_admin_everywhere(user):
        raise PermissionDenied(
            "This needs the admin role in every environment. Ask somebody who has it."
        )


require_viewer = require_role(Role.VIEWER)
require_operator = require_role(Role.OPERATOR)
require_admin = require_role(Role.ADMIN)


def need_role(request: HttpRequest, role: Role, environment: str) -> None:
    """Go on only for people with `role` in `environment`, where the page then is.

    Raises `Http404` where they have no role at all, as if nothing were there, and
    `PermissionDenied` that names what is missing where theirs is too low.
    """
    has = role_in(request.user, environment)
    if not has:
        raise Http404
    if has < role:
        place = Environment(environment).label
        raise PermissionDenied(
            f"You can {MAY[has]} but not {MAY[role]} in {place}. Ask an admin for the "
            f"{role.word} role there."
        )
    # The buttons of the page are those of the reader's role there.
    request.environment = environment  # type: ignore[attr-defined]
