"""Mending: what the recipe says is done, and nothing else happens to any byte."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.mending.conversions import converter
from files.mending.mend import Mended, mend
from files.mending.recipes import (
    ColumnRecipe,
    DateConversion,
    InvalidRecipe,
    Recipe,
    as_json,
    column_names,
    from_json,
)
from files.mending.taken_out import origin_of
from tests.texts import numbers, quoted

HEADER = b"id,a,b\n"


def mended(
    tmp_path: Path, data: bytes, recipe: Recipe, block: int = 512 * 1024
) -> tuple[Mended, bytes, bytes]:
    """Return what was done, the file as sent and the held-back file."""
    as_read, as_sent, held = (tmp_path / name for name in ("read", "sent", "held"))
    held.unlink(missing_ok=True)
    as_read.write_bytes(data)
    result = mend(as_read, as_sent, recipe, held_back=held, block=block)
    assert as_read.read_bytes() == data
    assert as_sent.exists() is not result.is_same
    sent = data if result.is_same else as_sent.read_bytes()
    return result, sent, held.read_bytes() if held.exists() else b""


def only(name: str, **wanted: object) -> Recipe:
    return Recipe(columns={name: ColumnRecipe(**{"name": name, **wanted})})  # type: ignore[arg-type]


# What comes in, the recipe, what is sent, what is held back.
MENDED = {
    "rename": (
        b'id,a\n1,"x"\n',
        Recipe(columns={"a": ColumnRecipe("CloseDate")}),
        b'id,CloseDate\n1,"x"\n',
        b"",
    ),
    "rename to a name with a comma": (
        b"id,a\n1,x\n",
        Recipe(columns={"a": ColumnRecipe('B, "C"')}),
        b'id,"B, ""C"""\n1,x\n',
        b"",
    ),
    "rename by position": (
        b"id,a,a,\n1,x,y,z\n",
        Recipe(columns={"#3": ColumnRecipe("b"), "#4": ColumnRecipe("c")}),
        b"id,a,b,c\n1,x,y,z\n",
        b"",
    ),
    "leave a column out": (
        b'id,a,b\n1,"x, ""y""\nz","w"\n',
        Recipe(columns={"a": ColumnRecipe("")}),
        b'id,b\n1,"w"\n',
        b"",
    ),
    "one blank column is left": (
        b"id,a\n1,\n2,x\n",
        Recipe(columns={"id": ColumnRecipe("")}),
        b'a\n""\nx\n',
        b"",
    ),
    "add a column": (
        b"id\n1\n2",
        Recipe(constants=(("Type", "a, b"), ("Source", ""))),
        b'id,Type,Source\n1,"a, b",\n2,"a, b",',
        b"",
    ),
    "trim": (
        b'id,a\n1, x \n2," y, z"\n3,"w"\n',
        only("a", trim=True),
        b'id,a\n1,x\n2,"y, z"\n3,"w"\n',
        b"",
    ),
    "trim the only column to nothing": (
        b"a\n \n",
        only("a", trim=True),
        b'a\n""\n',
        b"",
    ),
    "null for blanks": (
        b'id,a\n1,\n2,""\n3, \n4,x\n',
        only("a", blank_to_null=True),
        b"id,a\n1,#N/A\n2,#N/A\n3,#N/A\n4,x\n",
        b"",
    ),
    "dates": (
        b"id,a\n1,12/31/2024\n2,2024-12-31\n3,soon\n4,\n5,#N/A\n",
        only("a", dates=DateConversion("date", "us")),
        b"id,a\n1,2024-12-31\n2,2024-12-31\n3,soon\n4,\n5,#N/A\n",
        b"",
    ),
    "rows left out": (
        b'id,a\n1,x\n2,"y\n\nz"\n3,w\n4,v\n',
        Recipe(left_out=((4, 4), (3, 3), (9, 12))),
        b"id,a\n1,x\n4,v\n",
        b'id,a\n2,"y\n\nz"\n3,w\n',
    ),
    "all rows left out": (
        b"id\n1\n2\n",
        Recipe(left_out=((2, 99),)),
        b"id\n",
        b"id\n1\n2\n",
    ),
    "rows left out of a renamed file are held back as they were": (
        b"id,a\n1,x\n2, y\n",
        Recipe(
            columns={"a": ColumnRecipe("b", trim=True), "id": ColumnRecipe("")},
            left_out=((3, 3),),
        ),
        b"b\nx\n",
        b"id,a\n2, y\n",
    ),
    "cells by hand": (
        b"id,a\n1, x\n2,y\n",
        Recipe(
            columns={"a": ColumnRecipe("a", trim=True)},
            cells={(2, "a"): ' "kept" ', (3, "id"): ""},
        ),
        b'id,a\n1," ""kept"" "\n,y\n',
        b"",
    ),
    "a trial": (
        b"id\n1\n2\n3\n4\n",
        Recipe(only_first=3, left_out=((3, 3), (5, 5))),
        b"id\n1\n3\n",
        b"id\n2\n",
    ),
    "the rest of the trial": (
        b"id\n1\n2\n3\n4\n",
        Recipe(skip_first=3, left_out=((3, 3), (5, 5))),
        b"id\n",
        b"id\n4\n",
    ),
    "a blank line is a row": (
        b"id,a\n\n1, x\n",
        Recipe(columns={"a": ColumnRecipe("a", trim=True)}, left_out=((2, 2),)),
        b"id,a\n1,x\n",
        b"id,a\n\n",
    ),
    "rows of another width stay": (
        b"id,a\n1, x,y\n2\n3, z\n",
        only("a", trim=True),
        b"id,a\n1, x,y\n2\n3,z\n",
        b"",
    ),
    "from an unreadable row on nothing changes": (
        b'id,a\n1, x\n2,"y"z\n3, w\n',
        Recipe(columns={"a": ColumnRecipe("b", trim=True)}, left_out=((4, 4),)),
        b'id,b\n1,x\n2,"y"z\n3, w\n',
        b"",
    ),
    "a quote inside a cell is a character": (
        b'id,a\n1,x"y\n2,z"\n3,w\n',
        Recipe(left_out=((3, 3),)),
        b'id,a\n1,x"y\n3,w\n',
        b'id,a\n2,z"\n',
    ),
    "an unreadable row after a trial is not sent": (
        b'id\n1\n2\n"\n',
        Recipe(only_first=1),
        b"id\n1\n",
        b"",
    ),
    "bytes that are not UTF-8 stay": (
        b"id,a\n\xe9, \xff\n",
        only("a", trim=True),
        b"id,a\n\xe9,\xff\n",
        b"",
    ),
}


