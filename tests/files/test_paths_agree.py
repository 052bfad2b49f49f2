"""The fast path finds what the exact path finds, in the same order, in every file."""

import csv
import io
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from files.checking.blocks import blocks, prove
from files.checking.check import check
from files.checking.column_cells import Cells
from files.checking.looking import TOGETHER
from files.checking.no_records import NoRecords
from files.checking.odd_bytes import odd_cells
from files.checking.suspects import is_spaced, is_suspect
from files.field import Field
from files.findings import LONGEST_VALUE, Finding, Report
from files.values.damage import damage
from files.values.rules import problem
from tests.files.corpus import (
    ANYWHERE,
    DAMAGE,
    FIELDS,
    SOUND,
    VALUES,
    Odd,
    corpus,
    plain_rows,
    table,
)

CORPUS = corpus()


def found(
    path: Path, odd: Odd, engine: Literal["exact", "fast"], block: int = 64
) -> dict[str, Any]:
    """Return all that a check tells."""
    findings: list[Finding] = []
    report = Report(sink=findings.append)
    check(
        path, key=odd.key, fields=odd.fields, report=report, engine=engine, block=block
    )
    return {
        "findings": findings,
        "rows": report.rows,
        "columns": report.columns,
        "key": report.key,
        "preview": report.preview,
        "json": report.as_json(),
    }


def test_the_corpus_is_large_and_has_no_file_twice() -> None:
    assert len(set(CORPUS.values())) >= 200


@pytest.mark.parametrize("odd", CORPUS.values(), ids=CORPUS)
def test_both_paths_tell_the_same_of_the_corpus(odd: Odd, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(odd.data)
    exact = found(path, odd, "exact")
    blocks = (64, 1_000, 2**21) if len(odd.data) < 50_000 else (2**16, 2**21)
    for block in blocks:
        assert found(path, odd, "fast", block) == exact


@pytest.mark.parametrize("name", DAMAGE)
def test_both_paths_tell_the_same_wherever_blocks_end(
    name: str, tmp_path: Path
) -> None:
    rows = plain_rows(8)
    rows.insert(5, DAMAGE[name])
    odd = Odd(b"".join(rows))
    path = tmp_path / "odd.csv"
    path.write_bytes(odd.data)
    exact = found(path, odd, "exact")
    for block in range(1, 150, 7):
        assert found(path, odd, "fast", block) == exact


HOSTILE = st.one_of(
    st.sampled_from(ANYWHERE),
    st.sampled_from([value for values in VALUES.values() for value in values]),
    st.text('aZ09 -./:+@,;"\n#NEé\u3000\u00a0\u2028', max_size=20),
    st.text(max_size=8),
)
SCRAPS = st.sampled_from(
    [b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xc3", b"x", b' "']
)
TYPED = [field for field in FIELDS if field.name in SOUND]


@st.composite
def odd_files(draw: st.DrawFn) -> Odd:
    """Tables of sound and hostile cells, some damaged at random."""
    chosen = draw(st.lists(st.sampled_from(TYPED), max_size=4, unique=True))
    names = ["id", *(field.name for field in chosen)]
    # Much is sound: else no block would be regular.
    dice = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311
    hostile = draw(st.lists(HOSTILE, min_size=1, max_size=6))
    share = draw(st.sampled_from([0, 0.02, 0.1, 0.5]))
    keys = [f"k{number}" for number in range(draw(st.integers(1, 40)))]
    rows = [
        [
            dice.choice(hostile) if dice.random() < share else text
            for text in (key, *(SOUND[field.name] for field in chosen))
        ]
        for key in keys
    ]
    data = table([names, *rows])
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 3]))):
        place = dice.randrange(len(data) + 1)
        cut = dice.choice([0, 0, 1, 2])
        data = data[:place] + draw(SCRAPS) + data[place + cut :]
    fields: tuple[Field, ...] = draw(st.sampled_from([(), FIELDS]))
    return Odd(data, fields=fields)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(odd_files(), st.sampled_from([40, 64, 200, 1_000, 2**20]))
def test_both_paths_tell_the_same_of_generated_files(
    tmp_path: Path, odd: Odd, block: int
) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(odd.data)
    assert found(path, odd, "fast", block) == found(path, odd, "exact")


# Some are the same folded; two are longer than what is compared at once.
KEYS = ["b", "B", "c", 'q"', 'Q"', "é", "e\u0301", "k" * 64, "k" * 70, "K" * 70, ""]


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(st.sampled_from(KEYS), st.booleans()), min_size=2, max_size=20),
    st.sampled_from([40, 200, 2**20]),
    st.sampled_from(["", "\n"]),
)
def test_a_key_is_the_same_in_quotes_and_without(
    tmp_path: Path, keys: list[tuple[str, bool]], block: int, end: str
) -> None:
    cells = [
        f'"{key.replace(chr(34), chr(34) * 2)}"' if quoted or '"' in key else key
        for key, quoted in keys
    ]
    # The key stands last: nothing of the file follows it.
    odd = Odd(("a,id\n" + "\n".join(f"x,{cell}" for cell in cells) + end).encode())
    path = tmp_path / "odd.csv"
    path.write_bytes(odd.data)
    assert found(path, odd, "fast", block) == found(path, odd, "exact")


