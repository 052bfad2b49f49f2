"""Misbehaviour on demand, by header or by writing to an object named for it."""

from collections.abc import Callable

from sandbox.web import BadRequest, Problem, Refusal, Request, Response

PREFIX, SUFFIX = "fault_", "__c"

FAULTS = {
    "401": "Answers 401; nothing is written.",
    "403": "Answers 403; nothing is written.",
    "404": "Answers 404; nothing is written.",
    "429": "Answers 429 with Retry-After: 2; nothing is written.",
    "busy": "Answers 429 with Retry-After: 1 the first two times; then writes.",
    "locked": "Answers 423 with retryable and retryAfter the first two times; "
    "then writes.",
    "500": "Answers 500 as problem+json; nothing is written.",
    "502_html": "Answers 502 with a proxy's HTML page; nothing is written.",
    "timeout_before": "Never answers; nothing is written.",
    "timeout_after": "Writes, and never answers.",
    "reset_before": "Resets the connection; nothing is written.",
    "reset_after": "Writes, then resets the connection.",
    "truncated": "Writes, and cuts the answer short.",
    "unknown_status": "The operation is 'wibbling' until it ends.",
    "unknown_status_forever": "The operation is 'wibbling' for good.",
    "late_logs": "The operation ends at once; its logs appear 20 seconds later.",
    "unordered_logs": "The operation's logs come in no order.",
    "never_ends": "The operation stays in_progress, until it is told to end.",
    "partial": "Every third row of a bulk write fails.",
    "bulk_completed": "The operation ends as BulkWriteCompleted, without counts.",
    "string_logs": "Log messages are plain strings, as in early 2024.",
    "poll_429": "GetOperation answers 429 the first two times.",
    "poll_500": "GetOperation answers 500 the first two times.",
    "lost_operation": "GetOperation answers 404 for an operation that exists.",
}
"""Every fault and what it does."""

OF_C = {
    "batch_no_results": "A batch is written, and answered by its counts alone.",
    "batch_results_short": "The first result is missing from the answer to a batch.",
    "batch_counts_wrong": "The answer to a batch counts ten successes too few.",
    "batch_swapped": "HubSpot's results of what was created come in another order.",
    "associations_fail_after": "HubSpot writes, and the associations fail after that.",
    "search_two": "A search that finds a record tells it twice.",
    "async_partial": "Every twentieth record of an asynchronous batch fails.",
    "async_twice": "An asynchronous create times out after it wrote, and is tried "
    "once more: its records are there twice.",
    "webhook_twice": "The notification of an asynchronous batch is sent twice.",
    "webhook_forged": "That notification is signed with another secret.",
    "server_error_422": "Answers 422 with the text of a 5xx of the SaaS; nothing is "
    "written.",
}
"""Those of generation C, asked for by header alone: no object is named for them."""

_PROXY_PAGE = b"<html><body><h1>502 Bad Gateway</h1><hr>proxy</body></html>"


class Hang(TimeoutError):
    """The answer never comes. The server keeps the connection silent; without a
    server it reaches the caller as the TimeoutError it is."""


class Reset(ConnectionResetError):
    """The connection is reset. The server really resets it; without a server it
    reaches the caller as the ConnectionResetError it is."""


class _Busy(Refusal):
    """429 of a gateway that knows nothing of problem documents."""

    def response(self, request: Request) -> Response:
        headers = (("Retry-After", "1"),)
        return Response(429, b"slow down", "text/plain; charset=utf-8", headers)


class _BadGateway(Refusal):
    def response(self, request: Request) -> Response:
        return Response(502, _PROXY_PAGE, "text/html")


def named(object_name: str) -> str:
    """The fault an object is named for, or an empty string."""
    fault = object_name.removeprefix(PREFIX).removesuffix(SUFFIX)
    return fault if object_name == f"{PREFIX}{fault}{SUFFIX}" else ""


def is_known(fault: object) -> bool:
    """Whether there is a fault of that name."""
    return fault in FAULTS or fault in OF_C


def before(fault: str) -> None:
    """Raise what happens instead of the work."""
    if fault and not is_known(fault):
        raise BadRequest(f"unknown fault '{fault}', see /sandbox/faults")
    if fault in _INSTEAD:
        raise _INSTEAD[fault]()


def at_first(fault: str, times: int) -> None:
    """Raise what happens instead of the work, if it is not yet the third time."""
    if fault in _AT_FIRST and times <= 2:
        raise _AT_FIRST[fault]()


def after(fault: str, response: Response) -> Response:
    """What the caller gets to see of the work's answer."""
    if fault == "timeout_after":
        raise Hang
    if fault == "reset_after":
        raise Reset
    if fault == "truncated":
        half = response.body[: len(response.body) // 2]
        return Response(response.status, half, response.content_type, truncated=True)
    return response


def too_many_requests() -> Problem:
    """429, to be tried again after two seconds."""
    return Problem(429, "Too many requests.", retryable=True, retry_after=2)


def server_error() -> Problem:
    """500 without a reason."""
    return Problem(500, "An internal error occurred.", retryable=True)


_INSTEAD: dict[str, Callable[[], Exception]] = {
    "401": lambda: Problem(401, "Unauthorized."),
    "403": lambda: Problem(403, "Forbidden."),
    "404": lambda: Problem(404, "Not found."),
    "429": too_many_requests,
    "500": server_error,
    "502_html": _BadGateway,
    "timeout_before": Hang,
    "reset_before": Reset,
}

_AT_FIRST: dict[str, Callable[[], Exception]] = {
    "busy": _Busy,
    "locked": lambda: Problem(
        423, "The record is locked by another job.", retryable=True, retry_after=1
    ),
}
