"""Excel workbooks: every row stays where it is, every value as Excel keeps it."""

import csv
import struct
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from files.reading.cells import number
from files.reading.formats import Format
from files.reading.inspection import Reading, inspect
from files.reading.read import read
from files.reading.sheets import column_letters, column_number
from files.reading.workbooks import Sheet, Unreadable, Written, sheets, write_csv
from tests.texts import numbers, quoted

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
# The styles below: general, date, date and time, time, duration.
DATE, DATE_TIME, TIME, DURATION = 1, 2, 3, 4
CODES = (
    *("0%", "0.00%", "00000", "&quot;ID-&quot;0000", "000-00-0000", "#,##0.00"),
    *("0&quot; kg&quot;", "# ?/?", "0.00E+00", "mmm-yy", "d/m/yyyy", ";;;"),
    *("[&lt;=9999999]###-####;(###) ###-####", "[$€-407] #,##0", "&quot;ID-&quot;@"),
    *("&quot;Yes&quot;;&quot;Yes&quot;;&quot;No&quot;", "#,##0,", "h:mm"),
)
PERCENT, PERCENT_2, PADDED, PREFIXED, PARTED, MONEY, KILOS = range(5, 12)
FRACTION, POWER, MONTH, DAY, HIDES, PHONE, EURO = range(12, 19)
PREFIXED_TEXT, WORDS, THOUSANDS, HOUR = range(19, 23)
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts>'
    + "".join(
        f'<numFmt numFmtId="{164 + n}" formatCode="{code}"/>'
        for n, code in enumerate(CODES)
    )
    + '</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>'
    + "".join(
        f'<xf numFmtId="{number}"/>'
        for number in (0, 14, 22, 21, 46, *range(164, 164 + len(CODES)))
    )
    + "</cellXfs></styleSheet>"
)


def workbook(
    path: Path,
    *rows: str,
    names: tuple[str, ...] = ("A",),
    hidden: str = "",
    above: str = "",
    below: str = "",
    about: str = "",
) -> Path:
    """Write a workbook; every sheet of it has the same rows, given as XML."""
    data = (
        f'<worksheet xmlns="{MAIN}">{above}<sheetData>{"".join(rows)}</sheetData>'
        f"{below}</worksheet>"
    )
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="r{n}"'
        f"{' state="hidden"' * (name == hidden)}/>"
        for n, name in enumerate(names, start=1)
    )
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/worksheet"'
        f' Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    styles = f'<Relationship Id="s" Type="{OFFICE}/styles" Target="styles.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1"'
            f' Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets>'
            f"{about}</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{PACKAGE}">{targets}{styles}</Relationships>',
        )
        archive.writestr("xl/styles.xml", STYLES)
        for n in range(1, len(names) + 1):
            archive.writestr(f"xl/worksheets/sheet{n}.xml", data)
    return path


