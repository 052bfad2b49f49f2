"""Cells copied from a spreadsheet become CSV without losing or gaining a character."""

import csv
import io

import pytest

from files.pasted import as_csv


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("id\tName\r\n1\tBerg, Ltd\r\n", [["id", "Name"], ["1", "Berg, Ltd"]]),
        ('id\tName\n1\t"two\nlines"\n', [["id", "Name"], ["1", "two\nlines"]]),
        ('id\tName\n1\t"say ""no"""\n', [["id", "Name"], ["1", 'say "no"']]),
        # Quotes that a spreadsheet did not need to put are the cell's own.
        ('id\tName\n1\t"hi" there\n', [["id", "Name"], ["1", '"hi" there']]),
        ('id\tName\n1\t"hi"\n', [["id", "Name"], ["1", '"hi"']]),
        ('id\tSize\n1\t5"\n2\t\n', [["id", "Size"], ["1", '5"'], ["2", ""]]),
        ("Name\nBerg, Ltd\n", [["Name"], ["Berg, Ltd"]]),
        ("id\t\n1\t\n", [["id", ""], ["1", ""]]),
    ],
)
def test_cells_are_what_they_were(text: str, rows: list[list[str]]) -> None:
    assert list(csv.reader(io.StringIO(as_csv(text), newline=""))) == rows


@pytest.mark.parametrize("text", ["id,Name\n1,x\n", 'id;Name\n1;"a\tb"\n'])
def test_what_is_csv_already_stays_so(text: str) -> None:
    assert as_csv("id,Name\n1,x\n") == "id,Name\n1,x\n"
    assert as_csv(text.replace("\t", " ")) == text.replace("\t", " ")
