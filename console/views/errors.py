"""The pages for requests that end in an error, in words."""

import sys

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from console.access.referrer import referring_page
from console.access.roles import role_in
from console.api.problems import Problem, is_api, problem_response
from console.environments import Environment
from console.http import FileGone
from console.runtime.trouble import AWAY, Trouble, is_conflict, trouble_of
from console.uploads import TooLarge


def _page(
    request: HttpRequest, status: int, title: str, text: str, **more: object
) -> HttpResponse:
    if is_api(request):
        return problem_response(request, Problem(status, title, text))
    context = {"status": status, "title": title, "text": text, **more}
    return render(request, "console/error.html", context, status=status)


def bad_request(
    request: HttpRequest, exception: Exception | None = None
) -> HttpResponse:
    """400: the request itself could not be read; 413: it brings too much."""
    if isinstance(exception, TooLarge):
        return too_large(request, str(exception))
    text = "Nothing was changed. The request could not be understood."
    return _page(request, 400, "Bad request", text)


def too_large(
    request: HttpRequest, why: str, *, title: str = "Too large", **more: object
) -> HttpResponse:
    """413: a request brings more than it may, and nothing of it was read."""
    text = f"Nothing was stored, and nothing was sent. {why}"
    return _page(request, 413, title, text, back=referring_page(request), **more)


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
    text = "There is no such page, or it was removed."
    return _page(request, 404, "Not found", text)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our mistake; 503: a full disk or the like; 409: others were first.

    Says what it means for the data. Drawn without the request's context, so that it
    appears without a database too.
    """
    trouble = trouble_of(sys.exception())
    if trouble is None and is_conflict(sys.exception()):
        text = f"{_what_became_of_it(request, None)} {_OTHERS_WERE_FIRST}"
        return _without_context(request, 409, "Changed meanwhile", text)
    if trouble is None:
        text = f"The console had an internal error. {_SENDS_NOTHING}"
        return _without_context(request, 500, "Something went wrong", text)
    what = _what_became_of_it(request, trouble)
    text = f"{what} {trouble.text} {trouble.remedy}"
    response = _without_context(request, 503, "Not possible right now", text)
    response["Retry-After"] = "30"
    return response


_SENDS_NOTHING = (
    "Pages never send to Ampersand themselves: a write that you confirmed is in "
    "Operations, with its true state."
)


_OTHERS_WERE_FIRST = (
    "Something else was stored or removed at the same moment: by a second click, or by "
    "somebody else. Go back, reload the page, and see whether this is there already."
)


def _what_became_of_it(request: HttpRequest, trouble: Trouble | None) -> str:
    """Say what was stored of a request that did not end well."""
    if request.method in ("GET", "HEAD"):
        return "Nothing was changed, and nothing was sent."
    if getattr(request, "has_stored", False) or trouble is AWAY:
        # A database that goes away may have stored it and not said so.
        return (
            f"Your change may be stored in part: check before you repeat it. "
            f"{_SENDS_NOTHING}"
        )
    return "Nothing was stored, and nothing was sent."


def _without_context(
    request: HttpRequest, status: int, title: str, text: str
) -> HttpResponse:
    if is_api(request):
        return problem_response(request, Problem(status, title, text))
    context = {
        "status": status,
        "title": title,
        "text": text,
        "request": request,
        "back": referring_page(request),
    }
    return HttpResponse(render_to_string("console/error.html", context), status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form's token is missing or old. `reason` is for developers only."""
    text = (
        "Nothing was changed. The page was open while you signed in or out, or your "
        "browser blocks cookies for this site. Go back, reload the page, and try again."
    )
    return _page(request, 403, "This form is out of date", text)
