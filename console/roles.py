"""Who may do what: three roles, each including the ones before it."""

from collections.abc import Callable
from enum import IntEnum
from functools import wraps
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


class Role(IntEnum):
    """What a person may do. Stored as membership of the Django group of that name."""

    NONE = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def group_name(self) -> str:
        """The name of the Django group that grants this role."""
        return self.name.lower()


def role_of(user: AbstractBaseUser | AnonymousUser) -> Role:
    """Return the highest role of `user`; a superuser is an admin."""
    if not user.is_authenticated:
        return Role.NONE
    if getattr(user, "is_superuser", False):
        return Role.ADMIN
    cached: Role | None = getattr(user, "_console_role", None)
    if cached is None:
        names = set(user.groups.values_list("name", flat=True))  # type: ignore[attr-defined]
        cached = max(
            (role for role in Role if role.group_name in names), default=Role.NONE
        )
        user._console_role = cached  # type: ignore[attr-defined]
    return cached


def require_role(role: Role) -> Callable[[View], View]:
    """Guard a view: people below `role` get 403 and read what is missing."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if role_of(request.user) < role:
                raise PermissionDenied(
                    f"This needs the role {role.group_name}. Ask an admin for it."
                )
            return view(request, *args, **kwargs)

        return guarded

    return decorate


require_viewer = require_role(Role.VIEWER)
require_operator = require_role(Role.OPERATOR)
require_admin = require_role(Role.ADMIN)
