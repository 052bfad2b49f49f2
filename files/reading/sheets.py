"""What the XML of a workbook tells that its cells do not: sheets, errors, extent."""

import re
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from files.reading.archives import DAMAGED, SAVE_AS, Unreadable, opened
from files.reading.cell_formats import CellFormats
from files.reading.elements import Attributes, Elements, Progress, local, parse
from files.reading.formats import BUILT_IN, Format
from files.reading.slices import Slices

# Every place from the first row and column to the last value is written.
MOST_CELLS = 20_000_000
MOST_STRINGS = 5_000_000
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384
# Excel takes 65,490 styles, and formats of 255 characters.
MOST_STYLES, LONGEST_FORMAT = 100_000, 1_000
MOST_SHEETS, LONGEST_NAME = 1_000, 255
KEPT, KEPT_ERRORS = 1_000, 100_000
_LONGEST_ERROR = 60
# What Excel shows of a date or time below zero.
_BELOW_ZERO = "########"

_WORKBOOK = "xl/workbook.xml"
_STYLES = "xl/styles.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")

_TRUE, _FALSE = ("1", "true"), ("0", "false")


@dataclass(frozen=True)
class Sheet:
    """A sheet of a workbook, and whether Excel shows it. `part` is its file inside.

    Its dates are days since 1900, or else `since_1904`. `is_to_calculate` says that the
    saved results of its formulas are not up to date.
    """

    name: str
    is_hidden: bool = False
    part: str = ""
    since_1904: bool = False
    is_to_calculate: bool = False


@dataclass
class Extent:
    """Where the values of a sheet lie, from 1: the first and last row and column.

    `errors` are the cells that hold an error, as (row, column): "#REF!", or a date or
    time below zero, of which Excel shows number signs; the first
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
    formulas: int = 0
    # Those without a saved value; the first 100,000 are kept.
    unsaved: set[tuple[int, int]] = field(default_factory=set)
    unsaved_total: int = 0
    # The first 100,000 are kept.
    merged: list[str] = field(default_factory=list)
    merged_total: int = 0
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    slices: Slices = field(default_factory=Slices)
    formats: CellFormats = field(default_factory=lambda: CellFormats({}))

    def keep_error(self, place: tuple[int, int], error: str) -> bool:
        """Count an error and keep it unless there are many; tell whether it is kept."""
        self.errors_total += 1
        self.errors_bottom = max(self.errors_bottom, place[0])
        self.errors_right = max(self.errors_right, place[1])
        if self.errors_total > KEPT_ERRORS:
            return False
        self.errors[place] = error
        return True

    def keep_unsaved(self, place: tuple[int, int]) -> None:
        """Count a formula without a value, and keep it unless there are many."""
        self.unsaved_total += 1
        self.errors_bottom = max(self.errors_bottom, place[0])
        self.errors_right = max(self.errors_right, place[1])
        if self.unsaved_total <= KEPT_ERRORS:
            self.unsaved.add(place)


def sheets(path: Path) -> list[Sheet]:
    """Return the sheets with cells, in the workbook's order. Raises Unreadable."""
    with opened(path) as archive:
        book, relations = _Book(), _Relations()
        parse(archive, _WORKBOOK, book)
        parse(archive, _RELATIONS, relations)
        names = set(archive.namelist())
    listed = [_sheet(attributes, relations.parts) for attributes in book.sheets]
    sheets = [
        replace(
            sheet,
            since_1904=book.since_1904,
            is_to_calculate=book.is_to_calculate,
        )
        for sheet in listed
        if sheet.part in names
    ]
    if not sheets:
        raise Unreadable(DAMAGED)
    return sheets


class _Book(Elements):
    """Hears of the sheets that a workbook lists."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[Attributes] = []
        self.since_1904 = self.is_to_calculate = False

    def start(self, name: str, attributes: Attributes) -> None:
        super().start(name, attributes)
        name = local(name)
        if name == "workbookPr":
            self.since_1904 = attributes.get("date1904") in _TRUE
        elif name == "calcPr":
            # Programs that fill in workbooks leave the results to Excel; Excel itself
            # where it calculates by hand alone: ECMA-376 part 1, 18.2.2.
            self.is_to_calculate = (
                attributes.get("fullCalcOnLoad") in _TRUE
                or attributes.get("calcCompleted") in _FALSE
            )
        elif name == "sheet":
            self.sheets.append(attributes)
            if len(attributes.get("name", "")) > LONGEST_NAME:
                raise Unreadable(DAMAGED)
            if len(self.sheets) > MOST_SHEETS:
                raise Unreadable(
                    f"This Excel workbook has more than {MOST_SHEETS:,} sheets. "
                    f"{SAVE_AS}"
                )


class _Relations(Elements):
    """Hears of the parts of a workbook by the ids that it gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, Attributes] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        super().start(name, attributes)
        if local(name) == "Relationship":
            self.parts[attributes.get("Id", "")] = attributes


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


