"""A long sheet in slices of rows, so that the reader of cells holds one at a time."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import IO

from files.reading.archives import opened, unless_damaged

# The reader keeps up to 150 bytes for a cell; what is no larger is read in one go.
LARGE, SLICE = 2_000_000, 500_000
_BLOCK = 2**20
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_KEPT = {name.lower(): name for name in ("xl/styles.xml", "xl/sharedStrings.xml")}
_TO_THE_END = 2**40


@dataclass
class Slices:
    """Where in the XML of a sheet its rows may be parted; it is told of every row.

    `cuts` are the first bytes of the rows that begin a slice. A row can only begin one
    where it tells its number, and none above it has a higher one.
    """

    cuts: list[int] = field(default_factory=list)
    _first: int = 0
    _width: int = 0
    _row: int = 0
    _at: int = 0
    _may_begin: bool = False

    def row_begins(self, row: int | None, at: int) -> None:
        """Hear of a row: its number, None where it tells none, and its first byte."""
        self._may_begin = row is not None and row > self._row
        self._row = max(self._row + 1 if row is None else row, self._row)
        self._at = at

    def row_ends(self, width: int) -> None:
        """Hear how many columns the row has."""
        if not self._at:
            return
        if not self.cuts:
            self.cuts.append(self._at)
            self._first, self._width = self._row, width
            return
        self._width = max(self._width, width)
        rows = self._row - self._first + 1
        if self._may_begin and rows * self._width > SLICE:
            self.cuts.append(self._at)
            self._first, self._width = self._row, width


def slices_of(target: Path) -> Path:
    """Return where the slices are while a sheet is written to `target`."""
    return target.with_suffix(".slices")


@contextmanager
def sliced(
    path: Path, part: str, slices: Slices, target: Path, *, since_1904: bool
) -> Iterator[tuple[Path, list[str]]]:
    """Write a workbook in which each slice is a sheet; yield it and their names.

    It is gone after the block.
    """
    names = [str(number) for number in range(len(slices.cuts))]
    try:
        with unless_damaged(), opened(path) as archive:
            _write(archive, part, slices.cuts, target, since_1904=since_1904)
        yield target, names
    finally:
        target.unlink(missing_ok=True)


def _write(
    archive: zipfile.ZipFile,
    part: str,
    cuts: list[int],
    target: Path,
    *,
    since_1904: bool,
) -> None:
    with zipfile.ZipFile(
        target, "w", zipfile.ZIP_DEFLATED, compresslevel=1, allowZip64=True
    ) as made:
        for name, text in _frame(len(cuts), since_1904=since_1904).items():
            made.writestr(name, text)
        for name in archive.namelist():
            if name.lower() in _KEPT:
                kept = _KEPT[name.lower()]
                with archive.open(name) as source, made.open(kept, "w") as copy:
                    _copy(source, copy, _TO_THE_END)
        with archive.open(part) as source:
            head = source.read(cuts[0])
            sizes = [end - begin for begin, end in pairwise([*cuts, _TO_THE_END])]
            for number, size in enumerate(sizes):
                first = source.read(min(size, _BLOCK))
                tail = _tail(first) if number < len(sizes) - 1 else b""
                with made.open(f"xl/worksheets/{number}.xml", "w") as sheet:
                    sheet.write(head + first)
                    _copy(source, sheet, size - len(first))
                    sheet.write(tail)


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    while size > 0 and (data := source.read(min(size, _BLOCK))):
        target.write(data)
        size -= len(data)


def _tail(row: bytes) -> bytes:
    """Return what ends a sheet whose rows begin like this one: "<x:row r=…"."""
    name = row.split(maxsplit=1)[0]
    prefix = name[1:].rpartition(b"row")[0]
    return b"</%bsheetData></%bworksheet>" % (prefix, prefix)


def _frame(count: int, *, since_1904: bool) -> dict[str, str]:
    """Return the parts of a workbook with so many sheets, but for those."""
    sheets = "".join(
        f'<sheet name="{n}" sheetId="{n + 1}" r:id="r{n}"/>' for n in range(count)
    )
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{_OFFICE}/worksheet"'
        f' Target="worksheets/{n}.xml"/>'
        for n in range(count)
    )
    return {
        "[Content_Types].xml": f'<Types xmlns="{_TYPES}"/>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="w"'
        f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(since_1904)}"/><sheets>{sheets}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{targets}'
        f'<Relationship Id="s" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        f'<Relationship Id="t" Type="{_OFFICE}/sharedStrings"'
        ' Target="sharedStrings.xml"/></Relationships>',
    }
