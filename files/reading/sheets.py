"""What the XML of a workbook tells that its cells do not: sheets, errors, extent."""

import re
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED

from files.reading.formats import BUILT_IN, Format
from files.reading.kinds import SAVE_AS

LARGEST_FILE = 100 * 2**20
LARGEST_UNZIPPED = 2**30
# The reader keeps 32 bytes for every place between the first and the last cell.
MOST_CELLS = 20_000_000
KEPT, KEPT_ERRORS = 1_000, 100_000

_BLOCK = 2**20
_WORKBOOK = "xl/workbook.xml"
_STYLES = "xl/styles.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_DAMAGED = f"This Excel workbook is damaged and cannot be read. {SAVE_AS}"

_TRUE = ("1", "true")
_NO_RUN = [0, 0, 0]

Attributes = dict[str, str]


class Unreadable(Exception):
    """A workbook that is damaged or too large; the text says what to do about it."""


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, and whether Excel shows it. `part` is its file inside."""

    name: str
    is_hidden: bool = False
    part: str = ""


@dataclass
class Extent:
    """Where the values of a sheet lie, from 1: the first and last row and column.

    `errors` are the cells that hold an error, as (row, column): "#REF!"; the first
    100,000 are kept, all are counted and lie, like formulas without a value, above and
    left of `errors_bottom` and `errors_right`. `merged` are ranges as "A2:A4".
    """

    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    errors_total: int = 0
    errors_bottom: int = 0
    errors_right: int = 0
    # Formulas without a saved value; the first 100,000 are kept.
    unsaved: set[tuple[int, int]] = field(default_factory=set)
    unsaved_total: int = 0
    merged: list[str] = field(default_factory=list)
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    formats: "CellFormats" = field(default_factory=lambda: CellFormats({}))

    def keep_unsaved(self, place: tuple[int, int]) -> None:
        """Count a formula without a value, and keep it unless there are many."""
        self.unsaved_total += 1
        self.errors_bottom = max(self.errors_bottom, place[0])
        self.errors_right = max(self.errors_right, place[1])
        if self.unsaved_total <= KEPT_ERRORS:
            self.unsaved.add(place)


class CellFormats:
    """The number formats of cells that are not General, by column in runs of rows."""

    def __init__(self, styles: dict[str, Format]) -> None:
        self.has_texts = any(style.text("") for style in styles.values())
        self._runs: dict[int, list[list[int]]] = {}
        self._last: dict[int, list[int]] = {}
        self._formats = list(styles.values())
        self._places = {style: place for place, style in enumerate(styles)}

    def add(self, row: int, column: int, style: str) -> None:
        """Note the style of a cell; rows come in order."""
        runs = self._runs.setdefault(column, [])
        place = self._places[style]
        if runs and runs[-1][1] == row - 1 and runs[-1][2] == place:
            runs[-1][1] = row
        else:
            runs.append([row, row, place])

    def of(self, row: int, column: int) -> Format | None:
        """Return the format of a cell, None where that is General or not known."""
        first, last, place = self._last.get(column, _NO_RUN)
        if first <= row <= last:
            return self._formats[place]
        runs = self._runs.get(column)
        if not runs:
            return None
        index = bisect_right(runs, row, key=lambda run: run[0]) - 1
        if index < 0 or row > runs[index][1]:
            return None
        self._last[column] = runs[index]
        return self._formats[runs[index][2]]


def sheets(path: Path) -> list[Sheet]:
    """Return the sheets with cells, in the workbook's order. Raises Unreadable."""
    with opened(path) as archive:
        found: list[Attributes] = []
        parts: dict[str, Attributes] = {}

        def keep_sheet(name: str, attributes: Attributes) -> None:
            if _local(name) == "sheet":
                found.append(attributes)

        def keep_part(name: str, attributes: Attributes) -> None:
            if _local(name) == "Relationship":
                parts[attributes.get("Id", "")] = attributes

        _parse(archive, _WORKBOOK, _Elements(keep_sheet))
        _parse(archive, _RELATIONS, _Elements(keep_part))
        listed = [_sheet(attributes, parts) for attributes in found]
        names = set(archive.namelist())
    sheets = [sheet for sheet in listed if sheet.part in names]
    if not sheets:
        raise Unreadable(_DAMAGED)
    return sheets


