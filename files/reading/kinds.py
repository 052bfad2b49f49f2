"""What a file really is, whatever its name says."""

from pathlib import Path

from files.reading import text_kinds
from files.reading.archives import SAVE_AS

_UNPACK = "Unpack it and upload the file inside."
_OPEN_IN_EXCEL = f"Open it in Excel. {SAVE_AS}"
_EXPORT = "Export the data as CSV and upload that."
_ASK = "Ask for the data as CSV or as an Excel workbook."

# Bytes at the start. ZIP: PKWARE APPNOTE 4.3.7 and 4.3.16 (an empty one). OLE:
# [MS-CFB] 2.2. What could begin a header as well, as "ORC" and "MZ", is not here.
_SIGNATURES = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"%PDF": "pdf",
    b"\xd0\xcf\x11\xe0": "xls",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"{\\rtf": "rtf",
    b"SQLite format 3\x00": "database",
    b"\x00\x01\x00\x00Standard ": "database",
    b"Obj\x01": "avro",
    b"ARROW1\x00": "arrow",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"GIF87a": "picture",
    b"GIF89a": "picture",
    b"bplist00": "binary",
}
_LONGEST_OF_ZIP = 4
# Names in the directory of an OLE file: [MS-DOC], [MS-OFFCRYPTO], [MS-OXMSG].
_IN_OLE = {
    "EncryptedPackage": "password",
    "WordDocument": "doc",
    "__substg1.0_": "msg",
}

# What each kind is called, and what to do.
_SAID = {
    "zip": ("a ZIP archive", _UNPACK),
    "damaged": (
        "a ZIP archive or an Excel workbook, damaged or cut off",
        f"Get it once more. Or, if it opens: {SAVE_AS}",
    ),
    "gzip": ("a gzip archive", _UNPACK),
    "7z": ("a 7-Zip archive", _UNPACK),
    "rar": ("a RAR archive", _UNPACK),
    "tar": ("a TAR archive", _UNPACK),
    "xz": ("an XZ archive", _UNPACK),
    "bzip2": ("a bzip2 archive", _UNPACK),
    "zstd": ("a Zstandard archive", _UNPACK),
    "pdf": ("a PDF document", _ASK),
    "doc": ("a Word document", _ASK),
    "rtf": ("a text document (RTF)", _ASK),
    "slides": ("a PowerPoint presentation", _ASK),
    "odt": ("an OpenDocument file without a spreadsheet", _ASK),
    "picture": ("a picture", _ASK),
    "msg": ("an Outlook message", "Save its attachment and upload that."),
    "email": (
        "an e-mail, or a web page saved as one file (MHTML)",
        f"Save the attachment and upload that; or open it in Excel. {SAVE_AS}",
    ),
    "xls": ("an old Excel workbook (.xls)", SAVE_AS),
    "password": (
        "an Excel workbook with a password",
        f"Only Excel can open it. {SAVE_AS}",
    ),
    "xlsb": ("a binary Excel workbook (.xlsb)", SAVE_AS),
    "sylk": ("a SYLK spreadsheet", _OPEN_IN_EXCEL),
    "ods": (
        "an OpenDocument spreadsheet",
        "In LibreOffice, choose Save As, “Text CSV”.",
    ),
    "numbers": (
        "a Numbers spreadsheet",
        "In Numbers, choose Export To, “CSV”, with Unicode (UTF-8).",
    ),
    "html": (
        "a web page (HTML)",
        "Perhaps a sign-in page was saved instead of the download. Download the file "
        "again.",
    ),
    "html-table": (
        "a table in a web page (HTML), as old exports to Excel are",
        f"{_OPEN_IN_EXCEL} Or export the data as CSV.",
    ),
    "xml-spreadsheet": (
        "an XML spreadsheet, as old exports to Excel are",
        _OPEN_IN_EXCEL,
    ),
    "xml": ("XML", _EXPORT),
    "json": ("JSON", _EXPORT),
    "yaml": ("YAML", _EXPORT),
    "vcard": ("a list of contact cards (vCard)", _EXPORT),
    "calendar": ("a calendar (iCalendar)", _EXPORT),
    "parquet": ("a Parquet file", _EXPORT),
    "avro": ("an Avro file", _EXPORT),
    "arrow": ("an Arrow file", _EXPORT),
    "database": ("a database", _EXPORT),
    "binary": (
        "a file that only a program can read",
        f"Check that it is the right file. {_EXPORT}",
    ),
}
REFUSALS = {
    kind: f"This is {name}, not a CSV file. {todo}"
    for kind, (name, todo) in _SAID.items()
}


def name(kind: str) -> str:
    """Return what a kind of file is called, as "a ZIP archive"."""
    return _SAID[kind][0]


def by_bytes(head: bytes) -> str:
    """Return the kind of a file by its first bytes alone: every ZIP is "zip"."""
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return _of_ole(head) if kind == "xls" else kind
    if head[257:262] == b"ustar":
        return "tar"
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        return "bzip2"
    return text_kinds.recognise(head)


def is_archive(path: Path) -> bool:
    """Tell whether a file begins as a ZIP archive does, which every workbook is."""
    with path.open("rb") as file:
        return by_bytes(file.read(_LONGEST_OF_ZIP)) == "zip"


def recognise(path: Path, head: bytes) -> str:
    """Return the kind of a file by its first bytes `head`: "csv" where it is a table.

    The others are keys of `REFUSALS`. What is inside of a "zip" is not looked at: see
    `apart.look`.
    """
    if head.startswith(b"PAR1") and _end_of(path) == b"PAR1":
        return "parquet"
    return by_bytes(head)


def _of_ole(head: bytes) -> str:
    names = (n for n in _IN_OLE if n.encode("utf-16-le") in head)
    return _IN_OLE.get(next(names, ""), "xls")


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        return file.read()
