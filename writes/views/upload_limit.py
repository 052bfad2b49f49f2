"""Uploads go to disk as they come, up to a limit; beyond it nothing is kept."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import (
    FileUploadHandler,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt, csrf_protect

LARGEST_UPLOAD = 1024 * 1024 * 1024


class DiskUploadHandler(TemporaryFileUploadHandler):
    """Write a file to disk as it comes; where the disk is full, leave nothing of it."""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with self._all_or_nothing():
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
        if self.received > LARGEST_UPLOAD:
            self.request.upload_too_big = True  # type: ignore[union-attr]
            # The rest is read and dropped, so that the browser gets our answer.
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def limit_upload(
    view: Callable[..., HttpResponse],
) -> Callable[..., HttpResponse]:
    """Give a view `request.upload_too_big`, set before its files are read."""

    protected = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Must come before the CSRF check reads the body, hence the two decorators.
        request.upload_too_big = False  # type: ignore[attr-defined]
        request.upload_handlers.insert(0, LimitHandler(request))
        return protected(request, *args, **kwargs)

    return limited
