"""What a request may bring: a little everywhere, and files only where they are taken.

Nothing of a body is read before it is clear that it may come: a larger one than the
address takes is refused by its length, and where files are taken the role is asked for
first. Elsewhere files are read past.
"""

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    SkipFile,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParser
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from console.runtime.trouble import TooLittleRoom
from console.web.limits import SMALL_BODY

MIB = 1024 * 1024
LARGEST_FILE = 1024 * MIB

View = Callable[..., HttpResponse]


class TooLarge(RequestDataTooBig):
    """A request that brings more than its address takes."""


class BodyLimitMiddleware:
    """Refuse what is larger than its address takes, and read nothing of it.

    Must come before what reads the body: the check of the form's token does.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: Any, kwargs: Any
    ) -> None:
        """Raise `TooLarge`, which is answered 413."""
        most = getattr(view, "largest_body", SMALL_BODY)
        if body_size(request) > most:
            raise TooLarge(f"This page takes {most / MIB:,.1f} MiB at most.")


def body_size(request: HttpRequest) -> int:
    """Return how many bytes the body has; without a length Django reads none of it."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else 0


def takes_file(largest: int) -> Callable[[View], View]:
    """Let a view take files of up to `largest` bytes; put it below those asking roles.

    It finds `request.upload_too_big`. Raises `TooLittleRoom`, which is answered 503.
    """

    def decorate(view: View) -> View:
        protected = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def taking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            # Must come before the CSRF check reads the body, hence the two decorators.
            request.upload_too_big = False  # type: ignore[attr-defined]
            request.upload_handlers = [
                LimitHandler(request),
                DiskUploadHandler(request),
            ]
            if body_size(request):
                need_room(body_size(request))
            return protected(request, *args, **kwargs)

        # The fields of the form come with it.
        taking.largest_body = largest + SMALL_BODY  # type: ignore[attr-defined]
        return taking

    return decorate


def need_room(more: int = 0) -> None:
    """Raise `TooLittleRoom` unless an upload of so many bytes leaves KEEP_FREE_MIB."""
    if shutil.disk_usage(settings.DATA_DIR).free - more < settings.KEEP_FREE_MIB * MIB:
        raise TooLittleRoom


def is_room_low() -> bool:
    """Tell whether no upload is taken now."""
    try:
        need_room()
    except OSError:
        return True
    return False


class NoFiles(FileUploadHandler):
    """Read past files: nothing of them is kept. Of a large body read the beginning."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803 - Django calls it so
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> tuple[Any, Any] | None:
        """Take the fields that come before the files, without waiting for the rest."""
        if content_length <= SMALL_BODY:
            return None
        beginning = input_data.read(MIB)
        meta = META | {"CONTENT_LENGTH": str(len(beginning))}
        parser = MultiPartParser(meta, io.BytesIO(beginning), [NoFiles()], encoding)
        post, files = parser.parse()
        return post, files

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None


class DiskUploadHandler(TemporaryFileUploadHandler):
    """Write a file to disk as it comes; where the disk is full, leave nothing of it."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with self._all_or_nothing():
            # Others upload at the same time.
            need_room(len(raw_data))
            super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        with self._all_or_nothing():
            # What is still in memory goes to disk only now.
            return super().file_complete(file_size)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            with suppress(OSError):
                # It tries to write what is left, and takes the file away all the same.
                self.file.close()
            raise


class LimitHandler(FileUploadHandler):
    """Stop keeping a file that is too big, and remember that it was."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > LARGEST_FILE:
            self.request.upload_too_big = True  # type: ignore[union-attr]
            # The rest is read and dropped, so that the browser gets our answer.
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
