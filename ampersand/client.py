"""The client: prepares requests, sends writes once, and retries reads."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

import httpx

from ampersand import (
    installations,
    listing,
    metadata,
    operations,
    providers,
    search,
    uploading,
)
from ampersand.answers import Answer
from ampersand.associations import Association
from ampersand.batch_answers import Accepted, BatchResult
from ampersand.building import base_url
from ampersand.errors import AmpersandError, RequestInvalid
from ampersand.exchange import Exchange
from ampersand.generation import generation_for
from ampersand.generation_c import LARGEST_BATCH
from ampersand.installations import Installation
from ampersand.listing import OperationPage
from ampersand.metadata import ObjectMetadata
from ampersand.network import Resolve
from ampersand.providers import Provider
from ampersand.retrying import READ_TRIES, pause_after
from ampersand.schemas import (
    Action,
    Envelope,
    IdSpelling,
    LogEntry,
    Operation,
    Request,
    Target,
    UpdateStyle,
    WriteResult,
)
from ampersand.search import SearchHit
from ampersand.secrets import SecretStr
from ampersand.uploading import LONGEST, STORAGE, Upload, UploadFailed, Uploads

WRITE_URL = "https://write.withampersand.com/v1"
API_URL = "https://api.withampersand.com/v1"


class Client:
    """Speaks one generation of Ampersand's API with one key.

    A write is sent at most once, and never again by itself: `prepare_…` builds a
    Request to be reviewed, and `send` sends that very object. Reads are tried three
    times with growing pauses, or those that the server asks for up to 30 s.

    Every method may raise the errors of `ampersand.errors`, and no others. Threads
    may share a client; processes must not.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        write_url: str = WRITE_URL,
        api_url: str = API_URL,
        search_url: str = "",
        generation: str = "A",
        update_style: UpdateStyle = "patch",
        id_spelling: IdSpelling = "id",
        timeout: float = 60,
        resolve: Resolve | None = None,
        upload_origins: frozenset[str] = frozenset({STORAGE}),
        resolve_upload: Resolve | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open a client; `timeout` is in seconds for a single wait.

        Without a `search_url` nothing can be looked up.

        `resolve` says to which addresses a host leads, and refuses those where the key
        may not go; the system's resolver is asked unless it is given.

        Files are uploaded to `upload_origins` alone (`ampersand.origin_of`), where
        `resolve_upload` leads.

        `transport`, `sleep` and `now` exist for tests. An injected transport has no
        `deadline`.

        Raises: RequestInvalid for a key that no header can carry, an address that is
        not a plain http(s) URL, or an unknown generation.
        """
        self._generation = generation_for(generation)
        self._masked_key = api_key.masked
        self._write_url = base_url(write_url)
        self._api_url = base_url(api_url)
        self._search_url = base_url(search_url) if search_url else ""
        self._update_style = update_style
        self._id_spelling = id_spelling
        self._sleep = sleep
        self._now = now
        self._exchange = Exchange(
            api_key=api_key,
            timeout=timeout,
            now=now,
            transport=transport,
            resolve=resolve,
        )
        self._uploads = Uploads(
            origins=upload_origins,
            timeout=timeout,
            transport=transport,
            resolve=resolve_upload,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()
        self._uploads.close()

    def prepare_create_record(
        self,
        target: Target,
        record: dict[str, Any],
        *,
        associations: Sequence[Association] = (),
    ) -> Request:
        """Build the creation of one record without sending it."""
        request = self._generation.create_record(
            self._write_url, target, record, associations=associations
        )
        return self._masked(request)

    def prepare_update_record(
        self,
        target: Target,
        record: dict[str, Any],
        *,
        record_id: str,
        associations: Sequence[Association] = (),
    ) -> Request:
        """Build the update of one record without sending it."""
        request = self._generation.update_record(
            self._write_url,
            target,
            record,
            record_id=record_id,
            update_style=self._update_style,
            associations=associations,
            id_spelling=self._id_spelling,
        )
        return self._masked(request)

    def prepare_delete_record(self, target: Target, *, record_id: str) -> Request:
        """Build the deletion of one record without sending it."""
        return self._masked(
            self._generation.delete_record(self._write_url, target, record_id=record_id)
        )

    def prepare_upsert_records(
        self,
        target: Target,
        *,
        primary_key: str,
        csv: str | None = None,
        url: str | None = None,
    ) -> Request:
        """Build a bulk upsert of exactly one of `csv` and `url` without sending it."""
        request = self._generation.upsert_records(
            self._write_url, target, primary_key=primary_key, csv=csv, url=url
        )
        return self._masked(request)

    def prepare_delete_records(
        self,
        target: Target,
        *,
        primary_key: str,
        csv: str | None = None,
        url: str | None = None,
    ) -> Request:
        """Build a bulk deletion by exactly one of `csv` and `url`, without sending."""
        request = self._generation.delete_records(
            self._write_url, target, primary_key=primary_key, csv=csv, url=url
        )
        return self._masked(request)

    def upload(self, file: Upload) -> str:
        """Put a CSV where Ampersand fetches it; return what a write calls it as URL.

        Nothing is written by that, so a failure is tried once more from the question
        where to: an address is good for 15 minutes.

        Raises: UploadFailed, or as a read does.
        """
        until = time.monotonic() + LONGEST
        try:
            return self._upload(file, until)
        except UploadFailed:
            return self._upload(file, until)

    def _upload(self, file: Upload, until: float) -> str:
        request = uploading.generate_upload_url(self._write_url, file)
        place = self._read(request, uploading.read_place)
        self._uploads.put(place, file, seconds=until - time.monotonic())
        return place.reference

    def prepare_envelope(
        self,
        target: Target,
        action: Action,
        *,
        most: int = LARGEST_BATCH,
        all_or_none: bool = False,
        deadline_hours: int | None = None,
    ) -> Envelope:
        """Return what stands around the records of each request of a run.

        `most` records go in one; with 1 each goes alone. With `deadline_hours` they are
        to be written later, and tried for so long.
        """
        return self._generation.envelope(
            self._write_url,
            target,
            action,
            most=most,
            all_or_none=all_or_none,
            deadline_hours=deadline_hours,
        )

    def send_batch(
        self, request: Request, ids: Sequence[str], *, provider: str = ""
    ) -> BatchResult | Accepted:
        """Send a request of a run, once; `ids` are those of its records, "" to create.

        `provider` as in `send`. Raises: as `send`.
        """
        self._need_own_write(request)
        answer = replace(self._exchange.send(request), provider=provider)
        return self._generation.read_batch(request, answer, ids)

    def send(self, request: Request, *, provider: str = "") -> WriteResult:
        """Send a prepared write, once.

        `provider` is whom Ampersand writes to; what its answers mean depends on that.

        Raises: NotSent, Refused or OutcomeUnknown; RequestInvalid for a request that
        is not a write or goes elsewhere than this client's write address.
        """
        self._need_own_write(request)
        answer = replace(self._exchange.send(request), provider=provider)
        return self._generation.read_write(request, answer)

    def _need_own_write(self, request: Request) -> None:
        # A stored request could name any host, and the key must not go there.
        elsewhere = not request.url.startswith(f"{self._write_url}/")
        if request.action == "read" or elsewhere:
            raise RequestInvalid("This request is not a write of this project.")

    def get_operation(self, *, project: str, operation_id: str) -> Operation:
        """Ask for the state of an operation."""
        request = operations.get_operation(
            self._api_url, project=project, operation_id=operation_id
        )
        return self._read(
            request, lambda answer: operations.read_operation(answer, operation_id)
        )

    def list_operation_logs(
        self, *, project: str, operation_id: str
    ) -> tuple[LogEntry, ...]:
        """Ask for all log entries of an operation, in order of time."""
        request = operations.list_operation_logs(
            self._api_url, project=project, operation_id=operation_id
        )
        return self._read(request, operations.read_operation_logs)

    def list_installations(
        self, *, project: str, integration: str
    ) -> tuple[Installation, ...]:
        """Ask who installed an integration."""
        request = installations.list_installations(
            self._api_url, project=project, integration=integration
        )
        return self._read(request, installations.read_installations)

    def get_provider(self, *, name: str) -> Provider:
        """Ask what Ampersand can do with a provider."""
        request = providers.get_provider(self._api_url, name=name)
        return self._read(request, providers.read_provider)

    def list_operations(
        self, *, project: str, integration: str, installation: str, token: str = ""
    ) -> OperationPage:
        """Ask for a page of the operations of one installation."""
        request = listing.list_operations(
            self._api_url,
            project=project,
            integration=integration,
            installation=installation,
            token=token,
        )
        return self._read(request, listing.read_operations)

    def get_object_metadata(
        self, *, project: str, integration: str, object_name: str, group_ref: str
    ) -> ObjectMetadata:
        """Ask which fields an object has for a customer."""
        request = metadata.get_object_metadata(
            self._api_url,
            project=project,
            integration=integration,
            object_name=object_name,
            group_ref=group_ref,
        )
        return self._read(request, metadata.read_object_metadata)

    def search(
        self,
        *,
        project: str,
        integration: str,
        object_name: str,
        group_ref: str,
        name: str,
        value: str,
    ) -> tuple[SearchHit, ...]:
        """Ask for the records of a customer whose field `name` is `value`: one page.

        It is asked with a POST, and only reads.
        """
        if not self._generation.CAPABILITIES.searches:
            raise RequestInvalid("This generation of Ampersand's API has no search.")
        request = search.search_records(
            self._search_url,
            project=project,
            integration=integration,
            object_name=object_name,
            group_ref=group_ref,
            name=name,
            value=value,
        )
        return self._read(request, search.read_hits)

    def _masked(self, request: Request) -> Request:
        return replace(request, masked_key=self._masked_key)

    def _read[T](self, request: Request, read: Callable[[Answer], T]) -> T:
        """Ask until an answer can be read, or trying again makes no sense."""
        for attempt in range(1, READ_TRIES):
            try:
                return read(self._exchange.send(request))
            except AmpersandError as error:
                pause = pause_after(error, attempt, now=self._now())
                if pause is None:
                    raise
            self._sleep(pause)
        return read(self._exchange.send(request))