@pytest.mark.parametrize("block", [7, 512 * 1024])
@pytest.mark.parametrize(
    ("data", "recipe", "sent", "held"), MENDED.values(), ids=MENDED
)
def test_the_recipe_is_followed(
    tmp_path: Path, data: bytes, recipe: Recipe, sent: bytes, held: bytes, block: int
) -> None:
    result, got_sent, got_held = mended(tmp_path, data, recipe, block)
    assert got_sent == sent
    assert got_held == held
    assert result.changes


# Recipes that do nothing to these files: no second file is written.
SAME = {
    "no recipe": (b"id\n1\n", Recipe()),
    "the same name": (b"id\n1\n", only("id")),
    "a column that is not there": (b"id\n1\n", only("b", trim=True)),
    "nothing to trim": (b"id\n1\n", only("id", trim=True)),
    "rows that are not there": (b"id\n1\n", Recipe(left_out=((3, 3),))),
    "a trial of more rows than there are": (b"id\n1\n", Recipe(only_first=5)),
    "no file to speak of": (b"", Recipe(left_out=((2, 2),))),
    "an unreadable header": (b'"id\n1\n', Recipe(left_out=((2, 2),))),
    "a blank header": (b"\n1\n", Recipe(constants=(("a", "b"),))),
}


@pytest.mark.parametrize(("data", "recipe"), SAME.values(), ids=SAME)
def test_nothing_is_written_where_nothing_changes(
    tmp_path: Path, data: bytes, recipe: Recipe
) -> None:
    result, _, held = mended(tmp_path, data, recipe)
    assert result.is_same
    assert not held
    assert result.origin.row(2) == 2


