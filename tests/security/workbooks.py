"""Workbooks that are made to take the memory or the time of who reads them.

Each is a maker that writes one to a path; all are small, or generated in a moment.
"""

import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from pathlib import Path

from tests.files.test_workbooks import HEADER, MAIN, workbook

MIB = 2**20
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"
BOOK = "xl/workbook.xml"
# Beside this much that cannot be packed, other parts may unpack to more.
BALLAST = {"xl/media/image1.png": [os.urandom(3 * MIB)]}
ROWS = f"<worksheet xmlns='{MAIN}'><sheetData>".encode()
END = b"</sheetData></worksheet>"
CELL = ROWS + b"<row><c t='inlineStr'><is><t>"
END_OF_CELL = b"</t></is></c></row>" + END
LONG_CELL = CELL, b"x"
FORMAT = b"<numFmt numFmtId='%d' formatCode='%s'/>"
ZIP64_END, ZIP64_PLACE = "<4sQ2H2L4Q", "<4sLQL"

Parts = dict[str, Iterable[bytes]]
Spoil = Callable[[zipfile.ZipFile], object]
Maker = Callable[[Path], Path]


def full(
    head: bytes, filling: bytes, size: int, end: bytes = END_OF_CELL
) -> Iterator[bytes]:
    """Yield `head`, then `filling` again and again up to so many bytes, then `end`."""
    yield head
    block = filling * (MIB // len(filling))
    for _ in range(size // MIB):
        yield block
    yield end


def pack(path: Path, parts: Parts, spoil: Spoil | None = None) -> Path:
    """Write an honest workbook but for these parts; `spoil` changes its directory."""
    honest = workbook(path.with_suffix(".honest"), HEADER)
    with (
        zipfile.ZipFile(honest) as source,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made,
    ):
        parts = {name: [source.read(name)] for name in source.namelist()} | parts
        for name, pieces in parts.items():
            with made.open(name, "w") as file:
                for piece in pieces:
                    file.write(piece)
        if spoil:
            spoil(made)
    honest.unlink()
    return path


def of(part: str, *pieces: bytes) -> Maker:
    """Return what writes a workbook with this part."""
    return lambda path: pack(path, {part: pieces})


def long(
    part: str, head: bytes, filling: bytes, end: bytes, *, size: int = 3 * MIB
) -> Maker:
    """Return what writes a workbook in which a part goes on and on."""
    return lambda path: pack(path, {part: full(head, filling, size, end)})


def _lying(file_size: int) -> Maker:
    """Return what writes one with 3 MiB in a part that lists as `file_size`."""

    def spoil(archive: zipfile.ZipFile) -> None:
        archive.getinfo(SHEET).file_size = file_size

    return lambda path: pack(path, {SHEET: full(*LONG_CELL, 3 * MIB)}, spoil)


def _lying_in_place(path: Path) -> Path:
    """Tell another size beside the part than in the directory, which tells the true."""
    pack(path, {SHEET: full(*LONG_CELL, 3 * MIB)})
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo(SHEET).header_offset
    data = bytearray(path.read_bytes())
    data[place + 18 : place + 26] = struct.pack("<2L", 100, 100)
    path.write_bytes(data)
    return path


def _overlapping(count: int) -> Maker:
    """Return what lists the same bytes under many names."""

    def spoil(archive: zipfile.ZipFile) -> None:
        for number in range(count):
            other = copy(archive.getinfo(SHEET))
            other.filename = f"xl/worksheets/sheet{number + 2}.xml"
            archive.filelist.append(other)

    return lambda path: pack(path, {SHEET: full(*LONG_CELL, MIB)}, spoil)


def _one_part_as_two(path: Path) -> Path:
    """List a part once more in other letters, over the same bytes."""

    def spoil(archive: zipfile.ZipFile) -> None:
        other = copy(archive.getinfo(SHEET))
        other.filename = SHEET.upper()
        archive.filelist.append(other)

    return pack(path, {}, spoil)


def _with_zip64_end(entries: int, size: int) -> Maker:
    """Return what ends in a directory of 64 bits that tells such numbers."""

    def make(path: Path) -> Path:
        pack(path, {})
        data = path.read_bytes()
        end = data.rindex(b"PK\5\6")
        place = struct.unpack_from("<L", data, end + 16)[0]
        big = struct.pack(
            *(ZIP64_END, b"PK\6\6", 44, 45, 45, 0, 0),
            *(entries, entries, size, place),
        )
        where = struct.pack(ZIP64_PLACE, b"PK\6\7", 0, end, 1)
        small = b"PK\5\6" + b"\0" * 4 + b"\xff" * 12 + b"\0" * 2
        path.write_bytes(data[:end] + big + where + small)
        return path

    return make


def _many_parts(path: Path) -> Path:
    name = "xl/media/" + "x" * 200
    return pack(path, {f"{name}{number}": [] for number in range(5_000)})


def _nested(part: str, head: bytes, end: bytes) -> Maker:
    depth = 600_000
    return of(part, head, b"<a>" * depth, b"</a>" * depth, end)


def _of_entities(declared: bytes) -> Maker:
    text = b"<!DOCTYPE worksheet [%s]>" % declared
    return of(SHEET, text, CELL, b"&a;", END_OF_CELL)


def _cells(*places: str) -> bytes:
    return b"".join(b"<c r='%s'><v>1</v></c>" % place.encode() for place in places)


def _rows(*cells: bytes) -> Maker:
    return of(SHEET, ROWS, *cells, END)


def _numbers(count: int) -> Iterator[bytes]:
    """Yield formats of numbers that are all different."""
    for number in range(count):
        yield FORMAT % (number + 164, b"0;;%d" % number)


BILLION = b"".join(
    b"<!ENTITY %c '%s'>" % (97 + n, b"&%c;" % (98 + n) * 10) for n in range(9)
)
PIECE = b"<r><t>" + b"x" * 999 + b"</t></r>"
VALUE = ROWS + b"<row><c t='str'><v>"
END_OF_VALUE = b"</v></c></row>" + END
STYLED = b"<styleSheet><numFmts>", b"</numFmts></styleSheet>"

# Each with a number that its message names, 0 where what is wrong has none.
BOMBS: dict[str, tuple[Maker, int]] = {
    "long cell": (long(SHEET, CELL, b"x", END_OF_CELL, size=64 * MIB), 50),
    "long cell, light": (long(SHEET, CELL, b"x", END_OF_CELL), 1),
    "long cell beside ballast": (
        lambda path: pack(path, {**BALLAST, SHEET: full(CELL, b"x", 110 * MIB)}),
        1,
    ),
    "long text that is shared": (
        long(STRINGS, b"<sst><si><t>", b"x", b"</t></si></sst>"),
        1,
    ),
    "long attribute": (long(SHEET, b"<worksheet a='", b"x", b"'/>"), 1),
    "long comment": (long(STYLES, b"<styleSheet><!--", b"x", b"--></styleSheet>"), 1),
    "long instruction": (long(BOOK, b"<workbook><?a ", b"x", b"?></workbook>"), 1),
    "long value in comments": (long(SHEET, VALUE, b"1<!---->", END_OF_VALUE), 1),
    "long value in pieces": (long(SHEET, VALUE, b"x" * 99 + b"<b/>", END_OF_VALUE), 1),
    "long text in pieces": (long(SHEET, CELL, b"x" * 99 + b"<b/>", END_OF_CELL), 1),
    "cell in many pieces": (
        long(SHEET, CELL[:-3], PIECE, b"</is></c></row>" + END),
        1,
    ),
    "shared text in many pieces": (
        lambda path: pack(
            path,
            {
                STRINGS: full(b"<sst><si>", PIECE, 3 * MIB, b"</si></sst>"),
                SHEET: [ROWS, b"<row><c t='s'><v>0</v></c></row>", END],
            },
        ),
        1,
    ),
    "lies: less": (_lying(1_000), 0),
    "lies: nothing": (_lying(0), 0),
    "lies: more": (_lying(2**31), 1),
    "lies: 64 bits": (_lying(2**62), 1),
    "lies beside the part": (_lying_in_place, 1),
    "one part under many names": (_overlapping(300), 50),
    "one part in other letters": (_one_part_as_two, 0),
    "more parts than bytes": (_with_zip64_end(2**62, 1_000), 0),
    "a directory of 4 EiB": (_with_zip64_end(2**62, 2**62), 0),
    "5,000 parts with long names": (_many_parts, 0),
    "deep": (_nested(SHEET, ROWS, END), 1),
    "deep in texts": (_nested(STRINGS, b"<sst><si>", b"</si></sst>"), 1),
    "a billion laughs": (_of_entities(BILLION), 0),
    "an entity that is a file": (
        _of_entities(b"<!ENTITY a SYSTEM 'file:///etc/passwd'>"),
        0,
    ),
    "an entity of parameters": (_of_entities(b"<!ENTITY % b 'c'> %b;"), 0),
    "a type that lies elsewhere": (
        of(SHEET, b"<!DOCTYPE a SYSTEM 'http://127.0.0.1/a'>", CELL, END_OF_CELL),
        0,
    ),
    "a type in another part": (of(BOOK, b"<!DOCTYPE a><workbook/>"), 0),
    "100,001 styles": (
        of(
            STYLES,
            b"<styleSheet><cellXfs>" + b"<xf/>" * 100_001 + b"</cellXfs></styleSheet>",
        ),
        100_000,
    ),
    "100,001 formats": (
        of(STYLES, STYLED[0], b"".join(_numbers(100_001)), STYLED[1]),
        100_000,
    ),
    "a long format": (
        of(
            STYLES,
            STYLED[0] + b"<numFmt numFmtId='164' formatCode='",
            b"0" * 900_000 + b"'/>" + STYLED[1],
        ),
        1_000,
    ),
    "far corner": (
        _rows(b"<row>" + _cells("A1", "XFD1048576") + b"</row>"),
        16_384 * 2**20,
    ),
    "below the last row": (_rows(b"<row>" + _cells("A1048577") + b"</row>"), 2**20),
    "right of the last column": (_rows(b"<row>" + _cells("XFE1") + b"</row>"), 16_384),
    "beyond all columns": (_rows(b"<row>" + _cells("AAAA1") + b"</row>"), 0),
    "a row of 30 digits": (_rows(b"<row r='%s'/>" % (b"9" * 30)), 2**20),
    "a row of 5,000 digits": (_rows(b"<row r='%s'/>" % (b"9" * 5_000)), 0),
    "a row above the first": (_rows(b"<row r='-5'><c><v>1</v></c></row>"), 5),
    "more columns than Excel's": (
        long(SHEET, ROWS + b"<row>", b"<c><v>1</v></c>", b"</row>" + END, size=MIB),
        16_384,
    ),
    "16,384 columns of 1,300 rows": (
        _rows(
            *(b"<row r='%d'>%s</row>" % (n, _cells(f"XFD{n}")) for n in range(1, 1_300))
        ),
        20_000_000,
    ),
    "rows upwards": (
        _rows(*(b"<row r='%d'>%s</row>" % (n, _cells(f"A{n}")) for n in (9, 5, 2))),
        5,
    ),
    "a row twice": (
        _rows(*(b"<row r='2'>%s</row>" % _cells("A2", "B2") for _ in range(2))),
        2,
    ),
    "a cell in another row": (
        _rows(b"<row>" + _cells("A1", "A7", "B1") + b"</row>"),
        7,
    ),
}

# Those that are only told after some seconds.
HEAVY: dict[str, Maker] = {
    "6,000,000 texts": lambda path: pack(
        path, {**BALLAST, STRINGS: full(b"<sst>", b"<si/>", 29 * MIB, b"</sst>")}
    ),
    "4,900,000 texts": lambda path: pack(
        path,
        {**BALLAST, STRINGS: full(b"<sst>", b"<si><t>a</t></si>", 79 * MIB, b"</sst>")},
    ),
    "90,000 long formats": lambda path: pack(
        path,
        {
            **BALLAST,
            STYLES: [
                STYLED[0],
                *(FORMAT % (n + 164, b"0;" * 450 + b"%d" % n) for n in range(90_000)),
                b"</numFmts><cellXfs>",
                *(b"<xf numFmtId='%d'/>" % (n + 164) for n in range(90_000)),
                b"</cellXfs></styleSheet>",
            ],
        },
    ),
}


def texts(path: Path, count: int) -> Path:
    """Write a workbook of so many texts that are shared; the first and last show."""
    row = b"<row><c t='s'><v>%d</v></c></row>"
    listed = [b"<sst>", *[b"<si><t>a</t></si>" * 1_000] * (count // 1_000), b"</sst>"]
    rows = [ROWS, row % 0, row % (count - 1), END]
    return pack(path, {**BALLAST, STRINGS: listed, SHEET: rows})