def row(number: int, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def plain(place: str, value: object, style: int = 0) -> str:
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def text(place: str, value: str) -> str:
    inner = f'<t xml:space="preserve">{escape(value)}</t>'
    return f'<c r="{place}" t="inlineStr"><is>{inner}</is></c>'


def typed(place: str, kind: str, value: str) -> str:
    return f'<c r="{place}" t="{kind}"><v>{value}</v></c>'


HEADER = row(1, text("A1", "id"), text("B1", "a"))


def _written(path: Path, sheet: str = "A") -> tuple[Written, list[list[str]]]:
    target = path.with_suffix(".csv")
    written = write_csv(path, sheet, target)
    with target.open(encoding="utf-8", newline="") as file:
        return written, list(csv.reader(file, strict=True))


VALUES = {
    "zero": (plain("B2", "0"), "0"),
    "a whole number": (plain("B2", "42"), "42"),
    "a negative number": (plain("B2", "-42"), "-42"),
    "15 digits": (plain("B2", "999999999999999"), "999999999999999"),
    "a fraction": (plain("B2", "0.1"), "0.1"),
    "a fraction as Excel stores it": (plain("B2", "12.100000000000001"), "12.1"),
    "a small number": (plain("B2", "1.5E-7"), "0.00000015"),
    "a text": (text("B2", " 007 "), " 007 "),
    "a long number as text": (
        text("B2", "12345678901234567890"),
        "12345678901234567890",
    ),
    "a text with all signs": (text("B2", 'a,"b"\nc;é'), 'a,"b"\nc;é'),
    "CRLF in a cell": (text("B2", "a_x000D_\nb"), "a\nb"),
    "a formula": (
        '<c r="B2" t="str"><f>A1</f><v>id</v></c>',
        "id",
    ),
    "a formula with a number": ('<c r="B2"><f>1+1</f><v>2</v></c>', "2"),
    "true": (typed("B2", "b", "1"), "true"),
    "false": (typed("B2", "b", "0"), "false"),
    "a date": (plain("B2", 45657, DATE), "2024-12-31"),
    "a date and time": (
        plain("B2", "45657.416666666664", DATE_TIME),
        "2024-12-31T10:00:00",
    ),
    "a time": (plain("B2", "0.5", TIME), "12:00:00"),
    "a duration": (plain("B2", "1.5", DURATION), "36:00:00"),
    "a negative duration": (plain("B2", "-0.5", DURATION), "-12:00:00"),
}


@pytest.mark.parametrize(("cell", "value"), VALUES.values(), ids=VALUES)
def test_a_value_is_written_as_excel_keeps_it(
    tmp_path: Path, cell: str, value: str
) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, text("A2", "1"), cell))
    written, table = _written(path)
    assert table == [["id", "a"], ["1", value]]
    assert written.findings == []


# What Excel shows goes out: a cell, and what is written.
AS_SHOWN = {
    "percent": (plain("B2", "0.5", PERCENT), "50"),
    "percent, 100": (plain("B2", "1", PERCENT), "100"),
    "percent with decimals": (plain("B2", "0.1234", PERCENT_2), "12.34"),
    "percent as Excel stores it": (plain("B2", "0.28999999999999998", PERCENT), "29"),
    "percent, negative": (plain("B2", "-0.07", PERCENT), "-7"),
    "padded": (plain("B2", "1234", PADDED), "01234"),
    "padded, zero": (plain("B2", "0", PADDED), "00000"),
    "with a prefix": (plain("B2", "42", PREFIXED), "ID-0042"),
    "parted": (plain("B2", "123456789", PARTED), "123-45-6789"),
    "telephone, long": (plain("B2", "4155550123", PHONE), "(415) 555-0123"),
    "telephone, short": (plain("B2", "5550123", PHONE), "555-0123"),
    "money": (plain("B2", "1234.5", MONEY), "1234.5"),
    "euro": (plain("B2", "1234", EURO), "1234"),
    "a day": (plain("B2", "45657", DAY), "2024-12-31"),
    "a day whose time is hidden": (plain("B2", "45657.5", DAY), "2024-12-31"),
    "a text with a prefix": (
        f'<c r="B2" s="{PREFIXED_TEXT}" t="inlineStr"><is><t>7</t></is></c>',
        "ID-7",
    ),
    "rich text": (
        '<c r="B2" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>',
        "ab",
    ),
    "true under a format": (
        f'<c r="B2" s="{PADDED}" t="b"><v>1</v></c>',
        "true",
    ),
    "a formula that gives no text": ('<c r="B2" t="str"><f>A1</f><v></v></c>', ""),
}


@pytest.mark.parametrize(("cell", "value"), AS_SHOWN.values(), ids=AS_SHOWN)
def test_what_excel_shows_goes_out(tmp_path: Path, cell: str, value: str) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, text("A2", "1"), cell))
    written, table = _written(path)
    assert table == [["id", "a"], ["1", value]]
    assert written.findings == []


