"""Rows of a CSV as records in JSON, cut into requests."""

import csv
import hashlib
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.checking.check import check
from files.field import Field
from files.records_json import cutting
from files.records_json.cutting import Frame, Piece, RecordTooBig, body, pieces
from files.records_json.lanes import by_id, unpacked
from files.records_json.typing import NotTyped, Table, kinds_of

FIELDS = (
    Field(name="Name"),
    Field(name="Kids__c", type="int"),
    Field(name="Amount", type="currency"),
    Field(name="Active__c", type="boolean"),
)
NAMES = ("Name", "Kids__c", "Amount", "Active__c")
FRAME = Frame('{"batch":[', "]}")
SINGLE = Frame('{"record":', "}", most=1, is_single=True)


def table(names: tuple[str, ...] = NAMES, **values: Any) -> Table:
    return Table(names, kinds_of(names, FIELDS), **values)


def write(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    return path


def cut(path: Path, columns: Table, frame: Frame = FRAME) -> list[Piece]:
    return list(pieces(path, columns, frame))


@pytest.mark.parametrize(
    ("name", "text", "written"),
    [
        ("Name", "007", '"007"'),
        ("Name", "TRUE", '"TRUE"'),
        ("Name", '"\\\u2028é', json.dumps('"\\\u2028é', ensure_ascii=False)),
        ("Kids__c", "7", "7"),
        ("Kids__c", "-0", "-0"),
        ("Kids__c", "9" * 40, "9" * 40),
        ("Amount", "1.10", "1.10"),
        ("Amount", "1.5E3", "1.5E3"),
        ("Active__c", "TRUE", "true"),
        ("Active__c", "0", "false"),
        ("Kids__c", "#N/A", "null"),
        ("Name", "#N/A", "null"),
    ],
)
def test_a_cell_becomes_the_kind_of_its_column(
    name: str, text: str, written: str
) -> None:
    cells = [text if each == name else "" for each in NAMES]
    assert table().record(cells) == f'{{"{name}":{written}}}'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("Kids__c", text) for text in ("007", "1.0", "+1", "1,000", "x", " 1", "٣")),
        *(("Amount", text) for text in ("1,5", ".5", "1.", "NaN", "1 000")),
        *(("Active__c", text) for text in ("yes", "2", "t")),
    ],
)
def test_a_cell_of_another_kind_is_told(name: str, text: str) -> None:
    with pytest.raises(NotTyped) as caught:
        table().record([text if each == name else "" for each in NAMES])
    assert (caught.value.column, caught.value.text) == (name, text)


def test_the_id_comes_first_and_is_a_text() -> None:
    columns = Table(("Kids", "Id"), {"Kids": "int"}, id_name="Id")
    assert columns.record(["5", "0017"]) == '{"id":"0017","Kids":5}'


def test_a_relationship_is_a_record_within_the_record() -> None:
    columns = Table(("Account.Ext__c", "Name", "Account.Other"), {})
    record = json.loads(columns.record(["A-1", "x", "#N/A"]))
    assert record == {"Name": "x", "Account": {"Ext__c": "A-1", "Other": None}}


def test_without_fields_everything_is_text() -> None:
    assert kinds_of(NAMES, ()) == {}


@pytest.mark.parametrize(
    ("rows", "sizes"), [(250, [100, 100, 50]), (100, [100]), (101, [100, 1]), (0, [])]
)
def test_no_request_carries_more_than_a_hundred(
    tmp_path: Path, rows: int, sizes: list[int]
) -> None:
    path = write(tmp_path / "a.csv", [["Name"], *([f"n{n}"] for n in range(rows))])
    found = cut(path, table(("Name",)))
    assert [each.last_row - each.first_row + 1 for each in found] == sizes
    assert [each.number for each in found] == [*range(1, len(sizes) + 1)]


def test_no_request_is_larger_than_it_may_be(tmp_path: Path) -> None:
    rows = [["x" * 30_000] for _ in range(70)]
    path = write(tmp_path / "a.csv", [["Name"], *rows])
    found = cut(path, table(("Name",)))
    assert [each.last_row - each.first_row + 1 for each in found] == [34, 34, 2]
    assert all(each.size <= cutting.LARGEST_BODY for each in found)


def test_a_record_that_is_too_large_alone_is_told_by_its_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [["Name"], ["x"], ["x" * 2**20]])
    with pytest.raises(RecordTooBig) as caught:
        cut(path, table(("Name",)))
    assert caught.value.row == 3


def test_a_single_record_stands_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [["Id"], ["1"], ["2"]])
    columns = Table(("Id",), {}, id_name="Id")
    found = cut(path, columns, SINGLE)
    assert len(found) == 2
    again = body(path, columns, SINGLE, offset=found[1].offset, length=found[1].length)
    assert again == b'{"record":{"id":"2"}}'


texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"), max_size=6
)


@given(
    st.lists(st.lists(texts, min_size=2, max_size=2), max_size=12), st.integers(1, 5)
)
def test_the_requests_together_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], most: int
) -> None:
    rows = [row for row in rows if any(row)]
    path = write(tmp_path_factory.mktemp("cut") / "a.csv", [["Name", "Note"], *rows])
    columns, frame = Table(("Name", "Note"), {}), Frame('{"batch":[', "]}", most=most)
    found = cut(path, columns, frame)
    sent: list[Any] = []
    for each in found:
        content = body(path, columns, frame, offset=each.offset, length=each.length)
        assert hashlib.sha256(content).hexdigest() == each.sha256
        assert len(content) == each.size
        sent += [item["record"] for item in json.loads(content)["batch"]]
    expected = [
        {
            name: None if text == "#N/A" else text
            for name, text in zip(("Name", "Note"), row, strict=True)
            if text
        }
        for row in rows
    ]
    assert sent == expected
    assert [each.offset for each in found[1:]] == [
        each.offset + each.length for each in found[:-1]
    ]


def test_digits_are_kept_that_a_float_would_lose() -> None:
    text = "12345678901234567.10"
    record = table().record(["", "", text, ""])
    assert json.loads(record, parse_float=Decimal)["Amount"] == Decimal(text)
    assert text in record
    assert io.StringIO(record).read() == record


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_a_row_without_an_id_is_no_fault_where_it_may_be_new(
    tmp_path: Path, engine: Any
) -> None:
    ids = ["", "003SB0000000001AAA", "", " ", "003SB0000000001AAA"]
    path = write(tmp_path / "a.csv", [["Id", "Name"], *([each, "x"] for each in ids)])
    report = check(path, key="Id", purpose="by_id", engine=engine)
    found = {(f.rule, f.row) for group in report.ordered() for f in group.first}
    blocks = {each for each in found if each[0] in ("blank-key", "repeated-key")}
    assert blocks == {("blank-key", 5), ("repeated-key", 3), ("repeated-key", 6)}


@pytest.mark.parametrize("end", ["\n", ""])
def test_rows_in_lanes_are_those_of_the_file(tmp_path: Path, end: str) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "b.csv"
    source.write_text(f'Id,N\n1,a\n,"b\nb"\n,c\n2,d{end}')
    lanes = by_id(source, target, 0)
    assert target.read_text() == 'Id,N\n,"b\nb"\n,c\n1,a\n2,d\n'
    assert (lanes.creates, lanes.updates) == (2, 2)
    kept = unpacked(lanes.packed(), 4).origin()
    assert [kept(row) for row in range(1, 6)] == [1, 3, 4, 2, 5]
