"""Reading a file: every cell, row and line stays; what changes is told."""

import codecs
import csv
import io
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from files.changes import Change
from files.quoting import INNER_QUOTES, is_plain_inside
from files.reading.inspection import Inspection, Reading, inspect
from files.reading.read import KEPT, Read, read

BOM = codecs.BOM_UTF8
SMALL = 7


def _read(
    data: bytes, reading: Reading | None = None, *, block: int = SMALL
) -> tuple[Read, bytes, Inspection]:
    with TemporaryDirectory() as folder:
        original, as_read = Path(folder, "original"), Path(folder, "as-read")
        original.write_bytes(data)
        inspection = inspect(original, block=block)
        chosen = inspection.suggested if reading is None else reading
        result = read(original, as_read, inspection, chosen, block=block)
        written = as_read.read_bytes() if as_read.exists() else data
    assert original.name == "original"
    return result, written, inspection


LATIN = Reading(encoding="cp1252")
SEMICOLONS = Reading(delimiter=";")

# What is read: bytes, how, the bytes written, and what is told with its count.
TOLD = {
    "nothing": (b"id,a\n1,x\n", None, b"id,a\n1,x\n", []),
    "nothing at all": (b"", None, b"", []),
    "no line end at the end": (
        b"id,a\n1,x",
        None,
        b"id,a\n1,x\n",
        [("A line ending is added after the last line", 1)],
    ),
    "no line end, one byte": (b"x", None, b"x\n", [("A line ending", 1)]),
    "only line ends": (b"\n\n\n", None, b"", [("3 blank lines", 3)]),
    "only a mark": (BOM, None, b"", [("byte order mark", 1)]),
    "part of a mark": (b"\xef\xbb", Reading(), b"\xef\xbb\n", [("A line ending", 1)]),
    "mark": (BOM + b"id\n1\n", None, b"id\n1\n", [("A byte order mark", 1)]),
    "marks": (BOM * 3 + b"id\n", None, b"id\n", [("Several byte order marks", 3)]),
    "mark inside": (
        b"id\n" + BOM,
        None,
        b"id\n" + BOM + b"\n",
        [("A line ending", 1)],
    ),
    "CRLF": (b"id,a\r\n1,x\r\n", None, b"id,a\n1,x\n", [("2 line endings CRLF", 2)]),
    "one CRLF": (b"id,a\r\n1,x\n", None, b"id,a\n1,x\n", [("1 line ending CRLF", 1)]),
    "CRLF in a cell": (
        b'id,a\r\n1,"x\r\ny\r\n"\r\n',
        None,
        b'id,a\n1,"x\ny\n"\n',
        [("2 line endings CRLF", 2), ("2 CRLF inside cells", 2)],
    ),
    "CR alone": (
        b"id,a\r1,x\r",
        None,
        b"id,a\n1,x\n",
        [("2 line endings CR are", 2)],
    ),
    "CR alone, in a cell too": (
        b'id\r"x\ry"\r',
        None,
        b'id\n"x\ny"\n',
        [("2 line endings CR are", 2), ("1 CR inside", 1)],
    ),
    "CR in a cell": (b'id\n"x\ry"\n', None, b'id\n"x\ny"\n', [("1 CR inside", 1)]),
    "CR outside, and LF": (b"id\n1\r2\n", None, b"id\n1\r2\n", []),
    "CR outside, before CRLF": (
        b"id\n1\r\r\n",
        None,
        b"id\n1\r\n",
        [("1 line ending CRLF", 1)],
    ),
    "CR at a quote that is text": (b'i"d\n1\r2\n', None, b'i"d\n1\r2\n', []),
    "CR after a doubled quote": (
        b'id\n"a""\r"\n',
        None,
        b'id\n"a""\n"\n',
        [("1 CR inside", 1)],
    ),
    "empty lines at the end": (
        b"id\r\n1\r\n\r\n\r\n",
        None,
        b"id\n1\n",
        [("4 line endings CRLF", 4), ("2 blank lines at the end", 2)],
    ),
    "empty line inside": (b"id\n\n1\n", None, b"id\n\n1\n", []),
    "damaged UTF-8": (
        b"\xc3\xa9\xc3\xa9\n\xff\n",
        None,
        b"\xc3\xa9\xc3\xa9\n\xff\n",
        [],
    ),
    "Windows-1252": (
        b"a\n\xe9\x80\n",
        LATIN,
        "a\né€\n".encode(),
        [("read as Windows-1252", 2)],
    ),
    "UTF-16": (
        "a\r\né\r\n".encode("utf-16"),
        None,
        "a\né\n".encode(),
        [("read as UTF-16 ", 1), ("byte order mark", 1), ("2 line endings CRLF", 2)],
    ),
    "semicolons": (
        b'a;b\n1;"x;y"\n',
        SEMICOLONS,
        b'a,b\n1,"x;y"\n',
        [("2 semicolons between", 2)],
    ),
    "semicolons and decimal commas": (
        b"a;b\n1,5;2\n;3,5",
        SEMICOLONS,
        b'a,b\n"1,5",2\n,"3,5"\n',
        [("3 semicolons", 3), ("2 cells with a comma", 2), ("A line ending", 1)],
    ),
    "semicolons, quoted already": (
        b'a;b\n"1,5";"x""y"\n',
        SEMICOLONS,
        b'a,b\n"1,5","x""y"\n',
        [("2 semicolons", 2)],
    ),
    "tabs, quote as text": (
        b'a\tb\n5"\tx\n',
        Reading(delimiter="\t"),
        b'a,b\n5",x\n',
        [("2 tabs", 2)],
    ),
    "pipes, quote never closed": (
        b'a|b\n1|"x|y\n2|z',
        Reading(delimiter="|"),
        b'a,b\n1,"x|y\n2|z\n',
        [("2 pipes", 2), ("A line ending", 1)],
    ),
}


