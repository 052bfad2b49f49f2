"""What a file really is, whatever its name says."""

import zipfile
from pathlib import Path

from files.reading import text_kinds

SAVE_AS = "In Excel, choose Save As, “CSV UTF-8 (Comma delimited)”."
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
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
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
# Names in the directory of an OLE file: [MS-DOC], [MS-OFFCRYPTO], [MS-OXMSG].
_IN_OLE = {
    "EncryptedPackage": "password",
    "WordDocument": "doc",
    "__substg1.0_": "msg",
}
# Files inside of a ZIP that tell its kind.
_IN_ZIP = {
    "xl/workbook.xml": "xlsx",
    "xl/workbook.bin": "xlsb",
    "word/document.xml": "doc",
    "ppt/presentation.xml": "slides",
    "Index/Document.iwa": "numbers",
    "Index.zip": "numbers",
}

REFUSALS = {
    "zip": f"This is a ZIP archive, not a CSV file. {_UNPACK}",
    "gzip": f"This is a gzip archive, not a CSV file. {_UNPACK}",
    "7z": f"This is a 7-Zip archive, not a CSV file. {_UNPACK}",
    "rar": f"This is a RAR archive, not a CSV file. {_UNPACK}",
    "tar": f"This is a TAR archive, not a CSV file. {_UNPACK}",
    "xz": f"This is an XZ archive, not a CSV file. {_UNPACK}",
    "bzip2": f"This is a bzip2 archive, not a CSV file. {_UNPACK}",
    "zstd": f"This is a Zstandard archive, not a CSV file. {_UNPACK}",
    "pdf": f"This is a PDF document, not a CSV file. {_ASK}",
    "doc": f"This is a Word document, not a CSV file. {_ASK}",
    "rtf": f"This is a text document (RTF), not a CSV file. {_ASK}",
    "slides": f"This is a PowerPoint presentation, not a CSV file. {_ASK}",
    "msg": "This is an Outlook message, not a CSV file. Save its attachment and upload "
    "that.",
    "email": "This is an e-mail, or a web page saved as one file (MHTML), not a CSV "
    f"file. Save the attachment and upload that; or open it in Excel. {SAVE_AS}",
    "xls": "This is an old Excel workbook (.xls), not a CSV file. "
    f"{SAVE_AS} Or save it as “Excel Workbook (.xlsx)”.",
    "password": "This Excel workbook has a password, so it cannot be read. Save it "
    "without one, or as CSV UTF-8.",
    "xlsb": f"This is a binary Excel workbook, not a CSV file. {SAVE_AS}",
    "sylk": f"This is a SYLK spreadsheet, not a CSV file. {_OPEN_IN_EXCEL}",
    "ods": "This is an OpenDocument spreadsheet, not a CSV file. In LibreOffice, "
    "choose Save As, “Text CSV”.",
    "odt": f"This is an OpenDocument file, but no spreadsheet. {_ASK}",
    "numbers": "This is a Numbers spreadsheet, not a CSV file. In Numbers, choose "
    "File, Export To, “CSV”, with Unicode (UTF-8).",
    "html": "This is a web page (HTML), not a CSV file: perhaps a sign-in page was "
    "saved instead of the download. Download the file again.",
    "html-table": "This is a table as a web page (HTML), as old exports to Excel are, "
    f"not a CSV file. {_OPEN_IN_EXCEL} Or export the data as CSV.",
    "xml-spreadsheet": "This is an XML spreadsheet, as old exports to Excel are, not a "
    f"CSV file. {_OPEN_IN_EXCEL}",
    "xml": f"This is XML, not a CSV file. {_EXPORT}",
    "json": f"This is JSON, not a CSV file. {_EXPORT}",
    "yaml": f"This is YAML, not a CSV file. {_EXPORT}",
    "vcard": "These are contact cards (vCard), not a CSV file. Export the contacts as "
    "CSV and upload that.",
    "calendar": f"This is a calendar (iCalendar), not a CSV file. {_EXPORT}",
    "parquet": f"This is a Parquet file, not a CSV file. {_EXPORT}",
    "avro": f"This is an Avro file, not a CSV file. {_EXPORT}",
    "arrow": f"This is an Arrow file, not a CSV file. {_EXPORT}",
    "database": f"This is a database, not a CSV file. {_EXPORT}",
    "picture": f"This is a picture, not a CSV file. {_ASK}",
    "binary": "This is no text: it holds what only a program can read. Look whether it "
    f"is the right file. {_EXPORT}",
}


def recognise(path: Path, head: bytes) -> str:
    """Return the kind of a file by its first bytes `head`: "csv" where it is a table.

    The others are "xlsx" and the keys of `REFUSALS`.
    """
    for signature, kind in _SIGNATURES.items():
        if head.startswith(signature):
            return _within(path, head, kind)
    if head[257:262] == b"ustar":
        return "tar"
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        return "bzip2"
    if head.startswith(b"PAR1") and _end_of(path) == b"PAR1":
        return "parquet"
    return text_kinds.recognise(head)


def _within(path: Path, head: bytes, kind: str) -> str:
    if kind == "zip":
        return _of_archive(path)
    if kind == "xls":
        names = (n for n in _IN_OLE if n.encode("utf-16-le") in head)
        return _IN_OLE.get(next(names, ""), kind)
    return kind


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        return file.read()


def _of_archive(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            # OpenDocument 1.3 part 2, 3.3: `mimetype` and `content.xml`.
            is_open_document = {"mimetype", "content.xml"} <= names
            type_ = archive.read("mimetype") if is_open_document else b""
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, RuntimeError):
        return "zip"
    if is_open_document:
        return "ods" if b"spreadsheet" in type_ else "odt"
    return next((kind for name, kind in _IN_ZIP.items() if name in names), "zip")