# What is shown in a way that does not go out: a cell, what is written, what is shown.
OTHERWISE = {
    "rounded": (plain("B2", "1234.567", MONEY), "1234.567", "1234.57"),
    "percent, rounded": (plain("B2", "0.126", PERCENT), "12.6", "13"),
    "a unit": (plain("B2", "5", KILOS), "5", "5 kg"),
    "a fraction": (plain("B2", "0.5", FRACTION), "0.5", "# ?/?"),
    "a power": (plain("B2", "123456", POWER), "123456", "0.00E+00"),
    "a month": (plain("B2", "45657", MONTH), "2024-12-31", "mmm-yy"),
    "the time of a day": (plain("B2", "45657.5", HOUR), "2024-12-31T12:00:00", "h:mm"),
    "a zero as a day": (plain("B2", "0", DAY), "00:00:00", "d/m/yyyy"),
    "nothing": (plain("B2", "5", HIDES), "5", ";;;"),
    "a word": (plain("B2", "1", WORDS), "1", "Yes"),
    "a word for zero": (plain("B2", "0", WORDS), "0", "No"),
    "thousands": (plain("B2", "5000", THOUSANDS), "5000", "#,##0,"),
    "padded, no whole number": (plain("B2", "1.5", PADDED), "1.5", "00000"),
    "padded, negative": (plain("B2", "-5", PADDED), "-5", "00000"),
}


@pytest.mark.parametrize(("cell", "value", "shown"), OTHERWISE.values(), ids=OTHERWISE)
def test_what_is_shown_otherwise_is_warned_of(
    tmp_path: Path, cell: str, value: str, shown: str
) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, text("A2", "1"), cell))
    written, table = _written(path)
    assert table == [["id", "a"], ["1", value]]
    [finding] = written.findings
    assert (finding.level, finding.rule) == ("warns", "shown-otherwise")
    assert (finding.row, finding.column, finding.value) == (2, "a", value)
    assert quoted(finding.message) == [shown]


@pytest.mark.parametrize(
    "cell",
    [
        plain("B2", "-0.25", TIME),
        plain("B2", "-0.25", HOUR),
        plain("B2", "-3", DATE),
        plain("B2", "-0.5", DATE_TIME),
        '<c r="B2" s="3"><f>A2-1</f><v>-0.25</v></c>',
        '<c r="B2" s="3" t="n"><v>-1E-05</v></c>',
    ],
)
def test_a_date_or_time_below_zero_is_the_error_that_excel_shows(
    tmp_path: Path, cell: str
) -> None:
    last = row(3, text("A3", "-1"), plain("B3", "0.25", TIME))
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, text("A2", "1"), cell), last)
    written, table = _written(path)
    found = [(f.level, f.rule, f.row, f.column, f.value) for f in written.findings]
    assert found == [("blocks", "cell-error", 2, "a", "########")]
    assert table[1:] == [["1", "########"], ["-1", "06:00:00"]]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        (plain("B2", "-0.25", DURATION), "-06:00:00"),
        (plain("B2", "-0", TIME), "00:00:00"),
        ('<c r="B2" s="3" t="str"><f>A3</f><v>-0.25</v></c>', "-0.25"),
        (plain("B2", "", DATE) + text("C2", "-1"), ""),
    ],
)
def test_what_only_looks_below_zero_is_no_error(
    tmp_path: Path, cell: str, value: str
) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, text("A2", "1"), cell))
    written, table = _written(path)
    assert not written.findings
    assert table[1][1] == value


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="B2"><f>A2</f></c>',
        '<c r="B2"><f>A2</f><v></v></c>',
        '<c r="B2"><f>A2</f><v/></c>',
        '<c r="B2" s="3"><f>A2</f><v/></c>',
        '<c r="B2" t="n">\n<f>A2</f>\n<v></v>\n</c>',
        '<c r="B2" t="str"><f>A2</f></c>',
        '<c r="B2"><f t="shared" si="0"/></c>',
    ],
)
def test_a_formula_without_a_saved_value_blocks(tmp_path: Path, cell: str) -> None:
    last = row(3, text("A3", "x"), plain("B3", "1"))
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, text("A2", "1"), cell), last)
    written, table = _written(path)
    found = [(f.level, f.rule, f.row, f.column) for f in written.findings]
    assert found == [("blocks", "no-value", 2, "a")]
    assert table[1:] == [["1", ""], ["x", "1"]]


