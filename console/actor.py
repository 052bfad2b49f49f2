"""Who does something, for everything that must not know about HTTP."""

from dataclasses import dataclass
from typing import Self

from django.contrib.auth.models import User
from django.http import HttpRequest

from console.access.client_address import client_address


@dataclass(frozen=True)
class Actor:
    """A person, or the console itself; from where, and with which request.

    `user` is None where nobody is signed in. `name` is what history and audit show.
    """

    user: User | None = None
    name: str = "system"
    address: str | None = None
    correlation_id: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Return the person who made `request`; "system" where nobody is signed in."""
        # Django's sign-in hands on a request that no middleware has seen yet.
        user = getattr(request, "user", None)
        if not isinstance(user, User):
            user = None
        return cls(
            user=user,
            name=user.get_username() if user else cls.name,
            address=client_address(request),
            correlation_id=getattr(request, "correlation_id", ""),
        )


SYSTEM = Actor()