def test_every_change_is_counted(tmp_path: Path) -> None:
    data = (
        b"id,a,b\n1, 12/31/2024,\n2,12/30/2024 10:00,\n3,x,y\n4,z\n5,03/30/2025,\n6,,\n"
    )
    recipe = Recipe(
        columns={
            "a": ColumnRecipe("Day", trim=True, dates=DateConversion("date", "us")),
            "b": ColumnRecipe("b", blank_to_null=True),
            "c": ColumnRecipe("d"),
        },
        left_out=((7, 7),),
        cells={(4, "b"): "w", (99, "b"): "v"},
    )
    result, sent, _ = mended(tmp_path, data, recipe)
    assert sent == (
        b"id,Day,b\n1,2024-12-31,#N/A\n2,12/30/2024 10:00,#N/A\n3,x,w\n4,z\n"
        b"5,2025-03-30,#N/A\n"
    )
    changes = result.changes
    assert [
        (quoted(each.what), numbers(each.what), each.count) for each in changes
    ] == [
        (["a", "Day"], [], 1),
        (["a"], [1], 1),  # Spaces taken off.
        (["a"], [2], 2),  # Converted.
        (["a"], [1], 1),  # Another format.
        (["a"], [1], 1),  # A time of day would be lost.
        (["b"], [3], 3),  # #N/A for blanks.
        ([], [1], 1),  # Changed by hand.
        (["c"], [], 0),  # Not in the file.
        ([], [1], 0),  # No such row to change by hand.
        ([], [1], 1),  # A ragged row.
        ([], [1], 1),  # Left out.
    ]
    assert len({each.what for each in changes}) == len(changes)
    assert result.rows_held_back == 1


def test_a_ragged_row_that_would_look_sound_is_a_finding(tmp_path: Path) -> None:
    data = HEADER + b"1,x\n2,x,y\n3\n"
    result, sent, _ = mended(tmp_path, data, Recipe(columns={"a": ColumnRecipe("")}))
    assert sent == b"id,b\n1,x\n2,y\n3\n"
    found = [(f.level, f.rule, f.row) for f in result.findings]
    assert found == [("blocks", "ragged-row", 2)]
    assert numbers(result.findings[0].message)[:3] == [2, 2, 3]
    result, _, _ = mended(tmp_path, data, only("a", trim=True))
    assert not result.findings


def test_a_file_without_columns_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    recipe = Recipe(columns={"id": ColumnRecipe("")})
    with pytest.raises(InvalidRecipe):
        mended(tmp_path, b"id\n1\n", recipe)
    assert [path.name for path in tmp_path.iterdir()] == ["read"]


@pytest.mark.parametrize("recipe", [Recipe(left_out=((2, 9),)), only("a", trim=True)])
def test_progress_is_told_and_may_stop_the_work(tmp_path: Path, recipe: Recipe) -> None:
    as_read = tmp_path / "read"
    row = b"1, x," + b"y" * 200 + b"\n"
    as_read.write_bytes(HEADER + row * 50_000)
    told: list[tuple[int, int]] = []
    mend(
        as_read,
        tmp_path / "sent",
        recipe,
        progress=lambda size, rows: told.append((size, rows)),
    )
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] == (as_read.stat().st_size, 50_001)

    class Stop(Exception):
        pass

    def stop(_size: int, _rows: int) -> None:
        raise Stop

    held = tmp_path / "held"
    with pytest.raises(Stop):
        mend(as_read, tmp_path / "sent", recipe, held_back=held, progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == ["read"]


def test_a_quote_never_closed_is_not_held_in_memory(tmp_path: Path) -> None:
    data = HEADER + b'1,x,y\n2,"x,y\n' + b"3,x,y\n" * 2_000_000
    result, sent, _ = mended(tmp_path, data, Recipe(left_out=((2, 2), (4, 4))))
    assert sent == data.replace(b"1,x,y\n", b"", 1)
    assert result.changes[-1].what.startswith("Row 3 cannot be read")


CELL = st.text(st.sampled_from('x",\n é '), max_size=4)


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[list[str]], bool]:
    """A file with hostile cells, its records, and whether all have one width."""
    width = draw(st.integers(1, 4))
    is_ragged = draw(st.booleans())
    widths = st.integers(0, 5) if is_ragged else st.just(width)
    rows = draw(
        st.lists(widths.flatmap(lambda n: st.lists(CELL, min_size=n, max_size=n)))
    )
    table = [[f"c{number}" for number in range(width)], *rows]
    style = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=style).writerows(table)
    data = text.getvalue()
    if data.endswith("\n") and not data.endswith("\n\n") and draw(st.booleans()):
        data = data[:-1]
    return data.encode(), table, is_ragged