def test_formulas_without_values_are_counted_to_the_last(tmp_path: Path) -> None:
    cells = [row(n, f'<c r="A{n}"><f>B1</f></c>') for n in range(2, 1_502)]
    written, table = _written(workbook(tmp_path / "x.xlsx", HEADER, *cells))
    assert len(written.findings) == 1_000
    assert written.totals == {"no-value": 1_500}
    assert len(table) == 1_501


FORMULA = '<c r="B2"><f>1+1</f><v>0</v></c>'


@pytest.mark.parametrize(
    ("cell", "about", "rules"),
    [
        (FORMULA, '<calcPr calcId="124519" fullCalcOnLoad="1"/>', {"old-results": 1}),
        (FORMULA, '<calcPr calcMode="manual" calcCompleted="0"/>', {"old-results": 1}),
        (FORMULA, '<calcPr calcId="191029" fullCalcOnLoad="0"/>', {}),
        (plain("B2", "0"), '<calcPr calcId="0" fullCalcOnLoad="true"/>', {}),
        ('<c r="B2"><f>A2</f></c>', '<calcPr fullCalcOnLoad="1"/>', {"no-value": 1}),
    ],
)
def test_results_that_were_not_calculated_are_warned_of(
    tmp_path: Path, cell: str, about: str, rules: dict[str, int]
) -> None:
    data = row(2, text("A2", "1"), cell)
    written, _ = _written(workbook(tmp_path / "x.xlsx", HEADER, data, about=about))
    assert written.totals == rules


def test_merged_and_hidden_cells_are_told(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx",
        HEADER,
        row(2, text("A2", "1"), text("B2", "x")),
        f'<row r="3" hidden="1">{text("A3", "2")}</row>',
        '<row r="4" hidden="1"></row>',
        above='<cols><col min="2" max="16384" hidden="1"/></cols>',
        below='<mergeCells count="2"><mergeCell ref="B2:B3"/><mergeCell ref="D9:E9"/>'
        "</mergeCells>",
    )
    written, _ = _written(path)
    assert [(f.level, f.rule, f.row, f.column) for f in written.findings] == [
        ("warns", "merged-cells", 2, "a"),
        ("warns", "hidden-rows", 3, None),
        ("notes", "hidden-columns", 1, "a"),
    ]


def test_a_sheet_begins_where_its_header_is(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx",
        row(1, text("A1", "Accounts by owner"), typed("F1", "e", "#REF!")),
        row(3, text("A3", "id"), text("B3", "a")),
        row(4, text("A4", "1"), typed("B4", "e", "#N/A")),
        below='<mergeCells><mergeCell ref="A1:F1"/></mergeCells>',
    )
    target = tmp_path / "x.csv"
    written = write_csv(path, "A", target, begin=3)
    assert target.read_text().splitlines()[0].rstrip(",") == "id,a"
    assert [(f.rule, f.row, f.column) for f in written.findings] == [
        ("cell-error", 2, "a")
    ]
    assert [change.count for change in written.changes] == [2, 2]
    with pytest.raises(Unreadable, match="row 9"):
        write_csv(path, "A", target, begin=9)