def extent(path: Path, sheet: Sheet, *, progress: Progress | None = None) -> Extent:
    """Return where the values of a sheet lie. Raises Unreadable.

    Reads every part that the reader of cells will unpack, to the end: one that unpacks
    to more than it says is found here, before it can fill the memory.
    """
    with opened(path) as archive:
        cells = _Cells(_styles(archive), sheet.name)
        parse(archive, sheet.part, cells, progress)
        cells.end()
        for name in archive.namelist():
            if _is_unpacked_with_all(name):
                parse(archive, name, _Strings())
    return cells.extent


def _styles(archive: zipfile.ZipFile) -> dict[str, Format]:
    """Return the styles of cells whose number format is not General, by their name."""
    if _STYLES not in archive.namelist():
        return {}
    styles = _Styles()
    parse(archive, _STYLES, styles)
    used = {number: styles.codes[number] for number in set(styles.numbers)}
    formats = {number: Format(code) for number, code in used.items()}
    return {
        str(place): formats[number]
        for place, number in enumerate(styles.numbers)
        if not formats[number].is_general
    }


class _Styles(Elements):
    """Hears of the number formats, and of those of each style in `numbers`."""

    def __init__(self) -> None:
        super().__init__()
        self.codes = dict(BUILT_IN)
        self.numbers: list[int] = []
        self._within = ""

    def start(self, name: str, attributes: Attributes) -> None:
        super().start(name, attributes)
        name = local(name)
        if name in ("cellXfs", "cellStyleXfs", "dxfs"):
            self._within = name
        elif name == "numFmt" and self._within != "dxfs":
            code = attributes.get("formatCode", "")
            self.codes[int(attributes["numFmtId"])] = code
            self._need(len(code) <= LONGEST_FORMAT and len(self.codes) <= MOST_STYLES)
        elif name == "xf" and self._within == "cellXfs":
            number = int(attributes.get("numFmtId", 0))
            self.numbers.append(number)
            self._need(len(self.numbers) <= MOST_STYLES)

    def _need(self, is_within_bounds: bool) -> None:  # noqa: FBT001
        if not is_within_bounds:
            raise Unreadable(
                f"This Excel workbook has more than {MOST_STYLES:,} styles of cells or "
                f"number formats, or one of more than {LONGEST_FORMAT:,} characters. "
                f"{SAVE_AS}"
            )


class _Strings(Elements):
    """Hears of the texts that cells share, where a part has some."""

    def __init__(self) -> None:
        super().__init__()
        self._total = self._began = 0

    def start(self, name: str, attributes: Attributes) -> None:
        self.seen += 1
        if name == "si" or local(name) == "si":
            # A text may be in many pieces, each short.
            self.need_short(self._began)
            self._began = self.parser.CurrentByteIndex
            self._total += 1
            if self._total > MOST_STRINGS:
                raise Unreadable(
                    f"This Excel workbook has more than {MOST_STRINGS:,} different "
                    f"texts. {SAVE_AS}"
                )


def _is_unpacked_with_all(name: str) -> bool:
    place = PurePosixPath(name.lower())
    return place.parent == PurePosixPath("xl") and place.suffix == ".xml"