def read(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


RANGE = st.tuples(st.integers(2, 9), st.integers(0, 3)).map(lambda r: (r[0], sum(r)))


@settings(deadline=None, max_examples=150)
@given(
    given_file=files(),
    left_out=st.lists(RANGE, max_size=3).map(tuple),
    only_first=st.none() | st.integers(1, 6),
    skip_first=st.integers(0, 6),
    trimmed=st.booleans(),
    added=st.booleans(),
    dropped=st.booleans(),
    block=st.sampled_from([1, 5, 64, 4096]),
)
def test_no_row_is_lost_and_no_other_cell_changes(
    tmp_path_factory: pytest.TempPathFactory,
    given_file: tuple[bytes, list[list[str]], bool],
    left_out: tuple[tuple[int, int], ...],
    only_first: int | None,
    skip_first: int,
    trimmed: bool,
    added: bool,
    dropped: bool,
    block: int,
) -> None:
    data, table, _ = given_file
    width = len(table[0])
    columns = {"c0": ColumnRecipe("c0", trim=trimmed)}
    if dropped and width > 1:
        columns["c1"] = ColumnRecipe("")
    recipe = Recipe(
        columns=columns,
        constants=(("new", 'a "constant"'),) if added else (),
        left_out=left_out,
        only_first=only_first,
        skip_first=skip_first,
    )
    result, sent, held = mended(tmp_path_factory.mktemp("mend"), data, recipe, block)

    def expected(record: list[str]) -> list[str]:
        if len(record) != width:
            return record
        cells = [
            cell.strip() if trimmed and not n else cell for n, cell in enumerate(record)
        ]
        kept = [cell for n, cell in enumerate(cells) if n != 1 or not dropped]
        return [*kept, 'a "constant"'] if added else kept

    want_sent, want_held, want_rows = [], [], []
    for row, record in enumerate(table[1:], start=2):
        if row < 2 + skip_first or (only_first is not None and row >= 2 + only_first):
            continue
        if any(first <= row <= last for first, last in left_out):
            want_held.append(record)
        else:
            want_sent.append(expected(record))
            want_rows.append(row)
    assert read(sent)[1:] == want_sent
    assert read(held)[1:] == want_held
    for line in held.split(b"\n"):
        assert line in data
    if not result.is_same or not recipe.is_empty:
        assert result.rows_held_back == len(want_held)
    assert_origins(data, sent, result, recipe, want_rows)


def first_lines(data: bytes) -> list[int]:
    """Return the line on which each record begins; only LF ends one."""
    text = io.StringIO(data.replace(b"\r", b" ").decode(), newline="")
    reader = csv.reader(text, strict=True)
    lines = [1]
    for _ in reader:
        lines.append(reader.line_num + 1)
    return lines[:-1]


def assert_origins(
    data: bytes, sent: bytes, result: Mended, recipe: Recipe, rows: list[int]
) -> None:
    before, after = first_lines(data), first_lines(sent)
    again = origin_of(recipe)
    for sent_row, row in enumerate(rows, start=2):
        assert result.origin.row(sent_row) == row
        assert again.row(sent_row) == row
        line = after[sent_row - 1]
        assert result.origin.line(sent_row, line) == before[row - 1]


@settings(deadline=None, max_examples=120)
@given(st.lists(st.sampled_from(["c", ",", '"', "\n", "\r", "\r\n", "é"]), max_size=30))
def test_damage_is_copied_and_both_ways_to_copy_agree(
    tmp_path_factory: pytest.TempPathFactory, scraps: list[str]
) -> None:
    data = b"id,a\n" + "".join(scraps).encode()
    folder = tmp_path_factory.mktemp("mend")
    rows = Recipe(left_out=((3, 4),))
    # An edit of a row that is not there makes it go record by record.
    slowly = Recipe(left_out=((3, 4),), cells={(999, "a"): "x"})
    fast, sent, held = mended(folder, data, rows, block=4)
    slow, sent_slowly, held_slowly = mended(folder, data, slowly)
    assert (sent, held) == (sent_slowly, held_slowly)
    assert fast.rows_held_back == slow.rows_held_back
    assert len(sent) + len(held.removeprefix(b"id,a\n")) == len(data)


# Cell, format, into, zone, what is sent or why not.
MILLISECONDS = "2024-07-01T10:00:00.123+02:00"
DATES = [
    ("12/31/2024", "us", "date", "2024-12-31"),
    ("1/2/2024", "us", "date", "2024-01-02"),
    ("31/12/2024", "us", "date", "misfit"),
    ("2/30/2024", "us", "date", "misfit"),
    ("12/31/24", "us", "date", "misfit"),
    (" 12/31/2024", "us", "date", "misfit"),
    ("12/31/2024 0:00", "us", "date", "2024-12-31"),
    ("12/31/2024 12:00 AM", "us", "date", "2024-12-31"),
    ("12/31/2024 10:00", "us", "date", "time"),
    ("12/31/2024 1:05:09 PM", "us", "datetime", "2024-12-31T13:05:09+01:00"),
    ("12/31/2024 12:05 pm", "us", "datetime", "2024-12-31T12:05:00+01:00"),
    ("12/31/2024 13:05 PM", "us", "datetime", "misfit"),
    ("12/31/2024 24:00", "us", "datetime", "misfit"),
    ("12/31/2024", "us", "datetime", "2024-12-31T00:00:00+01:00"),
    ("31.12.2024", "european", "date", "2024-12-31"),
    ("31/12/2024 10:00", "european", "datetime", "2024-12-31T10:00:00+01:00"),
    ("31.12/2024", "european", "date", "misfit"),
    ("20241231", "compact", "date", "2024-12-31"),
    ("20241301", "compact", "date", "misfit"),
    ("٢٠٢٤١٢٣١", "compact", "date", "misfit"),
    ("45657", "excel-serial", "date", "2024-12-31"),
    ("45657.5", "excel-serial", "date", "time"),
    ("1", "excel-serial", "date", "1900-01-01"),
    ("60", "excel-serial", "date", "misfit"),
    ("61", "excel-serial", "date", "1900-03-01"),
    ("9999999", "excel-serial", "date", "misfit"),
    ("45657.4166666667", "excel-serial", "datetime", "2024-12-31T10:00:00+01:00"),
    ("45657.9999999999", "excel-serial", "datetime", "2025-01-01T00:00:00+01:00"),
    ("2024-07-01 10:00", "iso-space", "datetime", "2024-07-01T10:00:00+02:00"),
    ("2024-07-01 10:00:00.5", "iso-space", "datetime", "2024-07-01T10:00:00.500+02:00"),
    ("2024-07-01 10:00:00Z", "iso-space", "datetime", "2024-07-01T10:00:00Z"),
    ("2024-07-01 10:00 -0530", "iso-space", "datetime", "2024-07-01T10:00:00-05:30"),
    ("2024-07-01 10:00+15:00", "iso-space", "datetime", "misfit"),
    ("2024-07-01T10:00", "iso-space", "datetime", "2024-07-01T10:00:00+02:00"),
    ("2024-07-01 10:00+00", "iso-space", "datetime", "2024-07-01T10:00:00Z"),
    ("2024-07-01 10:00:00.123456", "iso-space", "datetime", MILLISECONDS),
    ("2024-07-01T10:00:00.1234567", "iso-no-zone", "datetime", MILLISECONDS),
    ("2024-07-01t10:00:00z", "iso-space", "datetime", "2024-07-01T10:00:00Z"),
    ("2024/12/31", "iso-space", "date", "2024-12-31"),
    ("2024.12.31", "iso-space", "date", "2024-12-31"),
    ("2024-1-5", "iso-space", "date", "2024-01-05"),
    ("2024-13-05", "iso-space", "date", "misfit"),
    ("31-12-2024", "european", "date", "2024-12-31"),
    ("31-12-2024", "us", "date", "misfit"),
    ("12-31-2024", "us", "date", "2024-12-31"),
    ("12/31/2024, 5:00:00 PM", "us", "datetime", "2024-12-31T17:00:00+01:00"),
    ("12/31/2024, 5:00\u202fPM", "us", "datetime", "2024-12-31T17:00:00+01:00"),
    ("12/31/2024 05:00 p.m.", "us", "datetime", "2024-12-31T17:00:00+01:00"),
    ("12/31/24", "us", "date", "misfit"),
    ("12/31/24", "us-short", "date", "2024-12-31"),
    ("12/31/30", "us-short", "date", "1930-12-31"),
    ("31/12/29", "european-short", "date", "2029-12-31"),
    ("03.04.24", "european-short", "date", "2024-04-03"),
    ("31.12.24", "us-short", "date", "misfit"),
    ("31-Dec-24", "month-name", "date", "2024-12-31"),
    ("31-Dec-2024", "month-name", "date", "2024-12-31"),
    ("31Dec2024", "month-name", "date", "2024-12-31"),
    ("Dec 31, 2024", "month-name", "date", "2024-12-31"),
    ("December 31st, 2024", "month-name", "date", "2024-12-31"),
    ("Tuesday, December 31, 2024", "month-name", "date", "2024-12-31"),
    ("Monday, December 31, 2024", "month-name", "date", "misfit"),
    ("Smarch 31, 2024", "month-name", "date", "misfit"),
    ("5 January 2024", "month-name", "date", "2024-01-05"),
    ("2024-Jan-05", "month-name", "date", "2024-01-05"),
    ("5. März 2024", "month-name", "date", "2024-03-05"),
    ("1er août 2024", "month-name", "date", "2024-08-01"),
    ("31 Feb 2024", "month-name", "date", "misfit"),
    ("5 January 2024 10:00 am", "month-name", "date", "time"),
    ("Jan 5, 2024, 12:05 AM", "month-name", "datetime", "2024-01-05T00:05:00+01:00"),
    ("Fri, 5 Jan 2024 10:00:00 GMT", "month-name", "datetime", "2024-01-05T10:00:00Z"),
    ("20241231 10:00", "compact", "datetime", "2024-12-31T10:00:00+01:00"),
    ("2024-12-31T00:00:00Z", "iso-space", "date", "2024-12-31"),
    ("2024-07-01T10:00", "iso-no-zone", "datetime", "2024-07-01T10:00:00+02:00"),
    ("2024-07-01T10:00:00Z", "iso-no-zone", "datetime", "right"),
    ("2024-07-01T10:00:00.5+01:00", "us", "datetime", "right"),
    ("2024-02-30T10:00:00Z", "us", "datetime", "misfit"),
    ("2024-12-31", "us", "date", "right"),
    ("2023-02-29", "us", "date", "misfit"),
    ("2025-03-30 02:30", "iso-space", "datetime", "skipped-hour"),
    ("2025-03-30 03:00", "iso-space", "datetime", "2025-03-30T03:00:00+02:00"),
    ("2024-10-27 02:30", "iso-space", "datetime", "repeated-hour"),
    ("2024-10-27 03:00", "iso-space", "datetime", "2024-10-27T03:00:00+01:00"),
    # Berlin kept its own time, 53 minutes and 28 seconds from Greenwich.
    ("1850-01-01 00:53:28", "iso-space", "datetime", "1850-01-01T00:00:00Z"),
    ("0001-01-01 00:00", "iso-space", "datetime", "misfit"),
]


@pytest.mark.parametrize(("cell", "form", "into", "wanted"), DATES)
def test_dates(cell: str, form: str, into: str, wanted: str) -> None:
    conversion = DateConversion(into, form, "Europe/Berlin")  # type: ignore[arg-type]
    text, outcome = converter(conversion)(cell)
    assert wanted == (text if outcome == "converted" else outcome)
    assert outcome == "converted" or text == cell


def test_a_time_without_a_zone_stays() -> None:
    convert = converter(DateConversion("datetime", "iso-space"))
    assert convert("2024-07-01 10:00") == ("2024-07-01 10:00", "no-zone")
    assert convert("2024-07-01 10:00Z") == ("2024-07-01T10:00:00Z", "converted")


FULL = Recipe(
    columns={
        "Close Date": ColumnRecipe(
            "CloseDate", trim=True, dates=DateConversion("datetime", "us", "Asia/Tokyo")
        ),
        "Notes": ColumnRecipe(""),
        "#3": ColumnRecipe("Phone", blank_to_null=True),
    },
    constants=(("Type", "Customer"),),
    left_out=((5, 5), (7, 9)),
    cells={(3, "Name"): "Bee, Inc.\nLtd"},
    only_first=100,
    skip_first=2,
)


def test_a_recipe_survives_json_and_is_told_in_sentences() -> None:
    assert from_json(as_json(FULL)) == FULL
    assert from_json(as_json(Recipe())) == Recipe() == from_json({})
    told = FULL.describe()
    assert [quoted(line) or numbers(line) for line in told] == [
        ["Close Date", "CloseDate"],
        ["Close Date"],  # Spaces taken off.
        ["Close Date"],  # Dates converted.
        ["Notes"],
        ["#3", "Phone"],
        ["#3"],  # #N/A for blanks.
        ["Type", "Customer"],
        [4, 5, 7, 9],
        [2],
        [100],
        ["Name", "Bee, Inc.·Ltd"],
    ]
    assert len(set(told)) == len(told)
    assert "Asia/Tokyo" in told[2]
    assert "#N/A" in told[5]
    assert numbers(told[-1]) == [3]
    assert Recipe().describe() == []


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"rows": 1},
        {"columns": {"a": {}}},
        {"columns": {"a": {"name": "b", "upper": True}}},
        {"columns": {"a": {"name": 1}}},
        {"columns": {"a": {"name": "b\r"}}},
        {"columns": {"a": {"name": "\ud800"}}},
        {"columns": {"a": {"name": "b", "trim": 1}}},
        {"columns": {"a": {"name": "b", "dates": {"into": "date", "format": "x"}}}},
        {
            "columns": {
                "a": {"name": "b", "dates": {"into": "datetime", "format": "us"}}
            }
        },
        {
            "columns": {
                "a": {
                    "name": "b",
                    "dates": {"into": "date", "format": "us", "zone": "../etc"},
                }
            }
        },
        {"constants": [["a"]]},
        {"constants": [["", "x"]]},
        {"left_out": [[1, 2]]},
        {"left_out": [[3, 2]]},
        {"left_out": [["2", 2]]},
        {"left_out": 5},
        {"cells": [[1, "a", "x"]]},
        {"cells": [[2, "a"]]},
        {"only_first": 0},
        {"only_first": True},
        {"skip_first": -1},
    ],
)
def test_invalid_recipes_are_refused(data: object) -> None:
    with pytest.raises(InvalidRecipe):
        from_json(data)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "", "a", " "], ["#1", "#2", "#3", "#4"]),
        (["#2", "", "x"], ["#1", "#2", "x"]),
        (["A", "a", "\udce9"], ["A", "a", "#3"]),
        ([], []),
    ],
)
def test_columns_are_called_by_name_or_position(
    header: list[str], names: list[str]
) -> None:
    assert column_names(header) == names
