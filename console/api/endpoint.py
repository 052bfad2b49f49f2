"""One address of the API: who asks is known by a token, and may only read."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from console.access.roles import Role, role_of
from console.api.parameters import QueryMaker, checked, nothing
from console.api.problems import Problem, problem_response
from console.api.tables import Table
from console.models import ApiToken
from console.models.api_token import Scope
from console.runtime import db_clock

METHODS = ("GET", "HEAD")
View = Callable[..., Any]


@dataclass(frozen=True)
class Endpoint:
    """What an address declares: by this it is served, and described.

    `table` is what is told of each row. `is_list` says whether there are many, by page.
    `more` are properties besides those of the table, by name, as JSON schemas.
    """

    summary: str
    scope: Scope
    table: Table
    query: QueryMaker
    is_list: bool
    more: dict[str, Any]


def endpoint(
    *,
    summary: str,
    scope: Scope,
    table: Table,
    query: QueryMaker = nothing,
    is_list: bool = False,
    more: dict[str, Any] | None = None,
) -> Callable[[View], Callable[..., HttpResponse]]:
    """Serve what a view returns as JSON, to who has a token with `scope`.

    The view gets the request, whose user is the token's, and the form of its query.
    """
    told = Endpoint(summary, scope, table, query, is_list, more or {})

    def decorate(view: View) -> Callable[..., HttpResponse]:
        # No form leads here and no cookie counts, so that there is nothing to forge.
        @csrf_exempt
        @login_not_required
        @wraps(view)
        def served(request: HttpRequest, **named: Any) -> HttpResponse:
            try:
                _admit(request, told)
                content = view(request, checked(request, query), **named)
            except Problem as problem:
                return problem_response(request, problem)
            return JsonResponse(content, headers={"Cache-Control": "no-store"})

        served.endpoint = told  # type: ignore[attr-defined]
        return served

    return decorate


def _admit(request: HttpRequest, told: Endpoint) -> None:
    """Go on as the person of the token. Raises `Problem` for who may not."""
    token = _token_of(request)
    request.user = token.user
    _count(token)
    if request.method not in METHODS:
        detail = "Nothing was changed. The API is for reading: use GET or HEAD."
        allow = {"Allow": ", ".join(METHODS)}
        raise Problem(405, "Method not allowed", detail, headers=allow)
    if told.scope not in token.scopes:
        challenge = f'Bearer error="insufficient_scope", scope="{told.scope}"'
        raise Problem(
            403,
            "Not allowed",
            f"Nothing was read. This token lacks the scope {told.scope}. Make one that "
            "has it: Your account, API tokens.",
            headers={"WWW-Authenticate": challenge},
        )
    if role_of(token.user) < Role.VIEWER:
        detail = "Nothing was read. The token's user has no role. Ask an admin for one."
        raise Problem(403, "Not allowed", detail)


def _token_of(request: HttpRequest) -> ApiToken:
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        detail = (
            "Nothing was read. Send the header “Authorization: Bearer …” with an API "
            "token. Your account has them; sessions of browsers do not count here."
        )
        raise _unauthorized(detail, "Bearer")
    found = ApiToken.objects.usable(db_clock.now()).by_text(text.strip())
    token = found.select_related("user").first()
    if token is None:
        detail = (
            "Nothing was read. This token is unknown, has expired or was revoked, or "
            "its user's account is closed or waits for a new password."
        )
        raise _unauthorized(detail, 'Bearer error="invalid_token"')
    return token


def _unauthorized(detail: str, challenge: str) -> Problem:
    return Problem(
        401, "No valid token", detail, headers={"WWW-Authenticate": challenge}
    )


def _count(token: ApiToken) -> None:
    """Count one request of a token. Raises `Problem` where there were too many."""
    now = db_clock.now()
    minute = now.replace(second=0, microsecond=0)
    if token.spend(minute, most=settings.API_PER_MINUTE):
        return
    left = (minute + timedelta(minutes=1) - now).total_seconds()
    detail = (
        f"Nothing was read. A token may ask {settings.API_PER_MINUTE:,} times a "
        "minute. Wait as many seconds as Retry-After says, then ask again."
    )
    wait = {"Retry-After": str(max(1, round(left)))}
    raise Problem(429, "Too many requests", detail, headers=wait)