class _Cells(Elements):
    """Follows the cells of a sheet; one without a value counts for nothing."""

    def __init__(self, styles: dict[str, Format], sheet: str) -> None:
        super().__init__()
        self.extent = Extent(formats=CellFormats(styles))
        self._sheet = sheet
        self._styles = styles
        self._dated = {
            style
            for style, form in styles.items()
            if form.letters and not form.is_elapsed
        }
        self._style: str | None = None
        self._type: str | None = None
        self._formula = False
        self._value_at = 0
        self._is_hidden = False
        self._hidden_columns = bytearray(LAST_COLUMN + 1)
        self._columns: dict[str, int] = {}
        self._row_text = ""

    def start(self, name: str, attributes: Attributes) -> None:
        if ":" in name:
            name = local(name)
        if name == "c":
            if self._formula:
                self._end_formula()
            self._at(attributes.get("r"))
            self._type = attributes.get("t")
            self._style = attributes.get("s")
        elif name == "v":
            self._value()
        else:
            self.seen += 1
            self._other(name, attributes)

    def _other(self, name: str, attributes: Attributes) -> None:
        if name == "is":
            self._value_at = self.parser.CurrentByteIndex
            self._value()
        elif name == "row":
            self._end_formula()
            self._row(attributes)
        elif name == "f":
            self.extent.formulas += 1
            self._formula = self._type != "e"
        elif name == "t":
            self.need_short(self._value_at)
        elif name == "col" and attributes.get("hidden") in _TRUE:
            first = max(int(attributes["min"]), 1)
            last = min(int(attributes["max"]), LAST_COLUMN)
            self._hidden_columns[first : last + 1] = b"\1" * (last + 1 - first)
        elif name == "mergeCell":
            self.extent.merged_total += 1
            if self.extent.merged_total <= KEPT_ERRORS:
                self.extent.merged.append(attributes.get("ref", ""))

    def end(self) -> None:
        """Look at what the last cell was, and the whole."""
        self._end_formula()
        self._need_room()
        self.extent.slices.row_ends(self.column)
        self.extent.hidden_columns = [
            column for column, is_hidden in enumerate(self._hidden_columns) if is_hidden
        ]

    def _row(self, attributes: Attributes) -> None:
        number = attributes.get("r")
        self.extent.slices.row_ends(self.column)
        self._go_down_to(self.row + 1 if number is None else int(number))
        self.extent.slices.row_begins(
            self.row if number is not None else None, self.parser.CurrentByteIndex
        )
        self._row_text = str(self.row)
        self.column = 0
        self._is_hidden = attributes.get("hidden") in _TRUE
        self._need_room()

    def _go_down_to(self, row: int) -> None:
        """Note the row. Raises Unreadable where it is not below the last one.

        Excel takes such a sheet for damaged; and what is known of the cells, as their
        formats, is found by the order of the rows.
        """
        if row > LAST_ROW:
            raise self._beyond()
        if row <= self.row:
            raise Unreadable(
                f"The rows of the sheet “{self._sheet}” are not in order: row {row} "
                f"comes after row {self.row}. Excel would not open it like that. "
                f"{SAVE_AS}"
            )
        self.row = row

    def _need_room(self) -> None:
        """Raise Unreadable where a value lies so far out that too much were blank."""
        if self.extent.bottom > LAST_ROW or self.extent.right > LAST_COLUMN:
            raise self._beyond()
        places = self.extent.bottom * self.extent.right
        if places > MOST_CELLS:
            raise Unreadable(
                f"The sheet “{self._sheet}” has room for {places:,} cells; up to "
                f"{MOST_CELLS:,} can be read. Delete what stands far right of the "
                f"table or below it. Or: {SAVE_AS}"
            )

    def _beyond(self) -> Unreadable:
        return Unreadable(
            f"The sheet “{self._sheet}” goes beyond the {LAST_ROW:,} rows and "
            f"{LAST_COLUMN:,} columns that Excel knows. {SAVE_AS}"
        )

    def _end_formula(self) -> None:
        """Note the cell before as one without a saved value, if it is such a one."""
        if self._formula:
            self._formula = False
            self.parser.CharacterDataHandler = None
            self.extent.keep_unsaved((self.row, self.column))

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
            self.column += 1
            return
        letters = reference.rstrip("0123456789")
        row = reference[len(letters) :]
        if letters not in self._columns or row != self._row_text:
            if not _REFERENCE.fullmatch(reference):
                raise ValueError(reference)
            self._columns[letters] = column_number(letters)
            if row != self._row_text:
                self._go_down_to(int(row))
                self._row_text = row
        self.column = self._columns[letters]

    def _value(self) -> None:
        extent, row, column = self.extent, self.row, self.column
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
        elif self._style in self._dated and self._type in (None, "n"):
            self._date()
        elif self._formula and self._type == "str":
            # A text that is empty is a value, too.
            self._formula = False
        elif self._formula:
            self._wait_for_result()

    def _error(self) -> None:
        """Keep the text of the error."""
        place = self.row, self.column
        if not self.extent.keep_error(place, ""):
            return

        def characters(text: str) -> None:
            known = self.extent.errors[place]
            self.extent.errors[place] = (known + text)[:_LONGEST_ERROR]

        def end(_: str) -> None:
            self.parser.CharacterDataHandler = None
            self.parser.EndElementHandler = None

        self.parser.CharacterDataHandler = characters
        self.parser.EndElementHandler = end

    def _date(self) -> None:
        """Keep a date or time below zero as an error: it is read as another one.

        Of -0.25, six hours before midnight, it would be 18:00.
        """
        self.parser.CharacterDataHandler = self._date_characters
        self.parser.EndElementHandler = self._date_ends

    def _date_characters(self, text: str) -> None:
        self.parser.CharacterDataHandler = None
        self._formula = self._formula and not text.strip()
        if text[0] == "-" and text.strip("-0."):
            self.extent.keep_error((self.row, self.column), _BELOW_ZERO)

    def _date_ends(self, _: str) -> None:
        self.parser.CharacterDataHandler = None
        self.parser.EndElementHandler = None


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
