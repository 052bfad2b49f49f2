"""What goes to Ampersand and what comes back, as frozen dataclasses.

Answers are read tolerantly: unknown fields stay in `raw`, missing ones become None
or empty, and a value of an unexpected type never raises. Texts from outside are
untrusted wherever they are shown.
"""

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, Literal

from ampersand.secrets import MASK

type Action = Literal["create", "update", "upsert", "delete", "read"]
type UpdateStyle = Literal["patch", "post_type_update", "patch_id_in_path"]
type IdSpelling = Literal["id", "Id"]

USER_AGENT = "write-console"

# Linux takes at most 128 KiB in one command-line argument.
LONGEST_CURL_ARGUMENT = 100_000


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where a write goes: an object of an integration, for one customer's group.

    `headers` are those that Ampersand hands on to the SaaS, by name
    (`ampersand.provider_headers`).
    """

    project: str
    integration: str
    object_name: str
    group_ref: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as it will be sent, except for the API key, which it never holds.

    `url` is absolute and percent-encoded. `body` is what the JSON will say, or None
    for a GET. `masked_key` is how the key is shown, e.g. "••••1a2b". `answer_has_id`
    says that the answer names what was asked for, so that an answer to something else
    is noticed. `raw` are the exact bytes of a body that was made as text; `body` may
    then be left out. `more_headers` are sent besides the usual ones.
    """

    action: Action
    method: str
    url: str
    body: dict[str, Any] | None = None
    masked_key: str = MASK
    answer_has_id: bool = False
    raw: bytes | None = None
    more_headers: tuple[tuple[str, str], ...] = ()

    def content(self) -> bytes:
        """Return the exact bytes of the body: compact JSON in UTF-8, b"" for none.

        Raises: TypeError, ValueError (NaN, infinities, lone surrogates, cycles) or
        RecursionError for a body that JSON cannot carry. The builders of this
        package have ruled these out. Made once: what was checked is what is sent, and
        10 MiB take a while.
        """
        return self._content

    @cached_property
    def _content(self) -> bytes:
        if self.raw is not None:
            return self.raw
        if self.body is None:
            return b""
        compact = (",", ":")
        text = json.dumps(
            self.body, ensure_ascii=False, allow_nan=False, separators=compact
        )
        return text.encode()

    def headers(self) -> dict[str, str]:
        """Return the headers that are sent, without the key."""
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if self.content():
            headers["Content-Type"] = "application/json"
        return headers | dict(self.more_headers)

    def headers_shown(self) -> dict[str, str]:
        """Return the headers that are sent, with the key masked."""
        return {"X-Api-Key": self.masked_key, **self.headers()}

    def as_curl(self, *, body_file: bool = False) -> str:
        """Return a bash command that sends the same request.

        It takes the key from the environment variable AMPERSAND_API_KEY. A body
        too long for a command line, or with `body_file` any, is read from a file
        `body.json`, which must hold `content()`.
        """
        lines = [f"curl --request {self.method}", f"--url {shlex.quote(self.url)}"]
        lines.append('--header "X-Api-Key: $AMPERSAND_API_KEY"')
        for name, value in self.headers().items():
            lines.append(f"--header {shlex.quote(f'{name}: {value}')}")
        content = self.content()
        if body_file or len(content) > LONGEST_CURL_ARGUMENT:
            lines.append("--data-binary @body.json")
        elif content:
            lines.append(f"--data-raw {shlex.quote(content.decode())}")
        return " \\\n  ".join(lines)


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """What stands around the records of every request of a run.

    A body is `before`, up to `most` items with commas between, and `after`. With
    `is_single` the one record stands for itself, else an item is `{"record": …}`.
    """

    action: Action
    url: str
    before: str
    after: str
    most: int
    is_single: bool

    def request(self, raw: bytes) -> Request:
        """Return the request with this body."""
        return Request(action=self.action, method="POST", url=self.url, raw=raw)


