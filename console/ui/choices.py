"""Small choices of how pages look and behave, kept in this browser for a year."""

from collections.abc import Collection

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from console.http import ConsoleRequest

A_YEAR = 365 * 24 * 3600


def is_own_path(page: str) -> bool:
    """Tell whether `page` is a path of this console and leads nowhere else."""
    # Without a host nothing but a path of our own is allowed.
    return page.startswith("/") and url_has_allowed_host_and_scheme(page, None)


def next_page(request: HttpRequest) -> str:
    """Return the page of ours to go on to, as a form or an address has it, or ""."""
    page = request.POST.get("next") or request.GET.get("next", "")
    return page if is_own_path(page) else ""


def keep_choice(
    request: ConsoleRequest, name: str, choices: Collection[str], otherwise: str
) -> HttpResponseRedirect:
    """Keep what was posted as `name` in a cookie of that name, and lead back.

    Back is the posted `next`, else the page named `otherwise`. Raise `BadRequest` where
    it is none of `choices`.
    """
    chosen = request.POST.get(name, "")
    if chosen not in choices:
        raise BadRequest("There is no such choice.")
    return keep(request, name, chosen, otherwise)


def keep(
    request: ConsoleRequest, name: str, value: str, otherwise: str
) -> HttpResponseRedirect:
    """Keep a value of ours in the cookie `name`, and lead back as `keep_choice`."""
    page = request.POST.get("next", "")
    response = HttpResponseRedirect(page if is_own_path(page) else reverse(otherwise))
    response.set_cookie(
        name,
        value,
        max_age=A_YEAR,
        samesite="Lax",
        secure=settings.HTTPS_ONLY,
        httponly=True,
    )
    return response