def _sheet(attributes: Attributes, parts: dict[str, Attributes]) -> Sheet:
    # The prefix of `r:id` is the writing program's choice.
    keys = [key for key in attributes if key.endswith(":id")]
    part = parts.get(attributes[keys[0]], {}) if keys else {}
    target = part.get("Target", "")
    is_sheet = part.get("Type", "").endswith("/worksheet")
    place = PurePosixPath("/xl") / target if is_sheet and target else PurePosixPath("/")
    return Sheet(
        name=attributes.get("name", ""),
        is_hidden=attributes.get("state", "visible") != "visible",
        part=str(place).lstrip("/"),
    )


def extent(
    path: Path, sheet: Sheet, *, progress: Callable[[int, int], None] | None = None
) -> Extent:
    """Return where the values of a sheet lie. Raises Unreadable.

    Reads every part that the reader of cells will unpack, to the end: one that unpacks
    to more than it says is found here, before it can fill the memory.
    """
    with opened(path) as archive:
        cells = _Cells(_styles(archive))
        _parse(archive, sheet.part, cells, progress)
        cells.end()
        for name in archive.namelist():
            if _is_unpacked_with_all(name):
                _parse(archive, name, _Elements())
    extent = cells.extent
    places = (extent.bottom - extent.top + 1) * (extent.right - extent.left + 1)
    if places > MOST_CELLS:
        raise Unreadable(
            f"The sheet “{sheet.name}” has room for {places:,} cells; up to "
            f"{MOST_CELLS:,} can be read. {SAVE_AS}"
        )
    return extent


def _styles(archive: zipfile.ZipFile) -> dict[str, Format]:
    """Return the styles of cells whose number format is not General, by their name."""
    if _STYLES not in archive.namelist():
        return {}
    codes: dict[int, str] = dict(BUILT_IN)
    numbers: list[int] = []
    within = ""

    def start(name: str, attributes: Attributes) -> None:
        nonlocal within
        name = _local(name)
        if name in ("cellXfs", "cellStyleXfs", "dxfs"):
            within = name
        elif name == "numFmt" and within != "dxfs":
            codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif name == "xf" and within == "cellXfs":
            numbers.append(int(attributes.get("numFmtId", 0)))

    _parse(archive, _STYLES, _Elements(start))
    formats = {
        str(place): Format(codes[number])
        for place, number in enumerate(numbers)
        if number in codes
    }
    return {name: form for name, form in formats.items() if not form.is_general}


