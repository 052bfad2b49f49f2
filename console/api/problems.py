"""What went wrong, for programs: problem details as RFC 9457 has them."""

from typing import Any

from django.http import HttpRequest, JsonResponse

PREFIX = "/api/"
PROBLEM = "application/problem+json"


def is_api(request: HttpRequest) -> bool:
    """Tell whether a program asks: it gets no HTML, whatever happens."""
    return request.path_info.startswith(PREFIX)


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it so
    """A request that is not answered as asked, with the status that says so."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.errors, self.headers = errors, headers


def problem_response(request: HttpRequest, problem: Problem) -> JsonResponse:
    """Return the answer that tells of `problem`."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        content["errors"] = problem.errors
    if request_id := getattr(request, "correlation_id", ""):
        content["request_id"] = request_id
    return JsonResponse(
        content,
        status=problem.status,
        content_type=PROBLEM,
        headers={"Cache-Control": "no-store", **(problem.headers or {})},
    )


SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, and what to do."},
        "errors": {
            "type": "array",
            "description": "What is wrong with which parameter.",
            "items": {
                "type": "object",
                "required": ["parameter", "detail"],
                "properties": {
                    "parameter": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
        "request_id": {
            "type": "string",
            "description": "The id of the request, as in the header X-Request-ID.",
        },
    },
}
