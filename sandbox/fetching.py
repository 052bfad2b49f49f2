"""Getting the CSV behind a recordsURL, as Ampersand's server would."""

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any, override
from urllib.parse import urlsplit

MAX_BYTES = 150 * 1024 * 1024
"""The largest file Ampersand documents."""

TIMEOUT = 30.0
"""Seconds without a byte before giving up."""


class FetchError(Exception):
    """Why there is no CSV, in words."""


class _OnlyHttp(urllib.request.HTTPRedirectHandler):
    @override
    def redirect_request(self, req: Any, fp: Any, *rest: Any) -> Any:
        if not is_web_address(rest[-1]):
            raise FetchError(f"failed to retrieve the CSV: redirected to {rest[-1]}")
        return super().redirect_request(req, fp, *rest)


def is_web_address(url: str) -> bool:
    """Whether it is an http or https address with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def fetch(url: str) -> str:
    """The text at an address; bytes that are not UTF-8 become U+FFFD."""
    opener = urllib.request.build_opener(_OnlyHttp)
    try:
        with opener.open(url, timeout=TIMEOUT) as response:
            data: bytes = response.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        with error:
            raise FetchError(
                f"failed to retrieve the CSV: HTTP status {error.code}"
            ) from error
    except (OSError, HTTPException, ValueError) as error:
        raise FetchError(f"failed to retrieve the CSV: {error}") from error
    if len(data) > MAX_BYTES:
        raise FetchError("the CSV is larger than 150 MiB")
    return data.decode("utf-8", "replace")
