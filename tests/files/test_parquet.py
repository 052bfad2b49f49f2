"""Parquet as an independent reader reads it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files import parquet
from files.parquet import ParquetColumn, ParquetWriter

COLUMNS = (
    ParquetColumn("id", "integer"),
    ParquetColumn("text", "text"),
    ParquetColumn("note", "text", optional=True),
    ParquetColumn("count", "integer", optional=True),
    ParquetColumn("at", "timestamp", optional=True),
)
NUMBERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(codec="utf-8"))
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001 - made aware
    lambda moment: moment.replace(tzinfo=UTC)
)
ROWS = st.lists(
    st.tuples(
        *(NUMBERS, TEXTS, st.none() | TEXTS, st.none() | NUMBERS, st.none() | MOMENTS)
    ),
    max_size=40,
)


def written(path: Path, rows: list[Any]) -> Path:
    with path.open("wb") as file:
        writer = ParquetWriter(file, COLUMNS)
        writer.write(rows)
        writer.finish()
    assert writer.count == len(rows)
    return path


def read(path: Path) -> list[Any]:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        found = database.execute(
            'SELECT id, text, note, count, epoch_us("at") FROM read_parquet(?)',
            [str(path)],
        ).fetchall()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        (*row[:4], row[4] if row[4] is None else epoch + timedelta(microseconds=row[4]))
        for row in found
    ]


@given(rows=ROWS, most=st.integers(1, 20))
@settings(max_examples=60)
def test_what_is_read_is_what_was_written(
    rows: list[Any], most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("parquet") / "x.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "GROUP_ROWS", most)
        written(path, rows)
    assert read(path) == rows


def test_many_rows_and_columns_are_read(tmp_path: Path) -> None:
    rows = [(n, "x" * (n % 300), None, n or None, None) for n in range(120_000)]
    assert read(written(tmp_path / "x.parquet", rows)) == rows


def test_null_where_none_may_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="text"):
        written(tmp_path / "x.parquet", [(1, None, None, None, None)])
