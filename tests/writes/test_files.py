"""Checking a file: everything that is wrong is found, and nothing else is changed."""

import csv
import hashlib
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from writes.files import KEPT_PER_RULE, PREVIEW_ROWS, Check, check

BOM = b"\xef\xbb\xbf"
LARGEST = 10_485_760
DATA = Path(__file__).parents[3] / "shared" / "data"

# What is wrong with the file: bytes, and (rule, row, line, column) of each finding.
BLOCKED = {
    "empty": (b"", [("empty", None, None, None)]),
    "only a byte order mark": (BOM, [("empty", None, None, None)]),
    "only line ends": (b"\r\n\n", [("empty", None, None, None)]),
    "header only": (b"id,a\n", [("no-rows", None, None, None)]),
    "header only, no line end": (b"id,a", [("no-rows", None, None, None)]),
    "blank line inside": (b"id,a\n1,x\n\n2,y\n", [("empty-row", 3, 3, None)]),
    "blank line in one column": (b"id\n1\n\n2\n", [("empty-row", 3, 3, None)]),
    "row too short": (b"id,a\n1\n", [("ragged-row", 2, 2, None)]),
    "row too long": (b"id,a\n1,x,y\n", [("ragged-row", 2, 2, None)]),
    "line of spaces": (b"id,a\n  \n", [("ragged-row", 2, 2, None)]),
    "blank column": (b"id,,a\n1,x,y\n", [("blank-column", 1, 1, "#2")]),
    "column of spaces": (b"id,  \n1,x\n", [("blank-column", 1, 1, "  ")]),
    "repeated column": (b"id,a,a\n1,x,y\n", [("repeated-column", 1, 1, "a")]),
    "repeated in other case": (b"id,a,A\n1,x,y\n", [("repeated-column", 1, 1, "A")]),
    "spaces at a name": (b"id, a\n1,x\n", [("column-spaces", 1, 1, " a")]),
    "key missing": (b"x,a\n1,x\n", [("key-missing", 1, 1, None)]),
    "semicolons": (b"id;a\n1;x\n", [("key-missing", 1, 1, None)]),
    "key blank": (b"id,a\n,x\n", [("blank-key", 2, 2, "id")]),
    "key of spaces": (b"id,a\n\xc2\xa0 ,x\n", [("blank-key", 2, 2, "id")]),
    "key repeated": (b"id,a\n1,x\n2,x\n1,y\n", [("repeated-key", 4, None, "id")]),
    "stray quote": (b'id,a\n1,x"y\n', [("quotes", 2, 2, None)]),
    "quote never closed": (b'id,a\n1,x\n2,"y\n3,z\n', [("quotes", 3, None, None)]),
    "quote never closed in the header": (b'"id,a\n', [("quotes", 1, None, None)]),
    "text after a quote": (b'id,a\n1,"x"y\n', [("quotes", 2, None, None)]),
    "NUL": (b"id,a\n1,\0\n", [("nul", 2, 2, None)]),
    "not UTF-8": (
        b"id,a\n1,\xe9\n2,x\n3,\xff\n",
        [("not-utf-8", None, 2, None), ("not-utf-8", None, 4, None)],
    ),
    "not UTF-8, with CR": (b"id,a\r1,\xe9\r", [("not-utf-8", None, 2, None)]),
    "half a surrogate pair": (b"id\n\xed\xa0\x80\n", [("not-utf-8", None, 2, None)]),
    "UTF-16": ("id,a\n1,x\n".encode("utf-16"), [("not-csv", None, None, None)]),
    "workbook": (b"PK\x03\x04\x14", [("not-csv", None, None, None)]),
    "old workbook": (b"\xd0\xcf\x11\xe0", [("not-csv", None, None, None)]),
    "PDF": (b"%PDF-1.7", [("not-csv", None, None, None)]),
    "CR outside quotes": (
        b"id,a\n1,x\ry\n",
        [("lone-cr", None, 2, None), ("lone-cr", 2, None, None)],
    ),
    "CR before CRLF": (b"id,a\r\n1,x\r\r\n", [("lone-cr", None, 2, None)]),
    "rows and lines apart": (
        b'id,a\n1,"x\ny"\n2\n1,z\n',
        [
            ("ragged-row", 3, 4, None),
            ("repeated-key", 4, None, "id"),
        ],
    ),
    "all at once": (
        b'id,a,a\n,x,y\n1,x\n2,x"y,z\n',
        [
            ("repeated-column", 1, 1, "a"),
            ("blank-key", 2, 2, "id"),
            ("ragged-row", 3, 3, None),
            ("quotes", 4, 4, None),
        ],
    ),
}


