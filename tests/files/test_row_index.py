"""The index of rows: each is found where it begins, with what was found in it."""

import csv
import random
from pathlib import Path

import pytest

from files.findings import Finding
from files.findings_file import FindingsFile
from files.grid import row_index
from files.grid.parent_rows import read_parent_rows, write_parent_rows
from files.grid.row_index import RowIndex, read_rows, write_index
from files.raw_records import read_records

# Odd quotes, line breaks within cells, blank lines, and far more than one block holds.
ODD = [
    b"k,plain,x\n",
    b'k,"two\nlines",x\n',
    b'k,24" wide,x\n',
    b"\n",
    b"k,too,many,cells\n",
    b'k,"a ""b""",\xff\n',
    b"k," + b"y" * 5_000 + b",x\n",
]


def indexed(tmp_path: Path, data: bytes, found: list[Finding]) -> tuple[Path, Path]:
    as_read, findings = tmp_path / "read.csv", tmp_path / "findings.csv"
    as_read.write_bytes(data)
    with FindingsFile(findings) as file:
        for finding in found:
            file.add(finding)
    index = tmp_path / "index"
    write_index(index, as_read, findings, reading="as it is")
    return as_read, index


def finding(level: str, row: int | None) -> Finding:
    return Finding(level, "rule", "Two\nlines", row, None, "a", "v")  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(4))
def test_each_row_is_read_as_the_whole_file_has_it(seed: int, tmp_path: Path) -> None:
    choose = random.Random(seed)  # noqa: S311
    lines = [b"a,b,c\n", *(choose.choice(ODD) for _ in range(1_500))]
    as_read, path = indexed(tmp_path, b"".join(lines), [])
    with as_read.open("rb") as file:
        whole = list(read_records(file))
    with RowIndex(path) as index:
        assert (index.rows, index.reading) == (len(whole), "as it is")
        rows = sorted(choose.sample(range(1, len(whole) + 1), 60))
        with as_read.open("rb") as file:
            found = list(read_rows(file, index, [*rows, len(whole) + 1]))
        assert found == [(row, *whole[row - 1]) for row in rows]
        for row in rows:
            place, _ = index.place(row)
            assert row - place < row_index.EVERY_ROWS


def test_rows_end_where_nobody_can_read_on(tmp_path: Path) -> None:
    data = b'a,b\n1,x\n2,y\n3,"open\n4,z\n'
    as_read, path = indexed(tmp_path, data, [])
    with RowIndex(path) as index, as_read.open("rb") as file:
        assert index.rows == 3
        assert [row for row, *_ in read_rows(file, index, [2, 3, 4])] == [2, 3]
    with pytest.raises(csv.Error), as_read.open("rb") as file:
        list(read_records(file))


def test_rows_with_findings_are_found_page_by_page(tmp_path: Path) -> None:
    found = [
        finding("blocks", 7),
        finding("warns", 3),
        finding("blocks", 4),
        finding("blocks", 7),
        # The header, the file as a whole, and an example are no rows at fault.
        finding("blocks", 1),
        finding("blocks", None),
        finding("notes", 5),
    ]
    _, path = indexed(tmp_path, b"a\n" * 9, found)
    with RowIndex(path) as index:
        assert (index.count("blocks"), index.count("warns")) == (2, 1)
        assert index.marked("blocks", limit=9) == [4, 7]
        assert index.marked("blocks", after=4, limit=9) == [7]
        assert index.marked("blocks", before=7, limit=1) == [4]
        starts = list(index.findings([3, 7]))
        assert [row for row, _ in starts] == [3, 7, 7]
    with (tmp_path / "findings.csv").open("rb") as file:
        file.seek(starts[-1][1])
        assert next(read_records(file))[0][:3] == ["blocks", "rule", "7"]


def test_rows_of_a_parent(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    write_parent_rows(path, [3, 70_000, 2**31])
    assert read_parent_rows(path, [1, 2, 4, 5]) == {2: 3, 4: 2**31}
