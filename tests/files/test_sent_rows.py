"""Reading the rows of a file as sent: the cells of `csv`, and each row's own bytes."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from files.rows.sent_rows import cells_of, read_header, sent_rows

PIECES = st.lists(
    st.sampled_from(['"', '""', ",", "\n", "\r", "\r\n", "a", "é", " ", "\0", "key"])
)


@settings(max_examples=300, deadline=None)
@given(PIECES.map("".join), st.sampled_from([None, 0, 1, 3]))
@example('a,"never closed\nb', 0)
@example("a\rb\nc", 0)
@example("\n\n", 0)
def test_any_text_gives_the_rows_of_csv(text: str, column: int | None) -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "sent.csv"
        path.write_bytes(b"x\n" + text.encode())
        size = len(text.encode())
        rows = list(sent_rows(path, offset=2, length=size, column=column))
        assert read_header(path) == (["x"], 2)
    raw = text.encode()
    raws = [raw[start - 2 : start - 2 + length] for _, start, length in rows]
    assert b"".join(raws) == raw
    try:
        cells = list(csv.reader(line.decode() for line in io.BytesIO(raw)))
    except csv.Error:
        return
    assert [cells_of(each) for each in raws] == cells
    at = column or 0
    wanted = [row[at] if column is not None and at < len(row) else "" for row in cells]
    assert [key for key, _, _ in rows] == wanted


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (b'"a\nb",c\n', ["a\nb", "c"]),
        (b"a,b\n", ["a", "b"]),
        (b"a,b", ["a", "b"]),
        (b"", []),
    ],
)
def test_a_header_may_run_over_lines(
    header: bytes, names: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "sent.csv"
    path.write_bytes(header)
    assert read_header(path) == (names, len(header))


def test_a_slice_ends_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "sent.csv"
    path.write_bytes(b'k\na\n"b\nc"\nd\ne\n')
    rows = sent_rows(path, offset=4, length=8, column=0)
    assert list(rows) == [("b\nc", 4, 6), ("d", 10, 2)]


def test_a_very_long_cell_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sent.csv"
    long = '"' + "x" * 200_000 + '"'
    path.write_text(f"k\n{long}\n")
    rows = list(sent_rows(path, offset=2, length=200_003, column=0))
    assert rows == [("x" * 200_000, 2, 200_003)]
