"""The sessions of browsers, each with who is signed in there."""

from importlib import import_module
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models


class Session(AbstractBaseSession):
    """A session of a browser; `user` is who is signed in there, if somebody is.

    So those of a person can be listed, and ended: without its row a session is over.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="sessions",
    )

    objects: ClassVar[BaseSessionManager[Any]] = BaseSessionManager()

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Return what reads and writes these rows: `console.sign_in.session_store`."""
        return import_module(settings.SESSION_ENGINE).SessionStore


def end_sessions(user: Any, *, but: str | None = None) -> int:
    """Sign `user` out wherever they are signed in; return of how many sessions.

    `but` is the key of one that goes on.
    """
    count, _ = Session.objects.filter(user=user).exclude(session_key=but).delete()
    return count