def test_dates_since_1904_are_the_days_that_excel_shows(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, plain("A2", 1, DAY)))
    with zipfile.ZipFile(path) as source:
        kept = {name: source.read(name) for name in source.namelist()}
    book = kept["xl/workbook.xml"].replace(
        b"<sheets>", b'<workbookPr date1904="1"/><sheets>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, old in (kept | {"xl/workbook.xml": book}).items():
            archive.writestr(name, old)
    assert _written(path)[1][1][0] == "1904-01-02"


def test_a_date_in_a_column_with_times_has_a_time_too(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx",
        HEADER,
        row(2, plain("A2", 45657, DATE), plain("B2", 45657, DATE_TIME)),
        row(3, plain("A3", 45658, DATE), plain("B3", 45658.5, DATE_TIME)),
    )
    written, table = _written(path)
    assert table[1:] == [
        ["2024-12-31", "2024-12-31T00:00:00"],
        ["2025-01-01", "2025-01-01T12:00:00"],
    ]
    assert [change.count for change in written.changes] == [3, 2, 1, 1]
    assert "00:00:00" in written.changes[3].what


def test_conversions_are_told(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx",
        HEADER,
        row(2, plain("A2", "1"), typed("B2", "b", "1")),
        row(3, plain("A3", "2")),
    )
    written, _ = _written(path)
    rows, digits, booleans = written.changes
    assert (rows.count, quoted(rows.what), numbers(rows.what)) == (3, ["A"], [3])
    assert (digits.count, numbers(digits.what)) == (2, [2])
    assert (booleans.count, numbers(booleans.what)) == (1, [1])
    assert "boolean" in booleans.what


def test_rows_and_columns_keep_their_places(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx",
        row(3, text("B3", "id"), text("C3", "a")),
        row(6, plain("C6", 1)),
        row(7, typed("D7", "str", "")),
        row(9, '<c r="F9" s="1"/>'),
    )
    _, table = _written(path)
    blank = ["", "", ""]
    assert table == [blank, blank, ["", "id", "a"], blank, blank, ["", "", "1"]]


def test_blank_rows_of_one_column_stay_rows(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx", row(1, text("A1", "id")), row(3, text("A3", "x"))
    )
    _, table = _written(path)
    assert table == [["id"], [""], ["x"]]


def test_an_empty_sheet_has_no_rows(tmp_path: Path) -> None:
    written, table = _written(workbook(tmp_path / "x.xlsx"))
    assert table == []
    assert written.findings == []


def test_an_error_blocks_with_its_row_and_column(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "x.xlsx",
        HEADER,
        row(2, typed("B2", "e", "#N/A")),
        row(3, typed("A3", "e", "#REF!"), plain("B3", "1")),
        row(5, '<c r="D5" t="e"><f>1/0</f><v>#DIV/0!</v></c>'),
    )
    written, table = _written(path)
    found = [(f.level, f.rule, f.row, f.column, f.value) for f in written.findings]
    assert found == [
        ("blocks", "cell-error", 2, "a", "#N/A"),
        ("blocks", "cell-error", 3, "id", "#REF!"),
        ("blocks", "cell-error", 5, "#4", "#DIV/0!"),
    ]
    assert "B2" in written.findings[0].message
    assert quoted(written.findings[0].message) == ["#N/A"]
    assert written.totals == {"cell-error": 3}
    assert [cells[1] for cells in table] == ["a", "#N/A", "1", "", ""]
    assert table[4][3] == "#DIV/0!"


def test_many_errors_are_counted(tmp_path: Path) -> None:
    errors = [row(n, typed(f"A{n}", "e", "#REF!")) for n in range(2, 1_502)]
    written, table = _written(workbook(tmp_path / "x.xlsx", HEADER, *errors))
    assert len(written.findings) == 1_000
    assert written.totals == {"cell-error": 1_500}
    assert len(table) == 1_501


@pytest.mark.parametrize(
    "digits", ["1000000000000000", "-1234567890123450", "12345678901234500000"]
)
def test_a_number_longer_than_15_digits_is_warned_of(
    tmp_path: Path, digits: str
) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, plain("B2", digits)))
    written, table = _written(path)
    [finding] = written.findings
    assert (finding.level, finding.rule, finding.row, finding.column) == (
        "warns",
        "long-number",
        2,
        "a",
    )
    assert table[1][1] == digits


def test_cells_without_references_are_counted_by_their_order(tmp_path: Path) -> None:
    cells = "<row><c><v>1</v></c><c><v>2</v></c></row>"
    error = '<row><c><v>3</v></c><c t="e"><v>#NAME?</v></c></row>'
    written, table = _written(workbook(tmp_path / "x.xlsx", cells, error))
    assert table == [["1", "2"], ["3", "#NAME?"]]
    assert [(f.row, f.column) for f in written.findings] == [(2, "2")]


