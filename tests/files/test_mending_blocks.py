"""Whole blocks are mended to the very bytes that mending record by record gives."""

import io
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from files.mending.cell_mending import CellMending
from files.mending.mend import mend
from files.mending.places import WORTH_PROVING
from files.mending.recipes import ColumnRecipe, DateConversion, Recipe
from files.raw_records import read_records
from tests.files.test_mending import assert_origins

CELLS = st.one_of(
    st.sampled_from(["", " ", "x", "x ", " x\n", "\n", "#N/A", "NULL", "n/a", "#REF!"]),
    st.sampled_from(["12/31/2024", "12/31/2024 10:00", "2024-12-31", "31.12.2024"]),
    st.sampled_from(['="00123"', "'0012", "JosÃ©", "a\u200bb", "\u00a0é\u3000", 'a"b']),
    st.text("x ,\"\n'=é\u200b", max_size=6),
)
COLUMN = st.builds(
    ColumnRecipe,
    name=st.sampled_from(["a", "Name"]),
    trim=st.booleans(),
    blank_to_null=st.booleans(),
    placeholders=st.sampled_from(["", "blank", "null"]),
    repair=st.booleans(),
    dates=st.sampled_from([None, DateConversion(into="date", format="us")]),
)
# Kept from being regular: too many cells, too few, a CR, no UTF-8, a NUL.
DAMAGE = st.sampled_from([b"1,2,3,4,5\n", b"\n", b"a,b\rc,d\n", b"\xff,,\n", b"\0,,\n"])


ROWS = st.lists(
    st.lists(st.tuples(CELLS, st.booleans()), min_size=3, max_size=3),
    min_size=1,
    max_size=5,
)


def large_file(rows: list[list[tuple[str, bool]]], damage: bytes, end: str) -> bytes:
    """Return a file of the same few rows again and again, with damage between."""
    lines = [",".join(_written(*cell) for cell in row) for row in rows]
    some = ("\n".join(lines) + "\n").encode()
    data = some * (2 * WORTH_PROVING // len(some) + 1)
    if damage:
        data += damage + data
    return b"a,b,c\n" + data[:-1] + end.encode()


def _written(text: str, in_quotes: bool) -> str:
    if in_quotes or any(sign in text for sign in ',"\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=ROWS,
    damage=st.just(b"") | DAMAGE,
    end=st.sampled_from(["", "\n"]),
    columns=st.dictionaries(st.sampled_from("abc"), COLUMN, min_size=1),
    left_out=st.sampled_from([(), ((2, 2),), ((300, 900), (901, 901), (1_000, 9_999))]),
    block=st.sampled_from([WORTH_PROVING, 20_000, 2**19]),
)
def test_blocks_are_mended_as_records_are(
    tmp_path: Path,
    rows: list[list[tuple[str, bool]]],
    damage: bytes,
    end: str,
    columns: dict[str, ColumnRecipe],
    left_out: tuple[tuple[int, int], ...],
    block: int,
) -> None:
    data = large_file(rows, damage, end)
    recipe = Recipe(columns=columns, left_out=left_out)
    assume(not recipe.is_empty)
    (tmp_path / "read").write_bytes(data)
    result = mend(tmp_path / "read", tmp_path / "sent", recipe, block=block)
    sent = data if result.is_same else (tmp_path / "sent").read_bytes()

    records = read_records(io.BytesIO(data))
    header, raw = next(records)
    mending = CellMending(header, recipe)
    wanted, numbers = [mending.header(raw)], []
    for row, (cells, raw) in enumerate(records, start=2):
        if not any(first <= row <= last for first, last in left_out):
            wanted.append(mending.record(row, cells, raw))
            numbers.append(row)
    assert sent == b"".join(wanted)
    done = [each for each in result.changes if each.undo != ("left_out",)]
    assert done == mending.changes()
    assert result.totals == mending.totals
    assert result.explain is not None
    for row in numbers[:9]:
        for recipe_of_column in columns.values():
            place = row, recipe_of_column.name, "x"
            assert result.explain(*place) == mending.explain(*place)
    if damage != b"\xff,,\n":
        assert_origins(data, sent, result, recipe, numbers)
