"""Digests miss nothing that was put in, and seldom name what was not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.rows import record_digests
from files.rows.record_digests import Digests, Packed, place_of, plain, spellings
from files.rows.row_store import RowStore
from files.rows.row_tables import RowWriter
from files.values.record_ids import normal

KEYED = Digests(b"k" * 32)
SPACES = st.text(" \t\u00a0\u2003\n", max_size=3)
# Of other characters, as people and programs write them, and what looks like ids.
VALUES = st.one_of(
    st.text(min_size=1, max_size=30),
    st.from_regex(r"\A[A-Za-z0-9]{15}\Z"),
    st.from_regex(r"\A[A-Za-z0-9]{18}\Z"),
    st.from_regex(r"\A[A-Za-z0-9]{15}\Z").map(lambda text: normal(text) or text),
)


def finds(packed: Packed, text: str) -> bool:
    """Tell what the tables of the console tell of the same digests."""
    digest = KEYED.of(text)
    number, kept = place_of(digest)
    return digest in packed.few or kept in dict(packed.slices).get(number, b"")


@given(st.lists(VALUES, max_size=60), st.sampled_from([0, 10, 1000]), SPACES, SPACES)
def test_nothing_that_was_put_in_is_missed(
    values: list[str], few: int, before: str, after: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record_digests, "FEW", few)
        packed = KEYED.packed(values)
    for value in filter(plain, values):
        assert finds(packed, value)
        assert finds(packed, before + value + after)
        if normal(value.strip()):
            assert all(finds(packed, spelling) for spelling in spellings(value))


@given(
    pairs=st.lists(st.tuples(VALUES, VALUES | st.just("")), max_size=8), around=SPACES
)
def test_the_rows_have_what_the_digests_find(
    pairs: list[tuple[str, str]], around: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With spaces in the file or in what is typed, and ids in either length."""
    path = tmp_path_factory.mktemp("rows") / "rows.sqlite3"
    _write(path, [(around + key, record) for key, record in pairs])
    with RowStore(path) as store:
        packed = KEYED.packed(store.values())
        for key, record in pairs:
            for text in filter(plain, (key, record, around + key, record + around)):
                assert finds(packed, text)
                for spelling in spellings(text):
                    found = store.carrying(spelling, limit=20)
                    assert found, (spelling, pairs)


def _write(path: Path, pairs: list[tuple[str, str]]) -> None:
    with RowWriter(path) as writer:
        writer.add(
            (row, row, key, 0, None, None, 0, 0, record or None)
            for row, (key, record) in enumerate(pairs, start=2)
        )
        writer.finish(loose=[], alarms=[])


def test_few_are_found_that_were_not_put_in() -> None:
    packed = KEYED.packed(f"key-{number}" for number in range(10_000))
    assert len(packed.slices) == record_digests.SLICES
    assert sum(finds(packed, f"other-{number}") for number in range(10_000)) <= 10


def test_another_key_makes_other_digests() -> None:
    assert KEYED.of("a") != Digests(b"o" * 32).of("a")