@pytest.mark.parametrize("block", [1, 3, SMALL, 1000])
@pytest.mark.parametrize(("data", "how", "written", "told"), TOLD.values(), ids=TOLD)
def test_what_changes_is_told_and_nothing_else_changes(
    data: bytes,
    how: Reading | None,
    written: bytes,
    told: list[tuple[str, int]],
    block: int,
) -> None:
    result, found, _ = _read(data, how, block=block)
    assert found == written
    assert [change.count for change in result.changes] == [count for _, count in told]
    for change, (words, _) in zip(result.changes, told, strict=True):
        assert words in change.what
    assert result.findings == []


def test_a_file_that_stays_the_same_is_not_written(tmp_path: Path) -> None:
    original, as_read = tmp_path / "original", tmp_path / "as-read"
    for data in (b"", b"id\n1\n", b'id,a\n"1\n\n",x\n', b"\xc3\xa9,\xff\xc3\xa9\n"):
        original.write_bytes(data)
        result = read(original, as_read, inspect(original), Reading())
        assert result.is_same
        assert not as_read.exists()


# What is wrong: bytes, how they are read, and (rule, row, line) of each finding.
WRONG = {
    "bytes without a meaning": (
        b"a\n\x81,\x8d\n\xe9\n\x81\n",
        LATIN,
        [("not-decodable", None, 2), ("not-decodable", None, 4)],
    ),
    "lines that end with CR": (
        b"a\r\r\x81\r",
        LATIN,
        [("not-decodable", None, 3)],
    ),
    "a character of Shift-JIS cut off": (
        b"a\n\x82",
        Reading(encoding="cp932"),
        [("not-decodable", None, 2)],
    ),
    "half a character of UTF-16": (
        b"\xff\xfea\0\n\0\x00\xd8\n\0b",
        Reading(encoding="utf-16-le"),
        [("not-decodable", None, 2), ("not-decodable", None, 3)],
    ),
    "Excel's note": (b"sep=;\r\na;b\r\n", SEMICOLONS, [("sep-line", 1, 1)]),
    "Excel's note with commas": (b"SEP=,\na,b\n", Reading(), [("sep-line", 1, 1)]),
    "quote and comma in a plain cell": (
        b'a;b\n"x\ny";1\n5", thin;2\n',
        SEMICOLONS,
        [("inner-quotes", 3, 4)],
    ),
}


