"""What a file really is, whatever its name says."""

import zipfile
from pathlib import Path

SAVE_AS = "In Excel, choose Save As, “CSV UTF-8 (Comma delimited)”."

# ZIP: PKWARE APPNOTE 4.3.7 and 4.3.16 (an empty one). OLE: [MS-CFB] 2.2.
_SIGNATURES = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"%PDF": "pdf",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
}

REFUSALS = {
    "zip": "This is a ZIP archive, not a CSV file. Unpack it and upload the file "
    "inside.",
    "gzip": "This is a gzip archive, not a CSV file. Unpack it and upload the file "
    "inside.",
    "7z": "This is a 7-Zip archive, not a CSV file. Unpack it and upload the file "
    "inside.",
    "pdf": "This is a PDF document, not a CSV file. Ask for the data as CSV or as an "
    "Excel workbook.",
    "xls": "This is an old Excel workbook, or one with a password, not a CSV file. "
    + SAVE_AS,
    "xlsb": f"This is a binary Excel workbook, not a CSV file. {SAVE_AS}",
    "ods": "This is an OpenDocument spreadsheet, not a CSV file. In LibreOffice, "
    "choose Save As, “Text CSV”.",
    "html": "This is a web page, not a CSV file: perhaps a sign-in page was saved "
    "instead of the download. Download the file again.",
}


def recognise(path: Path, head: bytes) -> str:
    """Return the kind of a file by its first bytes `head`: "csv" where it is text.

    The others are "xlsx" and the keys of `REFUSALS`.
    """
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return _of_archive(path) if kind == "zip" else kind
    start = head[:100].lstrip().lower()
    return "html" if start.startswith((b"<!doctype html", b"<html")) else "csv"


def _of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return "zip"
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    # OpenDocument 1.3 part 2, 3.3: `mimetype` and `content.xml`.
    return "ods" if {"mimetype", "content.xml"} <= names else "zip"