def _is_unpacked_with_all(name: str) -> bool:
    place = PurePosixPath(name)
    return place.parent == PurePosixPath("xl") and place.suffix == ".xml"


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a workbook that is not too large. Raises Unreadable."""
    if path.stat().st_size > LARGEST_FILE:
        raise Unreadable(f"This Excel workbook is larger than 100 MiB. {SAVE_AS}")
    with _unless_damaged():
        archive = zipfile.ZipFile(path)
    with archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > LARGEST_UNZIPPED:
            raise Unreadable(
                f"This Excel workbook unpacks to more than 1 GiB. {SAVE_AS}"
            )
        # Excel knows no other way to compress: ECMA-376 part 2, annex B.
        if {entry.compress_type for entry in entries} - {ZIP_STORED, ZIP_DEFLATED}:
            raise Unreadable(_DAMAGED)
        yield archive


@contextmanager
def _unless_damaged() -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        expat.ExpatError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        KeyError,
        ValueError,
    ) as error:
        raise Unreadable(_DAMAGED) from error


class _Elements:
    """Hears of every element of a part."""

    def __init__(self, start: Callable[[str, Attributes], None] | None = None) -> None:
        self.parser = expat.ParserCreate()
        self.parser.EntityDeclHandler = _refuse_entities
        if start is not None:
            self.parser.StartElementHandler = start
        self.row = 0


class _Cells(_Elements):
    """Follows the cells of a sheet; one without a value counts for nothing."""

    def __init__(self, styles: dict[str, Format]) -> None:
        super().__init__(self._start)
        self.extent = Extent(formats=CellFormats(styles))
        self._styles = styles
        self._style: str | None = None
        self._type: str | None = None
        self._formula = False
        self._column = 0
        self._is_hidden = False
        self._columns: dict[str, int] = {}
        self._row_text = ""

    def _start(self, name: str, attributes: Attributes) -> None:
        if ":" in name:
            name = _local(name)
        if name == "c":
            if self._formula:
                self._end_formula()
            self._at(attributes.get("r"))
            self._type = attributes.get("t")
            self._style = attributes.get("s")
        elif name == "v" or name == "is":
            self._value()
        elif name == "row":
            self._end_formula()
            self.row = int(attributes.get("r", self.row + 1))
            self._row_text = str(self.row)
            self._column = 0
            self._is_hidden = attributes.get("hidden") in _TRUE
        elif name == "f":
            self._formula = self._type != "e"
        elif name == "col" and attributes.get("hidden") in _TRUE:
            first, last = int(attributes["min"]), int(attributes["max"])
            self.extent.hidden_columns.append((first, last))
        elif name == "mergeCell":
            self.extent.merged.append(attributes.get("ref", ""))

    def end(self) -> None:
        """Look at what the last cell was."""
        self._end_formula()

    def _end_formula(self) -> None:
        """Note the cell before as one without a saved value, if it is such a one."""
        if self._formula:
            self._formula = False
            self.parser.CharacterDataHandler = None
            self.extent.keep_unsaved((self.row, self._column))

    def _wait_for_result(self) -> None:
        """Take a formula for saved once there is a text in its value."""

        def characters(text: str) -> None:
            if text.strip():
                self._formula = False
                self.parser.CharacterDataHandler = None

        self.parser.CharacterDataHandler = characters

    def _at(self, reference: str | None) -> None:
        """Note where a cell stands: this runs once for each of millions of cells."""
        if reference is None:
            self._column += 1
            return
        letters = reference.rstrip("0123456789")
        row = reference[len(letters) :]
        if letters not in self._columns or row != self._row_text:
            if not _REFERENCE.fullmatch(reference):
                raise ValueError(reference)
            self._columns[letters] = column_number(letters)
            self.row, self._row_text = int(row), row
        self._column = self._columns[letters]

    def _value(self) -> None:
        extent, row, column = self.extent, self.row, self._column
        if not extent.left:
            extent.top, extent.left = row, column
        if row > extent.bottom:
            extent.bottom = row
        elif row < extent.top:
            extent.top = row
        if column > extent.right:
            extent.right = column
        if column < extent.left:
            extent.left = column
        if self._is_hidden and extent.hidden_rows[-1:] != [row]:
            extent.hidden_rows.append(row)
        if self._style in self._styles:
            extent.formats.add(row, column, self._style)
        if self._type == "e":
            self._error()
        elif self._formula and self._type == "str":
            # A text that is empty is a value, too.
            self._formula = False
        elif self._formula:
            self._wait_for_result()

    def _error(self) -> None:
        """Keep the text of the error; only here is text listened to."""
        self.extent.errors_total += 1
        self.extent.errors_bottom = max(self.extent.errors_bottom, self.row)
        self.extent.errors_right = max(self.extent.errors_right, self._column)
        if self.extent.errors_total > KEPT_ERRORS:
            return
        place = self.row, self._column
        self.extent.errors[place] = ""

        def characters(text: str) -> None:
            self.extent.errors[place] += text

        def end(_: str) -> None:
            self.parser.CharacterDataHandler = None
            self.parser.EndElementHandler = None

        self.parser.CharacterDataHandler = characters
        self.parser.EndElementHandler = end


def range_of(reference: str) -> tuple[int, int, int, int] | None:
    """Return (top, left, bottom, right) of "A2:B4", None for what is no range."""
    corners = [_REFERENCE.fullmatch(part) for part in reference.split(":")]
    if len(corners) != 2 or None in corners:  # noqa: PLR2004  # a range has two
        return None
    (left, top), (right, bottom) = (c.groups() for c in corners if c)
    return int(top), column_number(left), int(bottom), column_number(right)


def column_number(letters: str) -> int:
    """Return 28 for "AB"."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """Return "AB" for 28."""
    letters = ""
    while number:
        number, place = divmod(number - 1, 26)
        letters = chr(65 + place) + letters
    return letters


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_entities(*_: object) -> None:
    raise Unreadable(_DAMAGED)


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    elements: _Elements,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    done = 0
    with _unless_damaged():
        source = archive.open(part)
    with source:
        while True:
            with _unless_damaged():
                data = source.read(_BLOCK)
                elements.parser.Parse(data, not data)
            if not data:
                return
            done += len(data)
            if progress is not None:
                progress(done, elements.row)
