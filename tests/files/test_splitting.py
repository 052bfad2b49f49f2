"""Splitting and cutting: every record once, byte for byte, in order."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.raw_records import (
    cut,
    read_header,
    read_record,
    read_records,
    record_ends,
    regular_blocks,
    starts,
)
from files.splitting import Part, RecordTooBig, part_text, split

SPLIT = [
    ("one part", b"id\n1\n2\n", 99, [(1, 2, 3, 3, 4)]),
    ("exactly full", b"id\n1\n2\n3\n", 7, [(1, 2, 3, 3, 4), (2, 4, 4, 7, 2)]),
    ("one byte less", b"id\n1\n2\n", 6, [(1, 2, 2, 3, 2), (2, 3, 3, 5, 2)]),
    ("no last line end", b"id\n1\n2", 5, [(1, 2, 2, 3, 2), (2, 3, 3, 5, 1)]),
    ("a cell of lines", b'id\n"1\n2"\n3\n', 9, [(1, 2, 2, 3, 6), (2, 3, 3, 9, 2)]),
    ("a header of lines", b'"a\nb"\n1\n', 99, [(1, 2, 2, 6, 2)]),
    ("header only", b"id\n", 99, []),
    ("nothing", b"", 99, []),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sent.csv"


@pytest.mark.parametrize(("name", "data", "limit", "parts"), SPLIT)
def test_parts(
    path: Path,
    name: str,
    data: bytes,
    limit: int,
    parts: list[tuple[int, int, int, int, int]],
) -> None:
    path.write_bytes(data)
    assert split(path, limit=limit) == [Part(*part) for part in parts], name


@pytest.mark.parametrize(
    ("data", "limit", "row", "size"),
    [
        (b"id\n1\n22\n", 5, 3, 6),
        (b"id\n1\n22", 4, 2, 5),
        (b"id\n1\n", 2, 2, 5),
        (b'id\n1\n"2\n2"\n3\n', 8, 3, 9),
    ],
)
def test_a_record_that_fits_nowhere(
    path: Path, data: bytes, limit: int, row: int, size: int
) -> None:
    path.write_bytes(data)
    with pytest.raises(RecordTooBig, match=f"Row {row} takes {size} bytes") as caught:
        split(path, limit=limit)
    assert (caught.value.row, caught.value.size) == (row, size)


def test_parts_of_many_blocks(path: Path) -> None:
    body = b"".join(b'%d,"some, cell\nof ""two"" lines",x\n' % n for n in range(90_000))
    path.write_bytes(b"id,a,b\n" + body)
    parts = split(path, limit=1_000_000)
    assert b"".join(part_text(path, part)[7:] for part in parts) == body
    assert [part.first_row for part in parts] == [
        2,
        *(part.last_row + 1 for part in parts[:-1]),
    ]
    assert parts[-1].last_row == 90_001


CELL = st.text(st.sampled_from('x",\n é\u2028日'), max_size=9)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[list[str]]]:
    """A sound file with hostile cells, and its records."""
    width = draw(st.integers(1, 3))
    table = draw(
        st.lists(
            st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=12
        )
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    data = text.getvalue()
    return (data if draw(st.booleans()) else data[:-1]).encode(), table


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


@settings(deadline=None, max_examples=300)
@given(files(), st.integers(1, 120))
def test_parts_joined_again_are_the_file_and_as_full_as_can_be(
    tmp_path_factory: pytest.TempPathFactory,
    given_file: tuple[bytes, list[list[str]]],
    limit: int,
) -> None:
    data, table = given_file
    path = tmp_path_factory.mktemp("split") / "sent.csv"
    path.write_bytes(data)
    header = read_header(path)
    begins = [*map(int, starts(path)), len(data)]
    sizes = np.diff(begins)
    if any(len(header) + size > limit for size in sizes[1:]):
        with pytest.raises(RecordTooBig):
            split(path, limit=limit)
        return
    parts = split(path, limit=limit)
    texts = [part_text(path, part) for part in parts]
    assert header + b"".join(text[len(header) :] for text in texts) == data
    row = 2
    for part, text in zip(parts, texts, strict=True):
        assert part.first_row == row
        row = part.last_row + 1
        assert read(text)[1:] == table[part.first_row - 1 : part.last_row]
        assert len(text) <= limit
        if part is not parts[-1]:
            assert len(text) + sizes[part.last_row] > limit
    assert row == len(table) + 1


@settings(deadline=None, max_examples=300)
@given(files(), st.integers(1, 9), st.data())
def test_every_way_to_find_records_agrees_and_cuts_are_exact(
    tmp_path_factory: pytest.TempPathFactory,
    given_file: tuple[bytes, list[list[str]]],
    block: int,
    choices: st.DataObject,
) -> None:
    data, table = given_file
    folder = tmp_path_factory.mktemp("records")
    path = folder / "sent.csv"
    path.write_bytes(data)
    with path.open("rb") as file:
        found = list(read_records(file))
        file.seek(0)
        blocks = list(regular_blocks(file, block=block))
    assert [cells for cells, _ in found] == table
    ends = np.cumsum([len(raw) for _, raw in found]).tolist()
    assert [int(end) for some in record_ends(path, block=block) for end in some] == ends
    assert starts(path).tolist() == [0, *ends[:-1]]
    assert b"".join(each.data for each in blocks) == data
    assert sum(each.ends.size for each in blocks) == len(table)
    rows = choices.draw(
        st.sets(st.integers(2, len(table))) if table[1:] else st.just(set())
    )
    cut(path, folder / "cut.csv", sorted(rows))
    raws = [raw for _, raw in found]
    wanted = [raws[0], *(raws[row - 1] for row in sorted(rows))]
    assert (folder / "cut.csv").read_bytes() == b"".join(wanted)
    assert read_record(path, 0, ends[0]) == raws[0]


@pytest.mark.parametrize("rows", [[1], [4], [3, 2], [2, 2], [0], [-1]])
def test_rows_that_cannot_be_cut(path: Path, tmp_path: Path, rows: list[int]) -> None:
    path.write_bytes(b"id\n1\n2\n")
    with pytest.raises(ValueError, match="ows"):
        cut(path, tmp_path / "cut", rows)
    assert not (tmp_path / "cut").exists()


@pytest.mark.parametrize(
    ("data", "sound"),
    [
        (b"id\n1\n2\r\n3\n", b"id\n1\n"),
        (b'id\n1\nx"y\n3\n', b"id\n1\n"),
        (b'id\n1\n"x"y\n3\n', b"id\n1\n"),
        (b'id\n1\n"x\n3\n', b"id\n1\n"),
        (b'id\n1\n "x"\n', b"id\n1\n"),
        (b'id\n1\n""""\n"', b'id\n1\n""""\n'),
        (b'id\n"a""b\n"\n"",""\n""', b'id\n"a""b\n"\n"",""\n""'),
    ],
)
def test_blocks_end_where_doubt_begins(path: Path, data: bytes, sound: bytes) -> None:
    path.write_bytes(data)
    with path.open("rb") as file:
        blocks = list(regular_blocks(file, block=1))
    assert b"".join(block.data for block in blocks) == sound
