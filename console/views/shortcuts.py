"""The keyboard shortcuts: what they are, and a switch for those of one key."""

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from console.http import ConsoleRequest
from console.views.theme import A_YEAR


@require_http_methods(["GET", "HEAD", "POST"])
def shortcuts(request: ConsoleRequest) -> HttpResponse:
    """Show the shortcuts; a POST turns those of a single key on or off for a year.

    Who dictates, or strikes keys unawares, must be able to be rid of them.
    """
    if request.method != "POST":
        return render(request, "console/shortcuts.html")
    chosen = request.POST.get("keys")
    if chosen not in ("on", "off"):
        raise BadRequest("There is no such choice.")
    page = request.POST.get("next", "")
    # Without a host nothing but a path of our own is allowed.
    safe = page.startswith("/") and url_has_allowed_host_and_scheme(page, None)
    response = HttpResponseRedirect(page if safe else reverse("shortcuts"))
    response.set_cookie(
        "keys",
        chosen,
        max_age=A_YEAR,
        samesite="Lax",
        secure=settings.HTTPS_ONLY,
        httponly=True,
    )
    return response
