"""Who a name and a password belong to."""

from typing import Any

from django.contrib.auth import backends
from django.contrib.auth.hashers import get_hasher, get_hashers, identify_hasher
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from console.models.session import end_sessions


class Backend(backends.ModelBackend):
    """Django's own, where a try that is wrong takes as long whatever the name.

    While some passwords are still kept as an earlier version did, each wrong try does
    the work of all kinds that are in use: else it would tell whose are.
    """

    @sensitive_variables("password")
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        rows = User.objects.filter(username=username)
        kept = rows.values_list("password", flat=True).first()
        user = super().authenticate(request, username, password, **kwargs)
        if user is None and password is not None:
            _do_the_other_work(password, kept or "")
        return user

    def get_user(self, user_id: int) -> User | None:
        """Return who a session belongs to; one of a closed account ends."""
        rows = User.objects.select_related("first_password")
        user = rows.filter(pk=user_id).first()
        if user is None or self.user_can_authenticate(user):
            return user
        end_sessions(user)
        return None


def _do_the_other_work(password: str, kept: str) -> None:
    """Hash `password` in each way that was not needed for `kept`, but is for others."""
    today = get_hasher()
    try:
        done = identify_hasher(kept)
    except ValueError:
        done = today
    for hasher in get_hashers():
        if hasher.algorithm != done.algorithm and (
            hasher is today or _is_in_use(hasher.algorithm)
        ):
            hasher.encode(password, hasher.salt())


def _is_in_use(algorithm: str | None) -> bool:
    return User.objects.filter(password__startswith=f"{algorithm}$").exists()
