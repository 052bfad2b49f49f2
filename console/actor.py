"""Who does something, for everything that must not know about HTTP."""

import unicodedata
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
    # What the client calls its request: a claim, where the one above is our own.
    client_request_id: str = ""

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
            client_request_id=getattr(request, "client_request_id", ""),
        )

    @property
    def detail(self) -> dict[str, str]:
        """What the audit trail keeps of it beside the event's own."""
        given = self.client_request_id
        return {"client_request_id": given} if given else {}


SYSTEM = Actor()

# Line ends and other controls, and what turns the order of signs around.
_CONTROLS = {"Cc", "Zl", "Zp", "Cs"}
_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def in_one_line(text: str) -> str:
    """Return `text` with what would break or turn its line written as an escape.

    A name that anybody may type must not look like more than one.
    """
    return "".join(
        repr(sign)[1:-1]
        if unicodedata.category(sign) in _CONTROLS
        or unicodedata.bidirectional(sign) in _TURNING
        else sign
        for sign in text
    )
