"""Reading answers in general: JSON without surprises, and every form of problem."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from ampersand.errors import OutcomeUnknown, Refused
from ampersand.schemas import (
    Issue,
    Problem,
    dict_or_empty,
    list_or_empty,
    parse_time,
    text_of,
)
from ampersand.secrets import SecretStr, redact

RAW_LIMIT = 20_000
SENTENCE_LIMIT = 500
DEEPEST_JSON = 100

# Statuses that pass by themselves, for servers that do not say `retryable`.
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

# Ampersand names its own in the body; gateways and proxies use these.
REQUEST_ID_HEADERS = ("x-request-id", "x-amp-request-id", "x-correlation-id")

# Nobody who asks for more than a day means it to the second.
LONGEST_RETRY_AFTER = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer with the API key already cut out of every part.

    `body` is the parsed JSON, meaningful only if `readable`. `text` is the beginning
    of the body as it came. `fault` says in plain words why the body is incomplete,
    or is None if all of it arrived. `retry_after` comes from the headers. `provider` is
    whom Ampersand wrote to, which decides what some texts mean, "" where nobody said.
    """

    status: int
    body: Any
    readable: bool
    text: str = field(repr=False)
    fault: str | None = None
    request_id: str | None = None
    retryable: bool | None = None
    retry_after: datetime | None = None
    provider: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def fields(self) -> dict[str, Any]:
        """The body if it is a JSON object, else {}."""
        return dict_or_empty(self.body)


def read_answer(
    *,
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    fault: str | None,
    secret: SecretStr,
    now: datetime,
) -> Answer:
    """Make an Answer of what came over the wire; never raises.

    `headers` must look names up regardless of case. `now` is what a Retry-After in
    seconds counts from.
    """
    text = redact(_printable(content.decode("utf-8-sig", errors="replace")), [secret])
    try:
        parsed = json.loads(
            content.decode("utf-8-sig"), parse_float=_finite, parse_constant=str
        )
        body = _clean(parsed, secret)
        readable = True
    except (ValueError, RecursionError):
        body, readable = None, False
    if readable and "\\" in text and _clean(parsed, None) != body:
        # The key was spelled with JSON escapes, which `redact` cannot see.
        text = json.dumps(body, ensure_ascii=False)
    named = (headers.get(name) for name in REQUEST_ID_HEADERS)
    request_id = next(filter(None, named), None)
    retryable = headers.get("x-amp-retryable", "").lower()
    return Answer(
        status=status,
        body=body,
        readable=readable,
        text=text[:RAW_LIMIT],
        fault=fault,
        request_id=request_id and redact(request_id, [secret])[:SENTENCE_LIMIT],
        retryable={"true": True, "false": False}.get(retryable),
        retry_after=_retry_after(headers, now),
    )


def success_of_read(answer: Answer, *, is_secret: bool = False) -> Any:
    """Return the JSON of a successful read. No error shows any of one that `is_secret`.

    Raises: Refused for any status but 2xx; OutcomeUnknown if the body is incomplete
    or not JSON.
    """
    if not answer.succeeded:
        raise Refused(problem_of(answer))
    problem = None if is_secret else problem_of(answer)
    if answer.fault:
        raise OutcomeUnknown(answer.fault, problem)
    if not answer.readable:
        raise OutcomeUnknown("The answer could not be read", problem)
    return answer.body


def problem_of(answer: Answer) -> Problem:
    """Read what the server said went wrong, in whichever form it said it.

    Problem documents (RFC 9457 with Ampersand's extensions), `{"errors": [...]}` of
    texts or objects, plain text and web pages all occur.
    """
    fields = answer.fields
    errors = texts_in(fields.get("errors"))
    said = text_of(fields.get("detail")) or next(iter(errors), "")
    detail = said or text_of(fields.get("title")) or _sentence(answer)
    causes = (*texts_in(fields.get("causes")), *errors)
    retryable = fields.get("retryable", answer.retryable)
    said_so = retryable if isinstance(retryable, bool) else None
    return Problem(
        status=answer.status,
        detail=detail,
        causes=tuple(cause for cause in causes if cause != detail),
        issues=tuple(_issue(issue) for issue in list_or_empty(fields.get("issues"))),
        remedy=text_of(fields.get("remedy")) or "",
        request_id=request_id_of(answer),
        retryable=answer.status in PASSING if said_so is None else said_so,
        says_retryable=said_so,
        retry_after=parse_time(fields.get("retryAfter")) or answer.retry_after,
        operation_id=id_of(fields.get("operationId")),
        raw=answer.text,
    )


def request_id_of(answer: Answer) -> str | None:
    """Return the id to quote to Ampersand's support, from the body or the headers."""
    return id_of(answer.fields.get("requestId")) or answer.request_id


def texts_in(value: object) -> tuple[str, ...]:
    """Read a list of texts, or of objects with a `message`, as texts."""
    return tuple(text for item in list_or_empty(value) if (text := _message(item)))


def id_of(value: object) -> str | None:
    """Return a text or whole number as an id, and None for anything else or blank."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _message(item: object) -> str:
    fields = dict_or_empty(item)
    for name in ("message", "msg", "detail"):
        if fields.get(name):
            return text_of(fields[name]) or ""
    return text_of(item) or ""


def _issue(value: object) -> Issue:
    fields = dict_or_empty(value)
    detail = fields.get("detail") or fields.get("title")
    return Issue(
        name=text_of(fields.get("name")) or "",
        detail=text_of(detail) or text_of(value) or "",
    )


def _sentence(answer: Answer) -> str:
    """Find a sentence in a body that is not a problem document."""
    start = answer.text.strip()[:SENTENCE_LIMIT]
    status = f"{answer.status} {_phrase(answer.status)}".strip()
    if answer.readable or not start:
        return f"The server answered {status} and gave no reason."
    if start.startswith("<"):
        return f"The server answered {status} with a web page."
    return start


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _finite(text: str) -> float | str:
    """Keep numbers beyond a float's range as text: no database stores an infinity."""
    number = float(text)
    return number if math.isfinite(number) else text


def _printable(text: str) -> str:
    """Replace what databases refuse to store: NUL and lone surrogates."""
    return (
        text.encode(errors="replace")
        .decode()
        .replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def _clean(value: Any, secret: SecretStr | None, depth: int = 0) -> Any:
    """Make every text in parsed JSON storable, and free of the secret.

    Raises: ValueError if the JSON is nested too deeply to be meant.
    """
    if depth > DEEPEST_JSON:
        message = "nested too deeply"
        raise ValueError(message)
    if isinstance(value, str):
        return redact(_printable(value), [secret] if secret else [])
    if isinstance(value, list):
        return [_clean(item, secret, depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            _clean(name, secret, depth + 1): _clean(item, secret, depth + 1)
            for name, item in value.items()
        }
    return value


def _retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Read X-Amp-Retry-After (an HTTP date) or Retry-After (that, or seconds)."""
    value = headers.get("x-amp-retry-after") or headers.get("retry-after") or ""
    if value.isascii() and value.isdecimal():
        # Seconds of more than six digits are over a day anyway.
        wait = timedelta(seconds=int(value[:6]))
        return now + min(wait, LONGEST_RETRY_AFTER)
    try:
        time = parsedate_to_datetime(value)
        return time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
