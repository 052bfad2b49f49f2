"""Cells in quotes: what they hold is what was read before, and nothing is guessed."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from files.checking.check import check
from files.findings import Report
from files.mending.mend import mend
from files.mending.recipes import Recipe, as_json, from_json
from files.quoting import cells_to_quote, written_cells
from files.reading.inspection import Reading, inspect
from files.reading.read import read

QUOTES = Recipe(quotes=True)


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    ("record", "places"),
    [
        ('1,24" monitor\n', [1]),
        ('1,5" x 6"\n', [1]),
        ('5" pipe,6" pipe\n', [0, 1]),
        ('1,"sound ""cell"""\n', []),
        ('1,"a,b"\n', []),
        ('1,x"\n', [1]),
        ('1,x""y\n', None),
        ('1, "x"\n', None),
        ('1,\u00a0"x"\n', None),
        ('a"b,"c,d"\n', [0]),
        ('x "y, z"\n', None),
        ('x ("y, z")\n', None),
        ('1,x"y,z\n', None),
    ],
)
def test_which_cells_can_be_put_in_quotes(
    record: str, places: list[int] | None
) -> None:
    assert cells_to_quote(record, 2) == places


def test_quotes_that_could_hold_other_cells_together_are_left() -> None:
    assert cells_to_quote('x"y,"z,w,k",v"u\n', 3) is None


CELLS = st.lists(
    st.one_of(
        st.sampled_from(['24" monitor', "x", "", '"a,b"', '"a""b"', '5" x 6"', ' "z"']),
        st.text(alphabet='ab" ,\n', max_size=6),
    ),
    min_size=2,
    max_size=3,
)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=st.lists(CELLS, min_size=1, max_size=6))
def test_what_is_mended_reads_as_the_cells_that_were_read_before(
    tmp_path: Path, rows: list[list[str]]
) -> None:
    text = "id,a\n" + "".join(",".join(row) + "\n" for row in rows)
    try:
        before = table(text)
    except csv.Error:
        return
    as_read, as_sent = tmp_path / "read.csv", tmp_path / "sent.csv"
    as_read.write_text(text, newline="")
    mended = mend(as_read, as_sent, QUOTES)
    sent = text if mended.is_same else as_sent.read_text()
    assert table(sent) == before
    report = Report()
    as_sent.write_text(sent, newline="")
    check(as_sent, key="id", report=report)
    assert "inner-quotes" not in {rule for _, rule, _ in report.groups}
    counts = [c.count for c in mended.changes if "quotes" in c.what]
    found = Report()
    check(as_read, key="id", report=found)
    told = [g.total for g in found.groups.values() if g.rule == "inner-quotes"]
    assert sum(counts) == sum(told)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(alphabet='ab", ', max_size=5), min_size=1, max_size=4))
def test_cells_stand_as_they_were_written(cells: list[str]) -> None:
    body = ",".join(cells)
    try:
        rows = table(body)
    except csv.Error:
        return
    written = written_cells(body)
    assert ",".join(written) == body
    if rows:
        assert len(written) == len(rows[0])


def test_a_recipe_keeps_that_cells_are_put_in_quotes() -> None:
    assert from_json(as_json(QUOTES)) == QUOTES
    assert not QUOTES.is_empty


@pytest.mark.parametrize(
    ("cell", "rule"),
    [
        ('5" pipe, long', "inner-quotes"),
        (' "a, b" c', "quotes"),
        ('a, "" b', "quotes"),
    ],
)
def test_between_semicolons_the_same_is_told(
    cell: str, rule: str, tmp_path: Path
) -> None:
    original, as_read = tmp_path / "original.csv", tmp_path / "read.csv"
    original.write_text(f"id;a\n1;x\n2;{cell}\n3;y\n")
    reading = Reading(delimiter=";")
    told = read(original, as_read, inspect(original), reading)
    assert [(f.rule, f.row, f.line) for f in told.findings] == [(rule, 3, 3)]
    assert table(as_read.read_text())[2][0] == "2"


def test_many_quotes_between_semicolons_are_told_each_at_its_row(
    tmp_path: Path,
) -> None:
    rows = 3_000
    original, as_read = tmp_path / "original.csv", tmp_path / "read.csv"
    original.write_text("id;a\n" + "".join(f'{n};5", x\n' for n in range(rows)))
    reading = Reading(delimiter=";")
    told = read(original, as_read, inspect(original), reading)
    assert told.totals["inner-quotes"] == rows
    assert [f.row for f in told.findings] == list(range(2, 1_002))
