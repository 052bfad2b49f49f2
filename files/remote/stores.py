"""Files in an S3-compatible store, fetched by whoever has a presigned address."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as ObjectStore

if TYPE_CHECKING:
    from obstore.store import S3Credential

# AWS signs for at most seven days (Signature Version 4, X-Amz-Expires).
LONGEST_SIGNED = 604_800

# Parts of an upload that are under way at once are held in memory: 24 MiB.
PART = 8 * 1024 * 1024
PARTS_AT_ONCE = 3

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}")


class StoreError(Exception):
    """The store did not do what was asked; the text says so, for operators."""


def new_name() -> str:
    """Return a name that nobody can guess, for a CSV file."""
    return f"{secrets.token_urlsafe(32)}.csv"


class S3Store:
    """One bucket of a store, with the key that may write to it.

    Every method but `signed_get` talks to the store and raises StoreError where it
    fails, never with the secret key in it. A failing request is tried again for up to a
    minute.
    """

    def __init__(
        self,
        *,
        bucket: str,
        endpoint: str,
        region: str,
        access_key: str,
        secret_key: str,
        prefix: str = "",
    ) -> None:
        """Describe the store; nothing is asked of it yet.

        `endpoint` is its address without the bucket, as https://s3.eu-central-1.amazonaws.com;
        `prefix` goes before each name, with a slash between.
        """

        def credential() -> "S3Credential":
            return {
                "access_key_id": access_key,
                "secret_access_key": secret_key,
                "token": None,  # nosec B105 # - none: the two keys are enough
                "expires_at": None,
            }

        # Everything that obstore would otherwise take from AWS_… of the environment.
        self._store = ObjectStore(
            bucket,
            prefix=prefix or None,
            credential_provider=credential,
            config={
                "endpoint": endpoint,
                "aws_endpoint_url_s3": endpoint,
                "region": region,
                "virtual_hosted_style_request": False,
                "skip_signature": False,
            },
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(minutes=2),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(minutes=1)},
        )

    def put(self, path: Path, name: str) -> None:
        """Store the file at `path` as `name`, whole or not at all.

        Raises: OSError where the file cannot be read; StoreError.
        """
        _check_name(name)
        path.stat()
        with _told("store the file"):
            obstore.put(
                self._store,
                name,
                path,
                attributes={"Content-Type": "text/csv; charset=utf-8"},
                chunk_size=PART,
                max_concurrency=PARTS_AT_ONCE,
            )

    def signed_get(self, name: str, seconds: int) -> str:
        """Return an address from which anybody can GET the file for `seconds`.

        It is good for GET only; HEAD is refused. Raises: ValueError for a time that is
        not between a second and seven days.
        """
        _check_name(name)
        if not 1 <= seconds <= LONGEST_SIGNED:
            raise ValueError(f"A URL is signed for 1 to {LONGEST_SIGNED} seconds.")
        with _told("sign a URL"):
            return obstore.sign(self._store, "GET", name, timedelta(seconds=seconds))

    def delete(self, name: str) -> None:
        """Delete the file; one that is not there is no error."""
        _check_name(name)
        with _told("delete the file"):
            obstore.delete(self._store, name)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError("A name in the store has letters, digits, “.”, “_” and “-”.")


@contextmanager
def _told(task: str) -> Iterator[None]:
    """Turn obstore's errors, which quote requests and answers, into one sentence."""
    try:
        yield
    except (BaseError, OSError) as error:
        why = _reason(str(error))
        message = f"The store did not {task}: {why}. Check its settings, or try again."
        raise StoreError(message) from None


def _reason(text: str) -> str:
    status = re.search(r"status code: (\d{3})", text)
    code = re.search(r"<Code>(\w{1,100})</Code>", text)
    if status is None:
        return "it could not be reached"
    return f"it answered {status[1]}" + (f" ({code[1]})" if code else "")
