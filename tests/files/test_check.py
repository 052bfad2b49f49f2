"""Checking a file as it would be sent: everything that is wrong is found, and said."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from files.checking.check import check
from files.checking.records import UNCHECKED
from files.field import Field
from files.findings import KEPT_PER_GROUP, PREVIEW_ROWS, Finding, Report
from files.values.placeholders import placeholder
from tests.files.corpus import DAMAGE, FIELDS, plain_rows
from tests.texts import numbers, quoted

Where = tuple[str, int | None, int | None, str | None]


def checked(tmp_path: Path, data: bytes, **how: Any) -> tuple[Report, list[Finding]]:
    """Return the report of a check by the key `id`, and all its findings."""
    path = tmp_path / "sent.csv"
    path.write_bytes(data)
    findings: list[Finding] = []
    report = Report(sink=findings.append, origin=how.pop("origin", None))
    result = check(path, **{"key": "id", **how}, report=report)
    assert result is report
    return report, findings


# What is wrong with a file, and (rule, row, line, column) of each finding that blocks.
BLOCKED: dict[str, tuple[bytes, list[Where]]] = {
    "empty": (b"", [("empty", None, None, None)]),
    "only line ends": (b"\n\n", [("empty", None, None, None)]),
    "header only": (b"id,a\n", [("no-rows", None, None, None)]),
    "header only, no line end": (b"id,a", [("no-rows", None, None, None)]),
    "no header": (b"\nid,a\n1,x\n", [("title-rows", 2, 2, None)]),
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
    "byte order mark": (
        b"\xef\xbb\xbfa,id\n1,x\n",
        [("column-spaces", 1, 1, "\ufeffa")],
    ),
    "key missing": (b"x,a\n1,x\n", [("key-missing", 1, 1, None)]),
    "key blank": (b"id,a\n,x\n", [("blank-key", 2, 2, "id")]),
    "key of spaces": (b"id,a\n\xc2\xa0 ,x\n", [("blank-key", 2, 2, "id")]),
    "key of #N/A": (b"id,a\n#N/A,x\n", [("blank-key", 2, 2, "id")]),
    "key with spaces": (b"id,a\n1 ,x\n", [("key-spaces", 2, 2, "id")]),
    "key repeated": (
        b"id,a\n1,x\n2,x\n1,y\n",
        [("repeated-key", 2, 2, "id"), ("repeated-key", 4, 4, "id")],
    ),
    "stray quote": (b'id,a\n1,x"y\n', [("inner-quotes", 2, 2, "a")]),
    "stray quotes around a comma": (
        b'id,a,b\n1,x "y, z" w\n2,24",36"\n',
        [
            ("quotes", 2, 2, None),
            ("inner-quotes", 3, 3, "a"),
            ("inner-quotes", 3, 3, "b"),
        ],
    ),
    "quote after a space": (b'id,a\n1, "x"\n', [("quotes", 2, 2, None)]),
    "doubled quote in no quotes": (b'id,a\n1,x""y\n', [("quotes", 2, 2, None)]),
    "quotes read in two ways": (
        b'id,a,b\nx"y,"z,w,k",v"u\n',
        [("quotes", 2, 2, None)],
    ),
    "stray quotes go on": (
        b'id,a\n1,x"y\n2,5"\n3\n',
        [
            ("inner-quotes", 2, 2, "a"),
            ("inner-quotes", 3, 3, "a"),
            ("ragged-row", 4, 4, None),
        ],
    ),
    "quote never closed": (b'id,a\n1,x\n2,"y\n3,z\n', [("unreadable", 3, 3, None)]),
    "second quote never closed": (
        b'id,a\n"1\n2","y\n3,z\n',
        [("unreadable", 2, 3, None)],
    ),
    "quote never closed in the header": (b'"id,a\n', [("unreadable", 1, 1, None)]),
    "text after a quote": (b'id,a\n1,"x"y\n', [("unreadable", 2, 2, None)]),
    "NUL": (b"id,a\n1,\0\n", [("nul", 2, 2, None)]),
    "not UTF-8": (
        b"id,a\n1,\xe9\n2,x\n3,\xff\n",
        [("not-utf-8", 2, 2, None), ("not-utf-8", 4, 4, None)],
    ),
    "not UTF-8 in two lines of a cell": (
        b'id,a\n1,"\xe9\n\xe9\nx"\n',
        [("not-utf-8", 2, 2, None), ("not-utf-8", 2, 3, None)],
    ),
    "half a surrogate pair": (b"id\n\xed\xa0\x80\n", [("not-utf-8", 2, 2, None)]),
    "CR outside quotes": (
        b"id,a\n1,x\ry\n2\n",
        [
            ("lone-cr", 2, 2, None),
            ("ragged-row", 3, 3, None),
        ],
    ),
    "CRLF": (b"id,a\n1,x\r\n", [("lone-cr", 2, 2, None)]),
    "CRLF in a cell": (b'id,a\n1,"x\r\ny"\n', [("lone-cr", 2, 2, None)]),
    "rows and lines apart": (
        b'id,a\n1,"x\ny"\n2\n1,z\n',
        [
            ("ragged-row", 3, 4, None),
            ("repeated-key", 2, 2, "id"),
            ("repeated-key", 4, 5, "id"),
        ],
    ),
    "header over three lines": (
        b'id,"a\nb\nc"\n1\n',
        [("ragged-row", 2, 4, None)],
    ),
    "all at once": (
        b'id,a,a\n,x,y\n1,x\n2,x"y,z\n',
        [
            ("repeated-column", 1, 1, "a"),
            ("blank-key", 2, 2, "id"),
            ("ragged-row", 3, 3, None),
            ("inner-quotes", 4, 4, "a"),
        ],
    ),
}


@pytest.mark.parametrize("engine", ["exact", "fast"])
@pytest.mark.parametrize(("data", "wanted"), BLOCKED.values(), ids=BLOCKED)
def test_what_is_wrong_is_found_where_it_is(
    data: bytes, wanted: list[Where], engine: str, tmp_path: Path
) -> None:
    report, findings = checked(tmp_path, data, engine=engine)
    blocking = [f for f in findings if f.level == "blocks"]
    assert [(f.rule, f.row, f.line, f.column) for f in blocking] == wanted
    assert report.blocks
    assert all(f.message and "{" not in f.message for f in findings)


@pytest.mark.parametrize(
    ("length", "rules"), [(131_072, set()), (131_073, {"long-cell"})]
)
def test_a_cell_has_a_limit(length: int, rules: set[str], tmp_path: Path) -> None:
    data = b"id,a\n1," + "ü".encode() * length + b"\n"
    assert {f.rule for f in checked(tmp_path, data)[1]} == rules


@pytest.mark.parametrize(
    ("length", "rules"), [(400_000, set()), (400_001, {"long-row"})]
)
def test_a_row_has_a_limit(length: int, rules: set[str], tmp_path: Path) -> None:
    cells = ["1", *["x" * 100_000] * 3]
    cells.append("y" * (length - len(",".join(cells)) - 1))
    data = ("id,a,b,c,d\n" + ",".join(cells) + "\n").encode()
    assert {f.rule for f in checked(tmp_path, data)[1]} == rules


@pytest.mark.parametrize(
    ("length", "rules"), [(32_000, set()), (32_001, {"long-header"})]
)
def test_a_header_has_a_limit(length: int, rules: set[str], tmp_path: Path) -> None:
    names = [f"{number:0159}" for number in range(length // 160 - 1)]
    rest = length - 4 - len(",".join(names))
    names.append("x" * rest)
    data = f"id,{','.join(names)}\n1{',x' * len(names)}\n".encode()
    assert {f.rule for f in checked(tmp_path, data)[1]} == rules


@pytest.mark.parametrize(("length", "rules"), [(255, set()), (256, {"long-name"})])
def test_a_name_has_a_limit(length: int, rules: set[str], tmp_path: Path) -> None:
    data = f"id,{'a' * length}\n1,x\n".encode()
    assert {f.rule for f in checked(tmp_path, data)[1]} == rules


@pytest.mark.parametrize(("width", "found"), [(5_000, False), (5_001, True)])
def test_columns_have_a_limit(width: int, found: bool, tmp_path: Path) -> None:
    names = ",".join(["id", *(f"{n}" for n in range(1, width))])
    data = f"{names}\n1{',' * (width - 1)}\n".encode()
    rules = {f.rule for f in checked(tmp_path, data)[1]}
    assert ("too-many-columns" in rules) == found


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(tmp_path: Path) -> None:
    data = b'id,a\n1,"x\n' + b"2,y\n" * 1_500_000
    report, [finding] = checked(tmp_path, data)
    assert (finding.rule, finding.row, finding.line) == ("unreadable", 2, 2)
    assert numbers(finding.message) == [4_000_000]
    assert UNCHECKED in finding.message
    assert report.rows == 0


def test_a_file_without_line_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    data = b"id,a\n" + b"1,x;" * 1_100_000
    [finding] = checked(tmp_path, data)[1]
    assert (finding.rule, finding.row, finding.line) == ("unreadable", 2, 2)


def test_rows_below_an_unreadable_quote_are_said_not_to_be_checked(
    tmp_path: Path,
) -> None:
    report, [finding] = checked(tmp_path, b'id,a\n1,x\n2,"x"y\n3\n')
    assert finding.rule == "unreadable"
    assert UNCHECKED in finding.message
    assert report.rows == 1


def test_a_sound_file_has_no_findings(tmp_path: Path) -> None:
    data = b"".join(plain_rows())
    for engine in ("exact", "fast"):
        report, findings = checked(tmp_path, data, engine=engine, block=64)
        assert findings == []
        assert not report.blocks
        assert report.rows == 24
        assert report.columns == ["id", "name", "notes"]
        assert report.key == "id"


def test_a_warning_does_not_hide_what_blocks_by_the_same_rule(tmp_path: Path) -> None:
    data = b"id,name,tier\n1,x,gold\n2,y,Lead\n"
    for engine in ("exact", "fast"):
        report, _ = checked(tmp_path, data, fields=FIELDS, engine=engine)
        assert report.blocks
        assert [(g.level, g.rule, g.total) for g in report.ordered()] == [
            ("blocks", "picklist", 1),
            ("warns", "picklist", 1),
        ]


def test_a_key_in_another_case_warns(tmp_path: Path) -> None:
    report, [finding] = checked(tmp_path, b"ID,a\n1,x\n")
    assert (finding.level, finding.rule) == ("warns", "key-case")
    assert report.key == "ID"


def test_other_separators_are_guessed(tmp_path: Path) -> None:
    for separator, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "pipes")):
        data = f"id{separator}a\n1{separator}x\n".encode()
        assert name in checked(tmp_path, data)[1][0].message


def test_every_row_of_a_repeated_key_is_told_and_lists_the_others(
    tmp_path: Path,
) -> None:
    _, findings = checked(tmp_path, b"id,a\n1,x\n2,x\n1,y\n1,z\n")
    assert [f.row for f in findings] == [2, 4, 5]
    assert all(numbers(f.message)[-3:] == [2, 4, 5] for f in findings)


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_many_rows_of_a_repeated_key_are_counted(engine: str, tmp_path: Path) -> None:
    report, findings = checked(tmp_path, b"id\n" + b"1\n" * 1500, engine=engine)
    assert len(findings) == 1500
    assert numbers(findings[-1].message)[-11:] == [*range(2, 12), 1_490]
    [group] = report.groups.values()
    assert group.total == 1500
    assert len(group.first) == KEPT_PER_GROUP


def test_keys_that_differ_by_case_warn(tmp_path: Path) -> None:
    _, findings = checked(tmp_path, b"id\nab\nx\nAB\n")
    assert [(f.level, f.rule, f.row) for f in findings] == [
        ("warns", "key-twins", 2),
        ("warns", "key-twins", 4),
    ]
    assert quoted(findings[0].message)[-2:] == ["ab", "AB"]
    assert numbers(findings[0].message)[-2:] == [2, 4]


def test_the_case_of_salesforce_ids_counts(tmp_path: Path) -> None:
    data = b"Id\n001xx000003DGbY\n001xx000003dGbY\n"
    for fields in ((Field(name="Id", type="id"),), ()):
        assert checked(tmp_path, data, key="Id", fields=fields)[1] == []


def test_blanks_nulls_and_spaces_are_counted_by_column_at_the_end(
    tmp_path: Path,
) -> None:
    data = b"id,a,b\n1,,x\n2,#N/A,y \n3,,\n4,#N/A, z\n4,x,y\n"
    for engine in ("exact", "fast"):
        _, findings = checked(tmp_path, data, engine=engine)
        notes = [(f.rule, f.row, f.column) for f in findings[2:]]
        assert notes == [
            ("blanks", 2, "a"),
            ("nulls", 3, "a"),
            ("blanks", 4, "b"),
            ("cell-spaces", 3, "b"),
        ]
        assert [numbers(f.message) for f in findings[2:]] == [[2], [2], [1], [2]]
        assert {f.level for f in findings[2:]} == {"notes"}


# Against declared fields: (header, row) and (level, rule, column) of each finding.
DECLARED: dict[str, tuple[str, str, list[tuple[str, str, str]]]] = {
    "all known": ("id,name,day", "1,Ann,2024-12-31", []),
    "in another case": ("id,NAME,Day", "1,Ann,2024-12-31", []),
    "unknown": ("id,name,nmae", "1,x,y", [("blocks", "unknown-column", "nmae")]),
    "unknown key": (
        "Key__c,name",
        "1,x",
        [("blocks", "unknown-column", "Key__c")],
    ),
    "read-only": (
        "id,name,made",
        "1,x,y",
        [
            ("blocks", "read-only-column", "made"),
            ("blocks", "date-time", "made"),
        ],
    ),
    "required missing": (
        "id,day",
        "1,2024-12-31",
        [("warns", "missing-column", "name")],
    ),
    "required blank": (
        "id,name",
        "1,",
        [
            ("warns", "required-blank", "name"),
            ("notes", "blanks", "name"),
        ],
    ),
    "required cleared": (
        "id,name",
        "1,#N/A",
        [
            ("warns", "required-blank", "name"),
            ("notes", "nulls", "name"),
        ],
    ),
    "relationship": ("id,name,Owner.Email", "1,x,a@example.com", []),
    "shortened relationship": (
        "id,name,Owner.Email",
        "1,x,1.2E+17",
        [("warns", "scientific", "Owner.Email")],
    ),
    "unknown relationship": (
        "id,name,Boss.Email",
        "1,x,y",
        [("blocks", "unknown-column", "Boss.Email")],
    ),
    "wrong value": ("id,name,day", "1,x,12/31/2024", [("blocks", "date", "day")]),
    "value with spaces": (
        "id,name,day",
        "1,x, 2024-12-31",
        [
            ("blocks", "date", "day"),
            ("notes", "cell-spaces", "day"),
        ],
    ),
    "key too long": ("id,name", "1234567890123,x", [("blocks", "too-long", "id")]),
}


@pytest.mark.parametrize("engine", ["exact", "fast"])
@pytest.mark.parametrize(("header", "row", "wanted"), DECLARED.values(), ids=DECLARED)
def test_columns_are_checked_against_the_fields(
    header: str,
    row: str,
    wanted: list[tuple[str, str, str]],
    engine: str,
    tmp_path: Path,
) -> None:
    key = header.partition(",")[0]
    data = f"{header}\n{row}\n".encode()
    _, findings = checked(tmp_path, data, key=key, fields=FIELDS, engine=engine)
    assert [(f.level, f.rule, f.column) for f in findings] == wanted


def test_a_near_name_is_suggested_for_an_unknown_column(tmp_path: Path) -> None:
    [finding] = checked(tmp_path, b"id,name,amout\n1,x,2\n", fields=FIELDS)[1]
    assert (finding.rule, finding.column) == ("unknown-column", "amout")
    assert re.search(r"\bamount\b", finding.message)


def test_without_a_field_list_values_only_warn(tmp_path: Path) -> None:
    rows = b"".join(b"%d,2024-12-31\n" % n for n in range(30)) + b"x,12/31/2024\n"
    for engine in ("exact", "fast"):
        report, [finding] = checked(tmp_path, b"id,day\n" + rows, engine=engine)
        assert (finding.level, finding.rule, finding.row) == ("warns", "date", 32)
        assert finding.value == "12/31/2024"
        assert not report.blocks


def test_a_field_is_inferred_from_the_first_rows_alone(tmp_path: Path) -> None:
    texts = b"".join(b"%d,some text\n" % n for n in range(1_000))
    dates = b"".join(b"%d,2024-12-31\n" % n for n in range(1_000, 20_000))
    assert checked(tmp_path, b"id,day\n" + texts + dates)[1] == []


class Shifted:
    """An origin whose rows lie 100 lower than those of the mended file."""

    def row(self, row: int) -> int:
        """Return the row of the original."""
        return row + 100

    def line(self, row: int, line: int) -> int:
        """Return the line of the original."""
        return line + 1_000


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_rows_and_lines_are_those_of_the_original(engine: str, tmp_path: Path) -> None:
    data = b"id,a\n1,x\n1,y\n,z\n"
    _, findings = checked(tmp_path, data, origin=Shifted(), engine=engine)
    assert [(f.row, f.line) for f in findings] == [
        (104, 1_004),
        (102, 1_002),
        (103, 1_003),
    ]
    assert 104 in numbers(findings[0].message)
    assert numbers(findings[1].message)[-2:] == [102, 103]


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_progress_is_told_and_may_stop_the_work(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "sent.csv"
    path.write_bytes(
        b"id,a\n" + b"".join(b"%d,some text\n" % n for n in range(200_000))
    )
    told: list[tuple[int, int]] = []
    check(path, key="id", engine=engine, progress=lambda *done: told.append(done))  # type: ignore[arg-type]
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1][0] == path.stat().st_size

    def stop(_bytes: int, _rows: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        check(path, key="id", engine=engine, progress=stop)  # type: ignore[arg-type]


def test_what_is_told_can_be_stored_as_text(tmp_path: Path) -> None:
    """Surrogates and NUL can neither be encoded nor kept by PostgreSQL."""
    data = b"id,a\xff\n\xfe,x\0y\n\xfe,2\n" + b"".join(DAMAGE.values())
    for fields in ((), FIELDS):
        report, findings = checked(tmp_path, data, fields=fields)
        texts = [*report.columns, *(text for row in report.preview for text in row)]
        for finding in findings:
            texts += [finding.message, finding.column or "", finding.value or ""]
        for text in texts:
            assert "\0" not in text
            text.encode()


def test_the_preview_shows_the_first_rows(tmp_path: Path) -> None:
    data = b"id\n" + b"".join(b"%d\n" % n for n in range(9))
    for engine in ("exact", "fast"):
        report, _ = checked(tmp_path, data, engine=engine, block=4)
        assert report.preview == [[str(n)] for n in range(PREVIEW_ROWS)]
        assert report.rows == 9


SCRAPS = st.sampled_from(["id", "a", ",", '"', "\n", "\r", "\r\n", "\0", "ü", "\ufeff"])


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.lists(SCRAPS).map(lambda parts: "".join(parts).encode()))
def test_no_bytes_make_it_fail_and_findings_lie_in_the_file(
    tmp_path: Path, data: bytes
) -> None:
    lines = data.count(b"\n") + 1
    for finding in checked(tmp_path, data)[1]:
        assert 1 <= (finding.row or 1) <= lines
        assert (finding.row or 1) <= (finding.line or lines) <= lines


TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")
).filter(lambda text: placeholder(text.strip()) != "error")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_nothing_blocks_a_sound_table(
    tmp_path: Path, rows: list[tuple[str, str]]
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([("id", "a", "b"), *((n, *row) for n, row in enumerate(rows))])
    report, _ = checked(tmp_path, file.getvalue().encode())
    assert not report.blocks
    assert report.rows == len(rows)


TITLES = {
    "a title and a blank line": (b"Accounts by owner\n\nid,a\n1,x\n", 3),
    "a blank line": (b"\nid,a\n1,x\n", 2),
    "blank cells": (b",\n,\nid,a\n1,x\n", 3),
    "filters": (b"Report,\nFilter,Owner\nSort,a\na,ID\nx,1\n", 4),
    "characters that nobody sees": ("Title\n\ufeffid,a\n1,x\n".encode(), 2),
}

NO_RECORDS = {
    "the header again": (b"id,name\n1,x\nid,name\n2,y\n", "repeated-header", 3),
    "in capitals": (b"id,name\n1,x\nID,NAME\n2,y\n", "repeated-header", 3),
    "labels below names": (b"id,name\nRecord number,x\n2,y\n", "repeated-header", 2),
    "names before mending": (b"id,name\n1,x\nNr,name\n2,y\n", "repeated-header", 3),
    "a total": (b"id,name\n1,x\nTotal,\n", "report-end", 3),
    "a total with its count": (b"id,name\n1,x\nGrand Total (2),y\n", "report-end", 3),
    "a sum in German": (b"id,name\n1,x\nSumme:,y\n", "report-end", 3),
    "copyright": (b"id,name\n1,x\nCopyright (c) 2000-2024 x,\n", "report-end", 3),
    "confidential": (
        b"id,name\n1,x\nConfidential Information - Do Not Distribute,\n",
        "report-end",
        3,
    ),
    "who made it": (
        b'id,name\n1,x\n"Generated By: A B 1/2/2024 5:00 PM",\n',
        "report-end",
        3,
    ),
}


@pytest.mark.parametrize("engine", ["exact", "fast"])
@pytest.mark.parametrize(("data", "row"), TITLES.values(), ids=TITLES)
def test_a_title_above_the_header_is_all_that_is_told(
    data: bytes, row: int, engine: str, tmp_path: Path
) -> None:
    _, findings = checked(tmp_path, data, engine=engine)
    assert [(f.level, f.rule, f.row) for f in findings] == [
        ("blocks", "title-rows", row)
    ]


def test_the_label_of_the_key_tells_its_row_too(tmp_path: Path) -> None:
    fields = (Field(name="Ext__c", label="External Id"), Field(name="Name"))
    data = b"Report\nExternal Id,Name\n1,x\n"
    _, findings = checked(tmp_path, data, key="Ext__c", fields=fields)
    assert [(f.rule, f.row) for f in findings] == [("title-rows", 2)]


def test_a_value_that_is_called_like_the_key_is_no_header(tmp_path: Path) -> None:
    report, _ = checked(tmp_path, b"id,a\nid,a\n1,x\n")
    assert "title-rows" not in {group.rule for group in report.ordered()}


@pytest.mark.parametrize("engine", ["exact", "fast"])
@pytest.mark.parametrize(("data", "rule", "row"), NO_RECORDS.values(), ids=NO_RECORDS)
def test_a_row_that_is_no_record_is_told(
    data: bytes, rule: str, row: int, engine: str, tmp_path: Path
) -> None:
    fields = [Field(name="id", label="Record Number"), Field(name="name")]
    _, findings = checked(
        tmp_path, data, engine=engine, fields=fields, key_names=["Nr"]
    )
    assert [(f.rule, f.row, f.column) for f in findings if f.level != "notes"] == [
        (rule, row, "id")
    ]


@pytest.mark.parametrize(
    "key", ["Totally", "Total SE", "Summer", "1 total", "Copyright Office", "identity"]
)
def test_a_key_that_only_begins_so_is_a_record(key: str, tmp_path: Path) -> None:
    for engine in ("exact", "fast"):
        data = f"id,name\n{key},x\n".encode()
        assert checked(tmp_path, data, engine=engine)[1] == []
