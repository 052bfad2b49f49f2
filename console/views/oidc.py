"""Signing in by the provider that OIDC_ISSUER names: the way there, and back."""

from collections.abc import Callable

from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_safe
from requests import RequestException

from console.sign_in.oidc import not_signed_in
from console.ui.choices import next_page

View = Callable[[HttpRequest, str], HttpResponse]

# Seconds that somebody takes to sign in there; then the browser's session may go.
THERE_AND_BACK = 600


@login_not_required
@require_safe
def oidc_login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider; `next` is the page of ours to come back to."""
    if request.user.is_authenticated:
        return redirect(next_page(request) or "home")
    # Nothing else that an address says counts: allauth would take scopes from it.
    asked = QueryDict(mutable=True)
    asked["process"] = "login"
    asked["next"] = next_page(request)
    request.GET = asked  # type: ignore[assignment]
    if settings.OIDC_ISSUER and request.session.is_empty():
        # One that keeps what somebody typed stays as long as it would.
        request.session.set_expiry(THERE_AND_BACK)
    return _ask(views.login, request, provider_id)


@login_not_required
@require_safe
def oidc_callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take the provider's answer: sign in who it names, or say why not."""
    return _ask(views.callback, request, provider_id)


def _ask(view: View, request: HttpRequest, provider_id: str) -> HttpResponse:
    """Have allauth speak to the provider; back to the sign-in where that fails."""
    if not settings.OIDC_ISSUER:
        return redirect("login")
    try:
        return view(request, provider_id)
    except RequestException as error:
        return not_signed_in(
            request, reason=f"it did not answer: {type(error).__name__}"
        )
