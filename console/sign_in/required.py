"""Who is not signed in is asked to, and what they typed is kept meanwhile."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import middleware as auth_middleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from console.access.referrer import referring_page
from console.sign_in import kept_form


class LoginRequiredMiddleware(auth_middleware.LoginRequiredMiddleware):
    """Send people who are not signed in to the login page, and back afterwards.

    An htmx request is told to take the whole page there: a login form swapped into a
    table cell would be lost on the reader. A page that asks for news by itself (X-Poll)
    is told 401 alone, and stays as it is until somebody looks at it. So does one with a
    form that has a file (X-Stays), which would have to be chosen again: it says so.
    """

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., Any], *args: Any
    ) -> HttpResponseBase | None:
        """Also refuse what somebody typed who was signed in here before."""
        refused = super().process_view(request, view_func, *args)
        # Where files are taken the view asks, once it may read them.
        takes_files = hasattr(view_func, "largest_body")
        if refused is not None or request.method != "POST" or takes_files:
            return refused
        return refuse_of_another(request)

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., Any]
    ) -> HttpResponse:
        if "X-Poll" in request.headers:
            return HttpResponse(status=401)
        if "X-Stays" in request.headers:
            return trigger_client_event(HttpResponse(status=204), "signed-out")
        if not request.htmx:  # type: ignore[attr-defined]
            if request.method in ("GET", "HEAD"):
                return super().handle_no_permission(request, view_func)
            # What was to be done is not done; the page with its button is shown again.
            page = _keep_typed(request) or referring_page(request) or "/"
            return redirect_to_login(page)
        page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
        if request.method == "POST":
            page = _keep_typed(request) or page
        login = redirect_to_login(page, self.get_login_url(view_func))
        return HttpResponseClientRedirect(login.url)


def refuse_of_another(request: HttpRequest) -> HttpResponse | None:
    """Take nothing from a form that somebody else has typed; None where nobody did."""
    if not request.user.is_authenticated or not kept_form.is_of_another(request):
        return None
    messages.warning(
        request,
        "Nothing was sent or stored: this form was typed by somebody else, who was "
        "signed in here before.",
    )
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponseClientRedirect("/")
    return redirect("/")


def _keep_typed(request: HttpRequest) -> str:
    """Keep what was typed, if its form can show it again; say what happened."""
    page = kept_form.keep(request)
    if not hasattr(request, "signed_out_because"):
        text = "Your session has ended. Nothing was sent or changed just now."
        messages.info(request, text)
    if page:
        messages.info(
            request,
            "What you typed is kept for an hour: sign in with the same user name to "
            "continue. Files are not kept.",
        )
    return page
