"""Whether somebody showed lately who they are: asked before what does most harm.

A view says `need_identity(request, "keys")`; IDENTITY_CHECK_FOR says whether that is to
be asked for. Signing in counts as well, for IDENTITY_CHECK_MINUTES.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from console.access.referrer import referring_page
from console.environments import Environment
from console.sign_in import kept_form
from console.sign_in.session_expiry import SIGNED_IN_AT

CHECKED_AT = "identity_checked_at"


class IdentityCheckNeeded(Exception):  # noqa: N818 - a question, not a fault
    """Nothing was done yet: it is asked first who this is."""


def note_checked(session: SessionBase) -> None:
    """Note that somebody has just shown who they are."""
    session[CHECKED_AT] = int(timezone.now().timestamp())


def was_checked(request: HttpRequest) -> bool:
    """Whether that was lately enough.

    A form may be sent for as long again: who began to type it in time loses nothing.
    What a clock noted that was set back since does not count for longer.
    """
    session = request.session
    at = session.get(CHECKED_AT) or session.get(SIGNED_IN_AT, 0)
    minutes = settings.IDENTITY_CHECK_MINUTES * (2 if request.method == "POST" else 1)
    return bool(abs(timezone.now().timestamp() - at) < minutes * 60)


def need_identity(request: HttpRequest, act: str = "") -> None:
    """Go on where it need not be asked who this is; raises `IdentityCheckNeeded`.

    `act` is a word of IDENTITY_CHECK_FOR; without one it is asked in any case.
    """
    is_asked = not act or act in settings.IDENTITY_CHECK_FOR
    if is_asked and not was_checked(request):
        raise IdentityCheckNeeded


def need_identity_to_send(request: HttpRequest, environment: str) -> None:
    """The same before something is sent in `environment`."""
    if environment == Environment.PRODUCTION:
        need_identity(request, "production")


class IdentityCheckMiddleware:
    """Ask who somebody is where a view needs to know, and lead back afterwards."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Ask before the pages of users and roles, to open them as well."""
        match = request.resolver_match
        is_of_users = match is not None and match.app_name == "users"
        if not is_of_users or not request.user.is_authenticated:
            return None
        try:
            need_identity(request, "roles")
        except IdentityCheckNeeded:
            return _ask(request)
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Answer in the place of a view that needs to know."""
        if not isinstance(exception, IdentityCheckNeeded):
            return None
        return _ask(request)


def _ask(request: HttpRequest) -> HttpResponse:
    """Lead to the page that asks; what was typed is kept meanwhile."""
    page = request.get_full_path()
    if request.method == "POST":
        typed_on = kept_form.keep(request)
        page = typed_on or referring_page(request) or "/"
        messages.info(
            request,
            "Nothing was sent or changed yet. Show that it is you; then press the "
            "button once more.",
        )
    asked = redirect_to_login(page, reverse("identity_check"))
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect(asked.url)
    return asked
