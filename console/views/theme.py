"""Light or dark: a choice kept in a cookie."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from console.http import ConsoleRequest

A_YEAR = 365 * 24 * 3600


@require_POST
def theme(request: ConsoleRequest) -> HttpResponse:
    """Remember the theme for a year and go back to the page it was chosen on."""
    chosen = request.POST.get("theme")
    if chosen not in ("light", "dark"):
        raise BadRequest("There is no such theme.")
    page = request.POST.get("next", "")
    # Without a host nothing but a path of our own is allowed.
    safe = page.startswith("/") and url_has_allowed_host_and_scheme(page, None)
    response = HttpResponseRedirect(page if safe else reverse("home"))
    response.set_cookie(
        "theme",
        chosen,
        max_age=A_YEAR,
        samesite="Lax",
        secure=settings.HTTPS_ONLY,
        httponly=True,
    )
    return response
