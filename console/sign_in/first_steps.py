"""What somebody must do before anything else: they are led there, and reach no more."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from console.models.first_password import must_change_password
from console.sign_in.second_factor import has_second_factor, lacks_second_factor

# Open to everybody who is signed in, whatever they must do.
OPEN = {"logout"}
# A page of a first step that leads to another one.
BESIDE = {"second_factor": {"identity_check", "security_key"}}


def first_step(request: HttpRequest) -> str:
    """Return the name of the page that comes before all others, "" where none does."""
    if must_change_password(request.user):
        return "password"
    if not lacks_second_factor(request):
        return ""
    # Set up in another browser: here it was not shown yet.
    is_there = has_second_factor(request.user)  # type: ignore[arg-type]
    return "identity_check" if is_there else "second_factor"


class FirstStepsMiddleware:
    """Lead everybody to their first step, if there is one: a password, a factor."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Answer in the view's place, unless it is open to anybody."""
        if not getattr(view, "login_required", True):
            return None
        step = first_step(request)
        # What a page shows of the console depends on it.
        request.first_step = step  # type: ignore[attr-defined]
        match = request.resolver_match
        name = match.view_name if match else ""
        if not step or name in OPEN | {step} | BESIDE.get(step, set()):
            return None
        if "X-Poll" in request.headers:
            return HttpResponse(status=401)
        page = request.get_full_path() if request.method == "GET" else "/"
        if not request.htmx:  # type: ignore[attr-defined]
            return redirect_to_login(page, reverse(step))
        return HttpResponseClientRedirect(reverse(step))
