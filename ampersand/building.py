"""What the builders of every generation share: addresses and checks."""

from copy import deepcopy
from typing import Any
from urllib.parse import quote, urlsplit

from ampersand.errors import RequestInvalid
from ampersand.schemas import Action, Request, Target

SHORT_ID, LONG_ID = 15, 18

# "Write Actions" of Ampersand's docs: "A CSV string (max size 10 MiB)".
LARGEST_CSV = 10 * 1024 * 1024


def checked(
    *,
    action: Action,
    method: str,
    url: str,
    body: dict[str, Any],
    more_headers: tuple[tuple[str, str], ...] = (),
) -> Request:
    """Make a request whose body JSON can carry and no caller can change any more.

    Raises: RequestInvalid if JSON cannot carry it.
    """
    try:
        request = Request(
            action=action,
            method=method,
            url=url,
            body=deepcopy(body),
            more_headers=more_headers,
        )
        request.content()
    except UnicodeEncodeError:
        raise RequestInvalid("A text holds characters that are not Unicode.") from None
    except (TypeError, ValueError, RecursionError):
        raise RequestInvalid("A value is of a kind that JSON cannot carry.") from None
    return request


def object_url(base_url: str, target: Target) -> str:
    """Return the address of an integration's object.

    Raises: RequestInvalid for a part of `target` that is blank or fits no path.
    """
    not_blank(target.group_ref, "group reference")
    integration = integration_url(base_url, target.project, target.integration)
    return f"{integration}/objects/{segment(target.object_name, 'object name')}"


def headless_url(base_url: str, target: Target) -> str:
    """Return the same for an API that hands no headers on to the SaaS.

    Raises: RequestInvalid as `object_url` does, and for a target with headers.
    """
    if target.headers:
        raise RequestInvalid("This generation of Ampersand's API hands on no headers.")
    return object_url(base_url, target)


def integration_url(base_url: str, project: str, integration: str) -> str:
    """Return the address of an integration."""
    return (
        f"{base_url}/projects/{segment(project, 'project')}"
        f"/integrations/{segment(integration, 'integration')}"
    )


def operation_url(base_url: str, project: str, operation_id: str) -> str:
    """Return the address of an operation."""
    return (
        f"{base_url}/projects/{segment(project, 'project')}"
        f"/operations/{segment(operation_id, 'operation id')}"
    )


def segment(value: str, what: str) -> str:
    """Percent-encode one segment of a path; some providers' objects have slashes.

    Raises: RequestInvalid if it is blank, a dot segment or not Unicode.
    """
    not_blank(value, what)
    if value in (".", ".."):
        # Every URL library resolves these, which would address something else.
        raise RequestInvalid(f"The {what} cannot be “{value}”.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise RequestInvalid(f"The {what} is not valid Unicode.") from None


def not_blank(value: str, what: str) -> None:
    """Raise RequestInvalid if `value` is blank; `what` names it for operators."""
    if not value.strip():
        raise RequestInvalid(f"The {what} is missing.")


def base_url(value: str) -> str:
    """Return an address to build on, without a slash at its end.

    Raises: RequestInvalid unless it is http or https with a host, and has no user,
    query or fragment: those would end up in logs or swallow the path.
    """
    try:
        parts = urlsplit(value)
        port_is_valid = parts.port != 0
    except ValueError:
        raise RequestInvalid("The base address is not a valid URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise RequestInvalid("The base address must be an http or https URL.")
    if "@" in parts.netloc or "?" in value or "#" in value:
        raise RequestInvalid("The base address may hold only a host and a path.")
    return value.rstrip("/")


def csv_or_url(csv: str | None, url: str | None) -> dict[str, str]:
    """Return the members of a body that hold the rows of a file, or where they lie.

    Raises: RequestInvalid for both or neither, and for a CSV that is too large.
    """
    if (csv is None) == (url is None):
        raise RequestInvalid("Give either a CSV or the URL of one, not both.")
    if url is not None:
        not_blank(url, "URL")
        return {"recordsURL": url}
    if not csv or not csv.strip():
        raise RequestInvalid("The CSV is empty.")
    size = len(csv.encode(errors="replace"))
    if size > LARGEST_CSV:
        raise RequestInvalid(f"The CSV has {size:,} bytes; the limit is 10,485,760.")
    return {"recordsCSV": csv}


def without_id(record: dict[str, Any], record_id: str) -> dict[str, Any]:
    """Return the record without its own id field.

    Raises: RequestInvalid if that is another one than `record_id`.
    """
    others = [name for name in record if name.lower() == "id"]
    if any(str(record[name]) != record_id for name in others):
        raise RequestInvalid("The record holds another id than the one to update.")
    return {name: value for name, value in record.items() if name not in others}


def is_same_id(one: str, other: str) -> bool:
    """Whether two ids are of one record.

    Salesforce gives an id with 15 characters, or with 3 more that tell their case.
    """
    if {len(one), len(other)} == {SHORT_ID, LONG_ID}:
        return one[:SHORT_ID] == other[:SHORT_ID]
    return one == other