def test_columns_that_are_alike_are_not_taken_for_each_other(tmp_path: Path) -> None:
    """More cells than are looked at together, and a few of other kinds between."""
    dice = random.Random(1)  # noqa: S311
    odd_texts = ["", "#N/A", " x", "NULL", "12345678901234500", "1234567890123456"]
    texts = [Field(name=f"t{number}", is_required=number < 5) for number in range(85)]
    dates = [Field(name=f"d{number}", type="date") for number in range(10)]
    sound = dict.fromkeys(texts, "some text") | dict.fromkeys(dates, "2024-01-31")
    fields = dice.sample([*sound], len(sound))
    rows = [
        [
            dice.choice(odd_texts) if dice.random() < 0.05 else text
            for text in (f"k{row}", *(sound[field] for field in fields))
        ]
        for row in range(420)
    ]
    assert len(texts) * len(rows) > TOGETHER
    data = table([["id", *(field.name for field in fields)], *rows])
    path = tmp_path / "odd.csv"
    path.write_bytes(data)
    for declared in ((), (Field(name="id", is_external_id=True), *fields)):
        odd = Odd(data, fields=declared)
        assert found(path, odd, "fast", 2**20) == found(path, odd, "exact")


NO_RECORDS = NoRecords(["id", "Ext. Id", 'a"b'])
ENDS = ("Total", "Grand Total (3)", "sub-total", "SUM", "Summe:", "Copyright (c) 2024")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["id", "EXT. ID", 'A"b', *ENDS, "Generated By: x"])
        | st.text('idtoalsumb(): "', max_size=9),
        min_size=1,
    )
)
def test_whatever_is_no_record_is_suspect(texts: list[str]) -> None:
    data = table([["x", text] for text in texts])
    regular = prove(next(blocks(io.BytesIO(data), 0, len(data), 2**20)), 2)
    assert regular is not None
    suspect = NO_RECORDS.may_be_none(Cells(regular, 1)) | is_spaced(Cells(regular, 1))
    for number, text in enumerate(texts):
        if NO_RECORDS.problem(text):
            assert suspect[number], text


NEAR = st.sampled_from([*SOUND.items()]) | st.sampled_from(
    [
        *((name, value) for name, values in VALUES.items() for value in values),
        *(("", value) for value in ANYWHERE),
    ]
)
EDITS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.integers(0, 2),
        st.sampled_from(
            [*"0129aZEe+-.,:;/@ TZz#\"\t\x1fé\u00a0\u3000='?NÃ©\u200b", "", "00"]
        ),
    ),
    max_size=3,
)
KINDS = {field.name: field for field in FIELDS}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(NEAR, EDITS), min_size=1, max_size=12),
    st.sampled_from([*SOUND]),
    st.booleans(),
)
def test_whatever_a_rule_objects_to_is_suspect(
    cells: list[tuple[tuple[str, str], list[tuple[int, int, str]]]],
    name: str,
    is_external: bool,
) -> None:
    field = replace(KINDS[name], is_external_id=is_external)
    texts = []
    for (_, text), edits in cells:
        for place, gone, new in edits:
            text = text[:place] + new + text[place + gone :]
        texts.append(text)
    data = table([["x", text] for text in texts])
    block = next(blocks(io.BytesIO(data), 0, len(data), 2**20))
    regular = prove(block, 2)
    assert regular is not None
    column = Cells(regular, 1)
    spaced, suspect = is_spaced(column), is_suspect(field, column)
    odd = odd_cells(regular)
    if odd is not None:
        suspect |= odd[1]
    for number, text in enumerate(texts):
        if text and (problem(field, text) or damage(field, text)):
            assert suspect[number] or spaced[number], text
        if text != text.strip():
            assert spaced[number], text


@pytest.mark.parametrize("name", SOUND)
def test_plain_values_are_not_suspect(name: str) -> None:
    """Otherwise everything would be left to the exact path, and nothing be fast."""
    data = table([["x", SOUND[name]]] * 3)
    regular = prove(next(blocks(io.BytesIO(data), 0, len(data), 2**20)), 2)
    assert regular is not None
    is_sound = ~is_suspect(KINDS[name], Cells(regular, 1))
    # The last of February, powers of ten and several choices are left to the rules.
    assert is_sound.all() == (name not in ("day", "size", "tags"))


def test_one_damaged_row_among_many_is_looked_for_in_small_blocks(
    tmp_path: Path,
) -> None:
    sound = b"".join(plain_rows(7_500))
    for line in DAMAGE.values():
        for at in (50_000, 175_000):
            border = sound.index(b"\nk", at) + 1
            odd = Odd(sound[:border] + line + sound[border:])
            path = tmp_path / "odd.csv"
            path.write_bytes(odd.data)
            exact = found(path, odd, "exact")
            assert found(path, odd, "fast", 2**17) == exact


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"])), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=30,
    )
)
def test_no_row_is_dropped(tmp_path: Path, rows: list[list[str]]) -> None:
    rows = [[text.replace("\r", "").replace("\0", "") for text in row] for row in rows]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows([["id", "b", "c"], *rows])
    path = tmp_path / "sound.csv"
    path.write_text(file.getvalue(), newline="")
    for engine in ("exact", "fast"):
        report = check(path, key="id", engine=engine, block=64)
        assert report.rows == len(rows)
        shown = [[cell[:LONGEST_VALUE] for cell in row] for row in rows[:5]]
        assert report.preview == shown