def test_the_sheets_are_named_and_hidden_ones_known(tmp_path: Path) -> None:
    names = ("Notes & “more”", "B", "C")
    path = workbook(tmp_path / "x.xlsx", HEADER, names=names, hidden="B")
    assert [(s.name, s.is_hidden) for s in sheets(path)] == [
        (names[0], False),
        ("B", True),
        ("C", False),
    ]
    assert isinstance(sheets(path)[0], Sheet)


def test_a_workbook_is_inspected_and_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "renamed.csv", HEADER, names=("H", "A", "B"), hidden="H")
    found = inspect(path)
    assert (found.kind, found.sheets, found.hidden) == ("xlsx", ("H", "A", "B"), ("H",))
    assert found.suggested == Reading(sheet="A")
    assert [numbers(doubt) for doubt in found.doubts] == [[3, 1]]
    target = tmp_path / "as-read"
    result = read(path, target, found, found.suggested)
    assert target.read_bytes() == b"id,a\n"
    assert not result.is_same


def test_one_sheet_is_named_in_the_doubt(tmp_path: Path) -> None:
    found = inspect(workbook(tmp_path / "x.xlsx", HEADER))
    assert [quoted(doubt) for doubt in found.doubts] == [["A"]]


def test_a_sheet_that_is_not_there_blocks(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER)
    result = read(path, tmp_path / "out", inspect(path), Reading(sheet="Z"))
    [finding] = result.findings
    assert (finding.level, finding.rule) == ("blocks", "not-readable")
    assert "“Z”" in finding.message


def _with_part(path: Path, name: str, data: bytes | str) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return path


def test_a_few_cells_far_apart_are_refused(tmp_path: Path) -> None:
    """The reader would keep room for every cell between them."""
    path = workbook(
        tmp_path / "x.xlsx",
        row(1, plain("A1", 1)),
        row(1048576, plain("XFD1048576", 1)),
    )
    with pytest.raises(Unreadable, match="17,179,869,184"):
        _written(path)


def test_a_part_that_unpacks_to_more_than_it_says_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER)
    strings = f'<sst xmlns="{MAIN}">{" " * 1_000_000}</sst>'
    _with_part(path, "xl/sharedStrings.xml", strings)
    data = bytearray(path.read_bytes())
    true = struct.pack("<I", len(strings))
    assert data.count(true) == 2
    path.write_bytes(data.replace(true, struct.pack("<I", 1_000)))
    with pytest.raises(Unreadable, match="damaged"):
        _written(path)


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = _with_part(workbook(tmp_path / "x.xlsx"), "xl/media/a.bin", b"\0" * 54_321)
    data = path.read_bytes()
    path.write_bytes(
        data.replace(struct.pack("<I", 54_321), struct.pack("<I", 2**30 + 1))
    )
    assert numbers(inspect(path).refusal)[0] == 1  # GiB


def test_a_workbook_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "x.xlsx")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/media/a.bin", bytes(100 * 2**20))
    assert numbers(inspect(path).refusal)[0] == 100  # MiB


@pytest.mark.parametrize(
    ("value", "style"), [("4294967296.5", DURATION), ("-999999995657", DATE)]
)
def test_a_date_beyond_all_bounds_is_refused(
    tmp_path: Path, value: str, style: int
) -> None:
    """The reader of cells overflows at the one, and panics at the other."""
    cell = plain("B2", value, style)
    with pytest.raises(Unreadable) as caught:
        _written(workbook(tmp_path / "x.xlsx", HEADER, row(2, cell)))
    assert type(caught.value.__cause__).__name__ in ("OverflowError", "PanicException")


