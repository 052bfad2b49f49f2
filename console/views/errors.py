"""The pages for requests that end in an error, in words."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from console.access.referrer import referring_page
from console.access.roles import role_in
from console.environments import Environment
from console.http import FileGone


def _page(
    request: HttpRequest, status: int, title: str, text: str, **more: object
) -> HttpResponse:
    context = {"status": status, "title": title, "text": text, **more}
    return render(request, "console/error.html", context, status=status)


def bad_request(
    request: HttpRequest, exception: Exception | None = None
) -> HttpResponse:
    """400: the request itself could not be read."""
    text = "Nothing was changed. The request could not be understood."
    return _page(request, 400, "Bad request", text)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: says which role is missing, and which ones the reader has."""
    why = str(exception) or "Your role does not allow this."
    roles = [
        (environment, role_in(request.user, environment).word)
        for environment in Environment
    ]
    return _page(
        request,
        403,
        "Not allowed",
        f"Nothing was changed. {why}",
        roles=roles,
        back=referring_page(request),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: not there, or not yours to see."""
    if isinstance(exception, FileGone):
        return _page(request, 404, "The file is missing", str(exception))
    text = "There is nothing at this address, or it was removed."
    return _page(request, 404, "Not found", text)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our mistake; says what it means for the data.

    Drawn without the request's context, so that it appears without a database too.
    """
    text = (
        "The console made a mistake and stopped. Pages send nothing to Ampersand: "
        "if you had confirmed a write, it is in Operations with its true state."
    )
    context = {
        "status": 500,
        "title": "Something went wrong here",
        "text": text,
        "request": request,
    }
    return HttpResponse(render_to_string("console/error.html", context), status=500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form's token is missing or old. `reason` is for developers only."""
    text = (
        "Nothing was changed. The page was open while you signed in or out, or your "
        "browser keeps no cookies for this site. Go back, reload the page, try again."
    )
    return _page(request, 403, "This form is out of date", text)
