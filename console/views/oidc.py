"""Signing in by the provider that OIDC_ISSUER names: the way there, and back."""

import logging
from collections.abc import Callable

from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.openid_connect import views
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_POST, require_safe
from requests import RequestException

from console.http import ConsoleRequest
from console.sign_in import oidc
from console.sign_in.identity_check import need_identity
from console.sign_in.oidc import (
    PROVIDER,
    connect_sign,
    is_connected,
    not_connected,
    not_signed_in,
)
from console.ui.choices import next_page
from console.users.last_admin import LastAdmin

log = logging.getLogger(__name__)

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


@require_safe
def connect(request: ConsoleRequest) -> HttpResponse:
    """Lead who is signed in to the provider, to be signed in by it from now on.

    Always asks first who this is. A link of the account's page leads here, with what
    shows that it does.
    """
    sign = connect_sign(request.session)
    if not constant_time_compare(request.GET.get("sign", ""), sign):
        return not_connected(request, "begin on this page")
    need_identity(request)
    if not settings.OIDC_ISSUER or is_connected(request.user):
        return redirect("account")
    asked = QueryDict(mutable=True)
    asked["process"] = AuthProcess.CONNECT
    request.GET = asked  # type: ignore[assignment]
    return _ask(views.login, request, PROVIDER)


@require_POST
def disconnect(request: ConsoleRequest) -> HttpResponse:
    """Take back that the provider signs in who asks, who has a password as well."""
    need_identity(request)
    if not request.user.has_usable_password():
        messages.warning(
            request, "Nothing was changed: without a password you could not sign in."
        )
    elif oidc.disconnect(request):
        messages.success(request, "Disconnected. You were signed out everywhere else.")
    else:
        messages.info(request, "Nothing was changed: you are not connected.")
    return redirect("account")


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
    except LastAdmin:
        return not_signed_in(
            request,
            name="",
            reason="your groups there would take the roles of the last admin. Sign in "
            "with your password, or make somebody else admin everywhere",
        )
    except RequestException as error:
        return not_signed_in(
            request, reason=f"it did not answer: {type(error).__name__}"
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # allauth takes from an answer what it expects, whether it is there or not.
        log.exception("The provider's answer cannot be read")
        return not_signed_in(
            request, reason=f"its answer cannot be read: {type(error).__name__}"
        )
