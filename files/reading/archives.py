"""ZIP archives, as workbooks are: which kind one is, and its parts within bounds."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED

SAVE_AS = "In Excel, choose Save As, “CSV UTF-8 (Comma delimited)”."
DAMAGED = f"This Excel workbook is damaged and cannot be read. {SAVE_AS}"
WITH_PASSWORD = (
    f"This is an Excel workbook with a password. Only Excel can open it. {SAVE_AS}"
)

LARGEST_FILE = 100 * 2**20
LARGEST_UNZIPPED = 2**30
# A table unpacks to up to twenty times its size. What is light may be any shape.
LIGHT, MOST_TIMES = 16 * 2**20, 50
# Of the directory at the end, in bytes: some hundred parts take a tenth of that.
LARGEST_DIRECTORY = 2**20
# No text or tag of a workbook is longer: Excel takes 32,767 characters in a cell.
LONGEST_PIECE = 2**20

# Files inside of a ZIP that tell its kind.
_KINDS = {
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "xlsb",
    "word/document.xml": "doc",
    "ppt/presentation.xml": "slides",
    "Index/Document.iwa": "numbers",
    "Index.zip": "numbers",
}
_LONGEST_TYPE = 200
_IS_ENCRYPTED = 0x1
_SIZE_OF_DIRECTORY = 5


class Unreadable(Exception):
    """A workbook that is damaged or too large; the text says what to do about it."""


def kind_of(path: Path) -> str:
    """Return the kind of a ZIP archive: "xlsx", or a key of `kinds.REFUSALS`.

    Raises Unreadable where it lists too much to be looked at.
    """
    try:
        with _directory(path) as archive:
            names = set(archive.namelist())
            # OpenDocument 1.3 part 2, 3.3: `mimetype` and `content.xml`.
            if {"mimetype", "content.xml"} <= names:
                with archive.open("mimetype") as file:
                    is_sheet = b"spreadsheet" in file.read(_LONGEST_TYPE)
                return "ods" if is_sheet else "odt"
    except (*_DAMAGES, OSError):
        return "damaged"
    return next((kind for name, kind in _KINDS.items() if name in names), "zip")


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a workbook whose parts are not too large. Raises Unreadable.

    No part can give more bytes than the directory tells: `zipfile` sees to that.
    """
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise Unreadable(f"This Excel workbook is larger than 100 MiB. {SAVE_AS}")
    with unless_damaged():
        archive = _directory(path)
    with archive:
        entries = archive.infolist()
        unzipped = sum(entry.file_size for entry in entries)
        if unzipped > LARGEST_UNZIPPED:
            raise Unreadable(
                f"This Excel workbook unpacks to more than 1 GiB. {SAVE_AS}"
            )
        if unzipped > max(LIGHT, MOST_TIMES * size):
            raise Unreadable(
                f"This Excel workbook unpacks to {unzipped // size:,} times its size; "
                f"up to {MOST_TIMES} times is read. Check that it is the right file. "
                f"{SAVE_AS}"
            )
        if any(entry.flag_bits & _IS_ENCRYPTED for entry in entries):
            raise Unreadable(WITH_PASSWORD)
        # Excel knows no other way to compress: ECMA-376 part 2, annex B.
        if {entry.compress_type for entry in entries} - {ZIP_STORED, ZIP_DEFLATED}:
            raise Unreadable(DAMAGED)
        # The system would refuse to go there, as if the disk were at fault.
        if any(entry.header_offset < 0 for entry in entries):
            raise Unreadable(DAMAGED)
        # Readers do not agree which of two parts of the same name counts.
        if len({entry.filename.casefold() for entry in entries}) < len(entries):
            raise Unreadable(DAMAGED)
        yield archive


def _directory(path: Path) -> zipfile.ZipFile:
    """Open an archive, unless so many parts are listed that the list is the load."""
    with path.open("rb") as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[_SIZE_OF_DIRECTORY] > LARGEST_DIRECTORY:
        raise Unreadable(
            "This is an archive of more parts than any Excel workbook that can be read "
            f"has. {SAVE_AS}"
        )
    return zipfile.ZipFile(path)


_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    KeyError,
    ValueError,
)


@contextmanager
def unless_damaged() -> Iterator[None]:
    """Raise Unreadable for what a damaged archive or its XML raises."""
    try:
        yield
    except _DAMAGES as error:
        raise Unreadable(DAMAGED) from error