@dataclass(frozen=True, kw_only=True)
class Issue:
    """One field that the server found fault with.

    `name` is a path such as "items[0].x" (Ampersand's InputValidationProblem), and
    `detail` is the complaint.
    """

    name: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What the server said went wrong.

    `detail` is never empty. `retryable` is the server's own word, or else whether
    the status is one that passes by itself; `says_retryable` is the server's word
    alone, None where it said nothing. `retry_after` is the earliest time for another
    try. `operation_id` names the operation that failed, if one was started.
    `raw` is the beginning of the body, at most 20,000 characters.
    """

    status: int
    detail: str
    causes: tuple[str, ...] = ()
    issues: tuple[Issue, ...] = ()
    remedy: str = ""
    request_id: str | None = None
    retryable: bool = False
    says_retryable: bool | None = None
    retry_after: datetime | None = None
    operation_id: str | None = None
    raw: str = field(default="", repr=False)

    @property
    def asks_to_wait(self) -> bool:
        """Whether the server would take the same request later, and took nothing now.

        429 says so by itself, any other 4xx only in words: a guess by its status could
        send a request that is wrong again and again.
        """
        if self.status == HTTPStatus.TOO_MANY_REQUESTS:
            return self.says_retryable is not False
        return 400 <= self.status < 500 and self.says_retryable is True


@dataclass(frozen=True, kw_only=True)
class WriteResult:
    """A write that took effect, or with `is_accepted` one that goes on.

    A failed one raises Refused. `record_id` is the SaaS's id; an update may lack it.
    `operation_id` is always present for one that goes on. `warnings` and `errors` may
    hold texts although the write took effect: show them, do not send again. `raw` is
    the beginning of the body, at most 20,000 characters.
    """

    record_id: str | None
    data: dict[str, Any] | None
    operation_id: str | None
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    status_code: int
    request_id: str | None
    raw: str = field(repr=False)
    is_accepted: bool = False


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The state of an asynchronous write.

    `status` is the server's word as it came: today success, failure or in_progress,
    in 2023-24 also BulkWriteCompleted, and any other may come. `result` is one
    sentence, e.g. "Batch write completed (3 succeeded, 1 failed)".
    """

    id: str
    status: str
    result: str | None
    action_type: str
    create_time: datetime | None
    object_name: str | None
    raw: dict[str, Any] = field(repr=False)

    @property
    def successful_ids(self) -> tuple[str, ...]:
        """The ids of the records that were written, in no order; as far as told."""
        told = list_or_empty(self._metadata.get("successfulRecordIds"))
        return tuple(text for each in told if (text := text_of(each)))

    @property
    def tries(self) -> int:
        """How often Ampersand tried to write it; 0 where it does not say."""
        told = dict_or_empty(self._metadata.get("retry")).get("attempts")
        return told if isinstance(told, int) and told > 0 else 0

    @property
    def _metadata(self) -> dict[str, Any]:
        return dict_or_empty(self.raw.get("metadata"))

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "Operation":
        """Read what getOperation answers."""
        metadata = dict_or_empty(raw.get("metadata"))
        objects = list_or_empty(metadata.get("objects"))
        name = raw.get("objectName") or raw.get("resource") or next(iter(objects), None)
        return cls(
            id=text_of(raw.get("id")) or "",
            status=text_of(raw.get("status")) or "",
            result=text_of(raw.get("result")),
            action_type=text_of(raw.get("actionType")) or "",
            create_time=parse_time(raw.get("createTime")),
            object_name=text_of(name),
            raw=raw,
        )


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One line of an operation's log.

    `severity` is a free word; DEBUG is the only documented one.
    """

    timestamp: datetime | None
    severity: str
    text: str
    error: str | None
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def from_json(cls, entry: object) -> "LogEntry":
        """Read one entry, whose message is a text (until March 2024) or an object."""
        raw = entry if isinstance(entry, dict) else {"message": entry}
        message = raw.get("message")
        parts = message if isinstance(message, dict) else {"msg": message}
        return cls(
            timestamp=parse_time(raw.get("timestamp")),
            severity=text_of(raw.get("severity")) or "",
            text=text_of(parts.get("msg")) or "",
            error=text_of(parts.get("error")),
            raw=raw,
        )


def in_order(entries: Iterable[LogEntry]) -> tuple[LogEntry, ...]:
    """Sort by time, as the server promises no order; entries without a time go last."""
    never = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(entries, key=lambda entry: entry.timestamp or never))


def parse_time(value: object) -> datetime | None:
    """Read an RFC 3339 time as UTC, or return None for anything else.

    So is Go's word for no time, the first moment of the year 1, and what else another
    time zone may have no date for.
    """
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        time = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if MINYEAR < time.year < MAXYEAR else None


def text_of(value: object) -> str | None:
    """Return a text as it is, None as None, and any other value as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def dict_or_empty(value: object) -> dict[str, Any]:
    """Return `value` if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_or_empty(value: object) -> list[Any]:
    """Return `value` if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []
