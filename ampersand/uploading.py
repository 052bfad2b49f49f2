"""Putting a CSV where Ampersand fetches it: the upload address of generation B.

Source: "generateUploadUrl" of Ampersand's OpenAPI document of 2024. The address is
signed, good for one file and for 15 minutes; whoever knows it needs no API key. An
upload writes nothing to any SaaS, so it may be repeated.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import httpx

from ampersand.answers import Answer, success_of_read
from ampersand.errors import AmpersandError, OutcomeUnknown
from ampersand.exchange import NOTHING_LEFT, connections, why_not_sent
from ampersand.network import Resolve, deadline, keep_deadlines, trusted
from ampersand.schemas import USER_AGENT, Request, dict_or_empty

logger = logging.getLogger("ampersand")

# Seconds for a file with all its tries: who waits for it has set aside 15 minutes, and
# so long an address is good.
LONGEST = 840.0
# Of an answer that refuses a file, so much is looked at for the store's own word.
LARGEST_REFUSAL = 4096

# What an address has where the document of 2024 leads.
STORAGE = "https://storage.googleapis.com:443"


class UploadFailed(AmpersandError):
    """The file was not put there; nothing was written to any SaaS."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file to put there: its name, its bytes, and the base64 of their MD5.

    `blocks` yields the bytes anew each time, together `size` of them.
    """

    name: str
    size: int
    md5: str
    blocks: Callable[[], Iterable[bytes]] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a file may be put, and what a write says to have it fetched from there."""

    url: str = field(repr=False)
    reference: str


def generate_upload_url(base_url: str, file: Upload) -> Request:
    """Build the question where `file` may be put."""
    query = f"fileName={quote(file.name, safe='')}&md5={quote(file.md5, safe='')}"
    url = f"{base_url}/generate-upload-url?{query}"
    return Request(action="read", method="GET", url=url)


def read_place(answer: Answer) -> Place:
    """Read where a file may be put. No error shows any of the address.

    Raises: Refused for any status but 2xx; OutcomeUnknown for an unreadable answer.
    """
    fields = dict_or_empty(success_of_read(answer, is_secret=True))
    url, reference = fields.get("url"), fields.get("reference")
    if not isinstance(url, str) or not isinstance(reference, str) or not reference:
        raise OutcomeUnknown("The answer names no place for the file")
    return Place(url=url, reference=reference)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address, "" of what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return ""
    if parts.username is not None or not parts.hostname or port is None:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"


class Uploads:
    """Puts files at signed addresses of certain origins, without any API key.

    Redirects are not followed: they could lead to any host.
    """

    def __init__(
        self,
        *,
        origins: frozenset[str],
        timeout: float,
        transport: httpx.BaseTransport | None,
        resolve: Resolve | None,
    ) -> None:
        """`origins` are those of `origin_of`; `timeout` is in seconds for a wait."""
        self._origins = origins
        self._http = httpx.Client(
            transport=transport, verify=trusted(), **connections(timeout)
        )
        keep_deadlines(self._http, resolve)

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def put(self, place: Place, file: Upload, *, seconds: float = LONGEST) -> None:
        """Put the file there within so many seconds.

        Raises: UploadFailed; OSError if the file cannot be read.
        """
        origin = origin_of(place.url)
        if origin not in self._origins:
            raise UploadFailed(
                f"Ampersand names {origin or 'no address'} to put the file at, which "
                "the setting UPLOAD_HOSTS does not allow."
            )
        started = time.monotonic()
        with deadline(seconds):
            failed = self._failure(place, file)
        took = round((time.monotonic() - started) * 1000)
        # The path of the address is as good as a key.
        logger.info("PUT %s %s %d ms", origin, failed or "stored", took)
        if failed:
            raise UploadFailed(f"The file could not be uploaded: {failed}.")

    def _failure(self, place: Place, file: Upload) -> str:
        """Put the file there; return why it is not, "" where it is."""
        try:
            with self._http.stream(
                "PUT",
                place.url,
                content=file.blocks(),
                headers={
                    "User-Agent": USER_AGENT,
                    "Content-Type": "text/csv",
                    "Content-MD5": file.md5,
                    "Content-Length": str(file.size),
                },
            ) as response:
                return "" if response.is_success else _refusal(response)
        except NOTHING_LEFT as error:
            return why_not_sent(error).lower()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return "the connection to the storage broke"


def _refusal(response: httpx.Response) -> str:
    """Say what the storage answered, with its own word for it (`<Code>`) if any."""
    begin = b""
    for chunk in response.iter_bytes():
        begin += chunk
        if len(begin) > LARGEST_REFUSAL:
            break
    code = re.search(rb"<Code>(\w{1,100})</Code>", begin)
    told = f" ({code[1].decode()})" if code else ""
    return f"the storage answered {response.status_code}{told}"