@pytest.mark.parametrize("block", [1, SMALL, 1000])
@pytest.mark.parametrize(("data", "how", "found"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_blocks_with_its_line(
    data: bytes,
    how: Reading | None,
    found: list[tuple[str, int | None, int]],
    block: int,
) -> None:
    result, _, _ = _read(data, how, block=block)
    assert [(f.rule, f.row, f.line) for f in result.findings] == found
    assert {f.level for f in result.findings} == {"blocks"}
    assert result.totals == Counter(rule for rule, _, _ in found)


def test_many_bytes_without_a_meaning_are_counted_and_the_first_1_000_kept() -> None:
    result, _, _ = _read(b"\x81\n" * 1_500, LATIN, block=100)
    assert len(result.findings) == 1_000
    assert result.findings[-1].line == 1_000
    assert result.totals == {"not-decodable": 1_500}


def test_a_byte_without_a_meaning_is_named() -> None:
    [finding] = _read(b"a\n\x81\n", LATIN)[0].findings
    assert finding.message.startswith("Byte 0x81 in line 2 is not valid Windows-")


def test_a_file_of_another_kind_is_refused() -> None:
    result, _, inspection = _read(b"%PDF-1.7")
    [finding] = result.findings
    assert (finding.level, finding.rule) == ("blocks", "not-csv")
    assert finding.message == inspection.refusal


def test_a_cell_without_end_is_let_through_and_told() -> None:
    data = b'a;b\n1;"' + b"x;\n" * 4_000_000
    result, written, _ = _read(data, SEMICOLONS, block=2**20)
    assert written == b'a,b\n1,"' + b"x;\n" * 4_000_000
    [finding] = result.findings
    assert (finding.rule, finding.row, finding.line) == ("long-cell", 2, 2)


def test_a_very_long_cell_that_ends_leaves_the_cells_after_it_right() -> None:
    long = b"y" * 11_000_000
    data = b'a;b\n1;"' + long + b'"\n5", thin;2\n2,5;z\n'
    result, written, _ = _read(data, SEMICOLONS, block=2**20)
    assert written == b'a,b\n1,"' + long + b'"\n"5"", thin",2\n"2,5",z\n'
    assert [(f.rule, f.row) for f in result.findings] == [
        ("long-cell", 2),
        ("inner-quotes", 3),
    ]


def test_the_progress_is_told_and_may_stop_the_work(tmp_path: Path) -> None:
    original = tmp_path / "original"
    original.write_bytes(b"id\r\n" * 5)
    seen: list[tuple[int, int]] = []
    inspection = inspect(original, block=8)
    read(
        original,
        tmp_path / "as-read",
        inspection,
        Reading(),
        progress=lambda done, rows: seen.append((done, rows)),
        block=8,
    )
    assert [done for done, _ in seen] == [8, 16, 20]
    assert sorted(seen) == seen

    def stop(done: int, rows: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        read(original, tmp_path / "b", inspection, Reading(), progress=stop, block=8)


def test_a_reading_is_stored_and_others_are_refused() -> None:
    reading = Reading(encoding="cp932", delimiter="\t", sheet="A")
    assert Reading.from_json(json.loads(json.dumps(reading.as_json()))) == reading
    for wrong in (
        {"encoding": "rot13"},
        {"delimiter": "x"},
        {"delimiter": ""},
        {"x": 1},
    ):
        with pytest.raises(ValueError, match="."):
            Reading.from_json(wrong)  # type: ignore[arg-type]


# Any table, written in any way, comes back.

JAPANESE = "名前テスト―ソ表能"
ALPHABETS = {
    "utf-8": st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff"),
    "utf-16-le": st.characters(
        exclude_categories=["Cs"], exclude_characters="\r\0\ufeff"
    ),
    "utf-16-be": st.characters(
        exclude_categories=["Cs"], exclude_characters="\r\0\ufeff"
    ),
    "cp1252": st.characters(codec="cp1252", exclude_characters="\r\0"),
    "cp932": st.sampled_from(JAPANESE + 'ab ,;"\n|'),
}
HOSTILE = st.sampled_from(
    ['"', ",", ";", "\t", "|", "\n", "a", " ", "\n\n", '""', ";,"]
)


@st.composite
def files(draw: st.DrawFn) -> tuple[list[list[str]], bytes, Reading]:
    """A table, its bytes as some program writes them, and how to read them."""
    encoding = draw(st.sampled_from(sorted(ALPHABETS)))
    delimiter = draw(st.sampled_from(",;\t|"))
    cell = st.lists(ALPHABETS[encoding] | HOSTILE, max_size=6).map("".join)
    width = draw(st.integers(1, 4))
    row = st.lists(cell, min_size=width, max_size=width)
    table = draw(st.lists(row, min_size=1, max_size=6))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # A file whose lines end with CR has no other line ends in its cells.
    inner = "\r" if end == "\r" else draw(st.sampled_from(["\n", "\r\n", "\r"]))
    file = io.StringIO()
    csv.writer(
        file,
        delimiter=delimiter,
        lineterminator=end,
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    ).writerows([[cell.replace("\n", inner) for cell in row] for row in table])
    marks = draw(st.integers(0, 2)) if encoding.startswith("utf") else 0
    data = ("\ufeff" * marks + file.getvalue()).encode(encoding)
    return table, data, Reading(encoding=encoding, delimiter=delimiter)


@settings(deadline=None, max_examples=150)
@given(files(), st.integers(1, 40))
def test_every_table_comes_back(
    file: tuple[list[list[str]], bytes, Reading], block: int
) -> None:
    table, data, reading = file
    result, written, _ = _read(data, reading, block=block)
    text = written.decode()
    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == table
    assert result.findings == []
    assert b"\r" not in written


def _cells(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


SCRAPS = st.sampled_from(
    ["a", '"', '""', ",", ";", "\n", "\r\n", 'a"', ' "', 'x;"y', "é", '"\n']
)


@settings(deadline=None, max_examples=250)
@given(st.lists(SCRAPS, max_size=20).map("".join), st.integers(1, 30))
def test_quotes_at_fault_change_no_cell_and_no_row(text: str, block: int) -> None:
    before = _cells(text.replace("\r\n", "\n"), ";")
    _, written, _ = _read(text.encode(), Reading(delimiter=";"), block=block)
    after = _cells(written.decode(), ",")
    assert _without_tail(after) == _without_tail(before)


# With a comma and a quote inside, and no quote that opens it.
INNER = st.tuples(
    st.text("a, \u00a0\u2003é", min_size=1, max_size=3),
    st.text('a", \u00a0é', max_size=5),
).map(lambda parts: f'{parts[0]}"{parts[1]},')


@settings(deadline=None, max_examples=150)
@given(st.lists(INNER, min_size=1, max_size=6), st.integers(20, 60))
def test_quotes_inside_are_told_by_what_they_can_mean(
    cells: list[str], block: int
) -> None:
    data = "id;a\n" + "".join(f"1;{cell}\n" for cell in cells)
    result, _, _ = _read(data.encode(), SEMICOLONS, block=block)
    rules = {True: INNER_QUOTES, False: "quotes"}
    # A finding's value is its cell.
    assert sorted((f.row, f.rule, f.value) for f in result.findings) == [
        (row, rules[is_plain_inside(cell)], cell)
        for row, cell in enumerate(cells, start=2)
    ]


def test_a_quoted_cell_with_text_behind_is_not_clear() -> None:
    result, _, _ = _read(b'id;a\n1;"x"y, z\n', SEMICOLONS, block=100)
    assert result.totals == {"quotes": 1}


def test_of_very_many_quotes_inside_all_are_counted() -> None:
    data = "id;a\n" + '1;5" x, y\n' * (KEPT + 7) + '1;5"" x, y\n' * 3
    result, _, _ = _read(data.encode(), SEMICOLONS, block=5_000)
    assert result.totals == {INNER_QUOTES: KEPT + 7, "quotes": 3}
    assert len(result.findings) == KEPT + 3


def _without_tail(rows: list[list[str]]) -> list[list[str]]:
    """Leave out empty lines at the end; a cell never closed may end with some."""
    rows = [list(row) for row in rows]
    while rows and not rows[-1]:
        rows.pop()
    if rows:
        rows[-1][-1] = rows[-1][-1].rstrip("\n")
    return rows


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=60)
    | st.lists(SCRAPS, max_size=12).map(lambda s: "".join(s).encode()),
    st.sampled_from(["utf-8", "cp1252", "cp932", "utf-16-le", "gb18030", "utf-32-be"]),
    st.sampled_from(",;\t|"),
    st.integers(1, 20),
)
# Whether a quote is clear is told by the whole row, wherever a block ends.
@example(b'a";b,";x\n', "utf-8", ";", 1)
@example(b'a;b,";c"\n', "utf-8", ";", 7)
def test_no_bytes_make_it_fail_and_blocks_make_no_difference(
    data: bytes, encoding: str, delimiter: str, block: int
) -> None:
    reading = Reading(encoding=encoding, delimiter=delimiter)
    result, written, inspection = _read(data, reading, block=block)
    whole, written_whole, _ = _read(data, reading, block=1000)
    assert written == written_whole
    assert (result.changes, result.findings) == (whole.changes, whole.findings)
    assert all(isinstance(change, Change) and change.what for change in result.changes)
    # The page says of no change that it goes out byte for byte.
    assert result.changes or inspection.refusal or written == data
    if encoding != "utf-8" and not inspection.refusal:
        written.decode()


# How a file begins: its text, the row of the header, and what is read.
BEGINNINGS = {
    "a title": ("Accounts\n\nid,a\n1,x\n", 3, "id,a\n1,x\n"),
    "a title over two lines": ('"A\nb"\nid,a\n1,x\n', 2, "id,a\n1,x\n"),
    "the first row": ("id,a\n1,x\n", 1, "id,a\n1,x\n"),
    "the last row": ("x\nid,a", 2, "id,a\n"),
    "accents": ("Überschrift é\nid,ä\n1,é\n", 2, "id,ä\n1,é\n"),
}
CODECS = ["utf-8", "utf-8-sig", "cp1252", "utf-16-le", "utf-16", "utf-32", "utf-16-be"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    ("text", "begin", "wanted"), BEGINNINGS.values(), ids=BEGINNINGS
)
def test_a_file_begins_where_its_header_is(
    text: str, begin: int, wanted: str, codec: str, end: str
) -> None:
    data = text.replace("\n", end).encode(codec)
    marked = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
    reading = Reading(encoding=marked.get(codec, codec), begin=begin)
    result, written, _ = _read(data, reading)
    assert written.decode() == wanted
    assert result.findings == []
    above = [change for change in result.changes if "above" in change.what]
    assert [change.count for change in above] == ([begin - 1] if begin > 1 else [])


def test_excels_note_is_not_sent() -> None:
    result, written, _ = _read(b"SEP=;\r\nid;a\r\n1;x\r\n")
    assert (written, result.findings) == (b"id,a\n1,x\n", [])


@pytest.mark.parametrize("begin", [4, 1_000])
def test_a_row_that_is_not_there_is_told(begin: int) -> None:
    result, _, _ = _read(b"x\nid,a\n1,x\n", Reading(begin=begin))
    assert [(f.level, f.rule) for f in result.findings] == [("blocks", "no-header")]


@pytest.mark.parametrize("begin", [0, -1, 1_001, True, "2", None])
def test_a_row_to_begin_with_is_a_number(begin: object) -> None:
    with pytest.raises(ValueError, match="rows 1 to"):
        Reading.from_json({"begin": begin})