@pytest.mark.parametrize(("data", "found"), BLOCKED.values(), ids=BLOCKED)
def test_what_is_wrong_is_found_where_it_is(
    data: bytes, found: list[tuple[str, int | None, int | None, str | None]]
) -> None:
    result = check(data, primary_key="id")
    where = [(f.rule, f.row, f.line, f.column) for f in result.findings]
    assert sorted(where, key=str) == sorted(found, key=str)
    assert result.blocks
    assert all(finding.message for finding in result.findings)


# What is converted: bytes, the bytes sent, and the counts that are told.
CONVERTED = {
    "nothing": (b"id,a\n1,x\n", b"id,a\n1,x\n", []),
    "no line end at the end": (b"id,a\n1,x", b"id,a\n1,x\n", []),
    "byte order mark": (BOM + b"id\n1\n", b"id\n1\n", ["byte order mark"]),
    "two byte order marks": (BOM + BOM + b"id\n1\n", b"id\n1\n", ["byte order"]),
    "CRLF": (b"id,a\r\n1,x\r\n", b"id,a\n1,x\n", ["2 line ends CRLF"]),
    "CRLF and LF": (b"id,a\r\n1,x\n", b"id,a\n1,x\n", ["1 line end CRLF"]),
    "CRLF in a cell": (
        b'id,a\r\n1,"x\r\ny"\r\n',
        b'id,a\n1,"x\ny"\n',
        ["3 line ends CRLF"],
    ),
    "CR alone": (b"id,a\r1,x\r", b"id,a\n1,x\n", ["2 line ends CR"]),
    "CR in a cell": (b'id,a\n1,"x\ry"\n', b'id,a\n1,"x\ny"\n', ["1 CR inside"]),
    "empty lines at the end": (b"id\n1\n\n\n", b"id\n1\n", ["2 empty lines"]),
    "one empty line, CRLF": (
        b"id\r\n1\r\n\r\n",
        b"id\n1\n",
        ["3 line ends CRLF", "1 empty line"],
    ),
    "one column": (b"id\n1\n2\n", b"id\n1\n2\n", []),
    "line separators of Unicode": (
        "id,a\n1,x\u2028\x85\x0by\n".encode(),
        "id,a\n1,x\u2028\x85\x0by\n".encode(),
        [],
    ),
}


@pytest.mark.parametrize(("data", "sent", "told"), CONVERTED.values(), ids=CONVERTED)
def test_only_what_changes_no_value_is_converted_and_it_is_told(
    data: bytes, sent: bytes, told: list[str]
) -> None:
    result = check(data, primary_key="id")
    assert result.findings == []
    assert result.as_sent == sent
    assert len(result.conversions) == len(told)
    for sentence, words in zip(result.conversions, told, strict=True):
        assert words in sentence


def test_the_digests_are_of_the_upload_and_of_what_is_sent() -> None:
    data = BOM + b"id\r\n1\r\n"
    result = check(data, primary_key="id")
    assert result.original_sha256 == hashlib.sha256(data).hexdigest()
    assert result.as_sent_sha256 == hashlib.sha256(b"id\n1\n").hexdigest()
    assert result.original_size == len(data)
    assert result.as_json()["as_sent_size"] == 5


def test_a_key_in_another_case_is_sent_as_the_header_spells_it() -> None:
    result = check(b"ID,a\n1,x\n", primary_key="id")
    assert [(f.level, f.rule) for f in result.findings] == [("warns", "key-case")]
    assert not result.blocks
    assert result.key == "ID"


def test_every_row_of_a_repeated_key_is_named() -> None:
    result = check(b"id,a\n1,x\n2,x\n1,y\n1,z\n", primary_key="id")
    [finding] = result.findings
    assert "rows 2, 4, 5." in finding.message


def test_many_rows_of_a_repeated_key_are_counted() -> None:
    result = check(b"id\n" + b"1\n" * 1500, primary_key="id")
    [finding] = result.findings
    assert "and 1,490 more" in finding.message


def test_keys_that_differ_in_case_or_spaces_are_not_called_repeated() -> None:
    assert not check(b"id\na\nA\n a\n", primary_key="id").blocks


def test_findings_beyond_those_kept_are_counted() -> None:
    result = check(b"id,a\n" + b",x\n" * 120 + b"1\n" * 3, primary_key="id")
    assert result.totals == {"blank-key": 120, "ragged-row": 3}
    assert len(result.findings) == KEPT_PER_RULE + 3
    assert result.not_shown() == 120 - KEPT_PER_RULE