def test_the_progress_is_told_and_may_stop_the_work(tmp_path: Path) -> None:
    rows = [row(n, plain(f"A{n}", n)) for n in range(2, 20_002)]
    path = workbook(tmp_path / "x.xlsx", HEADER, *rows)
    seen: list[int] = []
    target = tmp_path / "x.csv"
    write_csv(path, "A", target, progress=lambda _, rows: seen.append(rows))
    assert seen[-1] == 20_000

    class Stop(ValueError):
        pass

    def stop(done: int, rows: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        write_csv(path, "A", target, progress=stop)


@pytest.mark.parametrize(("value", "said"), [("1e999", "inf"), ("NaN", "nan")])
def test_a_number_that_is_none_blocks(tmp_path: Path, value: str, said: str) -> None:
    path = workbook(tmp_path / "x.xlsx", HEADER, row(2, plain("B2", value)))
    written, _ = _written(path)
    assert [(f.rule, f.value) for f in written.findings] == [("cell-error", said)]
    assert written.totals == {"cell-error": 1}


DAMAGED = {
    "no XML": "no XML",
    "cut off": f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">',
    "no place": f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">'
    '<c r="?"><v>1</v></c></row></sheetData></worksheet>',
    "no row": f'<worksheet xmlns="{MAIN}"><sheetData><row r="x"></row></sheetData>'
    "</worksheet>",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_sheet_is_refused(tmp_path: Path, data: str) -> None:
    path = workbook(tmp_path / "x.xlsx", names=("A",))
    with zipfile.ZipFile(path) as source:
        kept = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, old in (kept | {"xl/worksheets/sheet1.xml": data.encode()}).items():
            archive.writestr(name, old)
    with pytest.raises(Unreadable, match="damaged"):
        _written(path)


def test_a_directory_that_points_before_the_file_is_damage(tmp_path: Path) -> None:
    """The system refuses to go there, as if the disk were at fault."""
    path = workbook(tmp_path / "x.xlsx", names=("A",))
    content = bytearray(path.read_bytes())
    # Where the directory begins: four bytes, before the length of a remark.
    begins = int.from_bytes(content[-6:-2], "little")
    content[-6:-2] = (begins + 1_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(Unreadable, match="damaged"):
        _written(path)
    assert "damaged" in inspect(path).refusal


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_workbook_with_any_byte_changed_is_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = workbook(
        tmp_path_factory.mktemp("damaged") / "x.xlsx", HEADER, row(2, plain("A2", 1))
    )
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(4, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    found = inspect(path)
    target = path.with_suffix(".csv")
    result = read(path, target, found, found.suggested)
    assert result.findings or target.exists()


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from('",\n;'),
    max_size=8,
).filter(lambda value: "_x" not in value)


@settings(deadline=None, max_examples=60)
@given(table=st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=5))
def test_any_table_of_texts_comes_back(
    table: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = [
        row(n, *(text(f"{column_letters(c)}{n}", v) for c, v in enumerate(cells, 1)))
        for n, cells in enumerate([["id", "b", "c"], *table, ["x", "y", "z"]], 1)
    ]
    _, found = _written(workbook(tmp_path_factory.mktemp("t") / "x.xlsx", *rows))
    assert found == [["id", "b", "c"], *table, ["x", "y", "z"]]


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_number_has_no_exponent_and_the_value_that_excel_keeps(value: float) -> None:
    written = number(value)
    assert "e" not in written.lower()
    assert float(written) == pytest.approx(value, rel=1e-14)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
CODE = st.lists(
    st.sampled_from(
        [*'0#?.,%;/@ymdhsE+-"\\_*[]()$ ', "[<=9]", "[h]", "General", "[<1.2.3]", "00"]
    ),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=500)
@example("0%", 1e300, "")
@example("0%", 5e-324, "")
@example("0.00", 123456789012345.67, "")
@given(
    CODE | st.sampled_from(["0%", "0.0%", "00000"]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
def test_no_number_format_makes_it_fail(code: str, value: float, text: str) -> None:
    form = Format(code)
    written, _ = form.write(value)
    assert written
    assert form.rewrites or float(written) == pytest.approx(value, rel=1e-14)
    assert text in form.text(text)


@given(st.integers(1, 16_384))
def test_columns_are_lettered_as_in_excel(column: int) -> None:
    assert column_number(column_letters(column)) == column


def test_the_last_column_of_excel_is_xfd() -> None:
    assert column_letters(16_384) == "XFD"