def test_other_separators_are_guessed() -> None:
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "pipes")):
        data = f"id{separator}a\n1{separator}x\n".encode()
        [finding] = check(data, primary_key="id").findings
        assert name in finding.message


def test_a_cr_outside_quotes_is_not_called_a_fault_of_quotes() -> None:
    messages = [f.message for f in check(b"id,a\r1,x\n", primary_key="id").findings]
    assert all("carriage return" in message for message in messages)


@pytest.mark.parametrize(("extra", "blocks"), [(0, False), (1, True)])
def test_the_limit_is_10_mib_of_what_is_sent(extra: int, blocks: bool) -> None:
    head = b"id,a\n1,"
    data = head + "ü".encode() * ((LARGEST - len(head) - 1) // 2)
    data += b"x" * (LARGEST - len(data) - 1 + extra) + b"\n"
    assert len(data) == LARGEST + extra
    result = check(data, primary_key="id")
    assert result.blocks == blocks
    assert [f.rule for f in result.findings] == ["too-big"] * extra


def test_a_file_that_shrinks_to_the_limit_is_sound() -> None:
    data = b'id,a\r\n1,"' + b"\r\n" * (LARGEST - 10) + b'"\r\n'
    assert len(data) > LARGEST
    assert not check(data, primary_key="id").blocks


def test_a_very_long_cell_of_carriage_returns_is_read_in_one_pass() -> None:
    result = check(b'id,a\n1,"' + b"\r" * 3_000_000 + b'"\n', primary_key="id")
    assert not result.blocks
    assert "3,000,000 CR" in result.conversions[0]


def test_the_preview_shows_the_first_rows() -> None:
    result = check(b"id\n" + b"".join(b"%d\n" % n for n in range(9)), primary_key="id")
    assert result.preview == [[str(n)] for n in range(PREVIEW_ROWS)]
    assert result.rows == 9


SCRAPS = st.sampled_from(["id", "a", ",", '"', "\n", "\r", "\r\n", "\0", "ü", "\ufeff"])


@settings(deadline=None)
@given(st.binary() | st.lists(SCRAPS).map(lambda parts: "".join(parts).encode()))
def test_no_bytes_make_it_fail_and_findings_lie_in_the_file(data: bytes) -> None:
    result = check(data, primary_key="id")
    lines = len(data.splitlines()) + 1
    for finding in result.findings:
        assert 1 <= (finding.row or 1) <= lines
        assert 1 <= (finding.line or 1) <= lines
    assert (result.as_sent_sha256 == "") == (result.as_sent == b"")
    if not result.blocks:
        assert b"\r" not in result.as_sent
        assert not result.as_sent.startswith(BOM)


def _printed(table: list[list[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(table)
    return file.getvalue()


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"))


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    """Tables that nothing is wrong with, however hostile their cells are."""
    width = draw(st.integers(0, 3))
    header = ["id", *(f"c{number}" for number in range(width))]
    keys = draw(st.lists(TEXT.filter(str.strip), min_size=1, max_size=5, unique=True))
    return [header, *([key, *(draw(TEXT) for _ in range(width))] for key in keys)]


@settings(deadline=None)
@given(tables())
def test_a_sound_table_is_sent_as_it_is(table: list[list[str]]) -> None:
    text = _printed(table)
    result = check(text.encode(), primary_key="id")
    assert not result.findings
    assert result.as_sent == text.encode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == table
    assert result.rows == len(table) - 1
    with_crlf = text.replace("\n", "\r\n").encode()
    assert check(with_crlf, primary_key="id").as_sent == result.as_sent


def _real(name: str, primary_key: str) -> Check:
    path = DATA / name
    if not path.exists() and os.environ.get("CI") != "true":
        pytest.skip(f"{path} is not here")
    return check(path.read_bytes(), primary_key=primary_key)


@pytest.mark.parametrize(
    ("name", "rows"),
    [("opportunities.csv", 3000), ("opportunities-partial-failure.csv", 8)],
)
def test_the_real_opportunities_are_sound(name: str, rows: int) -> None:
    result = _real(name, "external_id__c")
    assert result.findings == []
    assert result.rows == rows


def test_the_real_accounts_are_told_not_to_be_utf_8_line_by_line() -> None:
    result = _real("accounts.csv", "ORACLE_ID__C")
    assert {finding.rule for finding in result.findings} == {"not-utf-8"}
    lines = (DATA / "accounts.csv").read_bytes().split(b"\n")
    for finding in result.findings:
        assert finding.line is not None
        assert max(lines[finding.line - 1]) > 127
        assert f"line {finding.line} is not UTF-8" in finding.message
        assert "Save As" in finding.message
