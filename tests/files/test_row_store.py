"""Pages of rows: each is right, each is a seek, and what is taken away is exact."""

import csv
import io
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from files.rows.fates import Totals
from files.rows.outcomes import Told, join
from files.rows.row_exports import WrongFile, with_outcomes, with_reasons
from files.rows.row_seeks import Seek
from files.rows.row_store import RowStore
from files.splitting import Part

S, F, U, N = "succeeded", "failed", "unknown", "not sent"
HEADER = b"Name,Ext__c,Error\n"
BODY = (
    b"Ann,k1,\n",
    b'"Bob, ""B""",k2,x\n',
    b'"two\nlines",K3,y\n',
    "Zoë,k2,\n".encode(),
    b"Cid,k10,\n",
    b"Dan,z,\n",
    b"Eve,y,\n",
)
# Row of the original, key and state; one part ended, one is unknown, one was not sent.
EXPECTED = [
    (2, "k1", F),
    (3, "k2", U),
    (4, "K3", F),
    (5, "k2", U),
    (6, "k10", S),
    (7, "z", U),
    (8, "y", N),
]


@dataclass
class Group:
    error: str
    keys: Sequence[str]
    kind: str = "update"


@dataclass
class Files:
    sent: Path
    rows: Path
    totals: Totals


@pytest.fixture
def files(tmp_path: Path) -> Files:
    sent, rows = tmp_path / "sent.csv", tmp_path / "a#b?c%20.sqlite"
    sent.write_bytes(HEADER + b"".join(BODY))
    offset = [len(HEADER) + sum(map(len, BODY[:n])) for n in range(8)]
    groups = (Group("one", ["k1", "k2", "K3"]), Group("two", ["k1"]))
    told = [
        Told("ended", succeeded=2, failed=3, groups=groups, loose=["z", "a"]),
        Told("unknown", "Lost."),
        Told("not sent"),
    ]
    parts = [
        Part(1, 2, 6, offset[0], offset[5] - offset[0]),
        Part(2, 7, 7, offset[5], offset[6] - offset[5]),
        Part(3, 8, 8, offset[6], offset[7] - offset[6]),
    ]
    pairs = list(zip(parts, told, strict=True))
    return Files(sent, rows, join(sent, key="Ext__c", parts=pairs, target=rows))


@pytest.fixture
def store(files: Files) -> Iterator[RowStore]:
    with RowStore(files.rows) as opened:
        yield opened


def test_all_rows_are_there_in_order(store: RowStore) -> None:
    assert [(r.row, r.key, r.state) for r in store.outcomes()] == EXPECTED


def test_totals_count_the_rows_and_come_back_from_json(files: Files) -> None:
    assert Totals.from_json(files.totals.as_json()) == files.totals
    assert (files.totals.rows, files.totals.sent) == (7, 6)
    assert files.totals.loose == ["z", "a"]


def test_groups_are_listed_largest_first(store: RowStore) -> None:
    every = [(g.error, g.state, g.count) for g in store.groups(limit=10)]
    assert sorted(every) == sorted(
        [("one", F, 2), ("one", U, 2), ("Lost.", U, 1), ("two", F, 0)]
    )
    assert [count for _, _, count in every] == [2, 2, 1, 0]
    assert len(store.groups(limit=1)) == 1


def test_an_outcome_tells_all_errors(store: RowStore) -> None:
    first, second, *_ = store.outcomes()
    assert (first.error, first.other_errors, first.kind) == ("one", ("two",), "update")
    assert (second.error, second.other_errors) == ("one", ())
    assert store.page(group=first.group).rows[0] == first


def keys(store: RowStore, **query: Any) -> list[tuple[int, str]]:
    return [(row.row, row.key) for row in store.page(**query).rows]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ({}, [2, 3, 4, 5, 6, 7, 8]),
        ({"state": F}, [2, 4]),
        ({"state": N}, [8]),
        ({"state": "nonsense"}, []),
        ({"key": "k1"}, [2, 6]),
        ({"key": "k2"}, [3, 5]),
        ({"key": "k"}, [2, 6, 3, 5]),
        ({"key": "K"}, [4]),
        ({"key": "k3"}, [4]),
        ({"key": "Z"}, [7]),
        ({"key": "none"}, []),
        ({"key": "\ud800"}, []),
        ({"key": "\U0010ffff"}, []),
        ({"key": "k", "state": U}, [3, 5]),
        ({"key": "k1", "state": S}, [6]),
        ({"group": 99}, []),
        ({"group": 2**70}, []),
        ({"group": -1}, []),
        ({"after": 3, "limit": 2}, [4, 5]),
        ({"before": 6, "limit": 2}, [4, 5]),
        ({"after": 2**70}, []),
        ({"after": -(2**70), "limit": 1}, [2]),
        ({"key": "k", "after": 6, "limit": 1}, [3]),
        ({"key": "k", "before": 5, "limit": 2}, [6, 3]),
        ({"key": "k", "after": 7, "limit": 1}, [2]),
    ],
)
def test_a_page_holds_what_is_asked_for(
    store: RowStore, query: dict[str, Any], rows: list[int]
) -> None:
    assert [row for row, _ in keys(store, **query)] == rows


def test_a_group_has_rows_of_one_state(store: RowStore) -> None:
    for group in store.groups(limit=10):
        page = store.page(group=group.id)
        assert len(page.rows) == group.count
        assert {row.state for row in page.rows} <= {group.state}
        assert store.page(group=group.id, state=group.state) == page
        other = F if group.state == U else U
        assert store.page(group=group.id, state=other).rows == []


QUERIES = [
    {"state": state, "group": group, "key": key}
    for state, group, key in product(
        ("", S, F, U), (None, 1, 2, 3, 4), ("", "k", "k1", "k2")
    )
]


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_pages_follow_each_other_both_ways(
    store: RowStore, query: dict[str, Any], limit: int
) -> None:
    whole = store.page(**query, limit=1_000)
    assert not whole.has_older
    assert not whole.has_newer
    page = store.page(**query, limit=limit)
    forth = list(page.rows)
    while page.has_newer:
        page = store.page(**query, limit=limit, after=page.rows[-1].row)
        assert page.has_older
        forth += page.rows
    assert forth == whole.rows
    back = list(page.rows)
    while page.has_older:
        page = store.page(**query, limit=limit, before=page.rows[0].row)
        assert page.has_newer
        back = page.rows + back
    assert back == whole.rows


def test_each_query_of_a_page_is_a_seek_in_order(files: Files) -> None:
    queries: list[str] = []
    with RowStore(files.rows) as store:
        store._database.set_trace_callback(queries.append)
        for query in QUERIES:
            for place in ({}, {"after": 3}, {"before": 5}):
                store.page(**query, **place)
        list(store.outcomes())
        list(store.outcomes(F))
        store.groups(limit=10)
    assert len(set(queries)) > 50
    database = sqlite3.connect(files.rows)
    for query in set(queries):
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {query}")]
        assert plan
        for step in plan:
            is_in_order = "SCAN groups USING INDEX groups_by_count" in step
            is_values = "json_each" in step or "LIST SUBQUERY" in step
            assert step.startswith("SEARCH") or is_in_order or is_values, (query, plan)
            assert "TEMP B-TREE" not in step, (query, plan)
    database.close()


def test_a_page_of_one_key_in_many_rows_walks_none_of_the_others(
    tmp_path: Path,
) -> None:
    steps = {}
    for count in (100, 20_000):
        sent, rows = tmp_path / "sent.csv", tmp_path / "rows.sqlite"
        sent.write_bytes(b"k\n" + b"same\n" * count)
        part = Part(1, 2, count + 1, 2, 5 * count)
        join(sent, key="k", parts=[(part, Told("ended"))], target=rows)
        with RowStore(rows) as store:
            calls: list[int] = []
            store._database.set_progress_handler(lambda c=calls: c.append(1), 1)
            page = store.page(key="same", state=U, before=count, limit=10)
            assert [row.row for row in page.rows] == list(range(count - 10, count))
            steps[count] = len(calls)
    assert steps[20_000] < steps[100] * 1.5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=4), max_size=30), st.text(min_size=1, max_size=3))
@example(["\ud7ff", "\ud7ffa", "\ue000"], "\ud7ff")
@example(["\U0010ffff", "\U0010ffffa"], "\U0010ffff")
def test_every_key_that_begins_so_is_found(found: list[str], beginning: str) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in found]
    database = sqlite3.connect(":memory:")
    database.executescript(
        "CREATE TABLE rows (row INTEGER PRIMARY KEY, sent_row, part, key TEXT, state,"
        " grp, others, start, length, record);"
        " CREATE TABLE groups (id, error, kind)"
    )
    database.executemany("INSERT INTO rows (key) VALUES (?)", ((t,) for t in texts))
    rows = Seek(database, key=beginning).rows((beginning, 0), 100)
    assert [row[2] for row in rows] == sorted(
        t for t in texts if t.startswith(beginning)
    )
    database.close()


def test_threads_read_at_the_same_time(files: Files) -> None:
    with RowStore(files.rows) as store, ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: store.page(), range(40)))
    assert all(page == pages[0] for page in pages)
    assert len(pages[0].rows) == 7


def test_the_store_cannot_be_written(store: RowStore) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        store._database.execute("DELETE FROM rows")


def test_rows_in_a_state_are_numbered_both_ways(store: RowStore) -> None:
    assert [(r.row, r.sent_row) for r in store.outcomes(F)] == [(2, 2), (4, 4)]


def test_a_row_tells_where_its_bytes_are(files: Files, store: RowStore) -> None:
    raw = files.sent.read_bytes()
    places = [raw[r.start : r.start + r.length] for r in store.outcomes()]
    assert places == list(BODY)


def test_lists_keep_the_columns_and_add_their_own(
    files: Files, store: RowStore
) -> None:
    every = list(with_outcomes(store, files.sent))
    cells = list(csv.reader(io.StringIO(b"".join(BODY).decode(), newline="")))
    assert [row[:3] for row in every[1:]] == cells
    assert every[0] == ["Name", "Ext__c", "Error", "Row", "Outcome", "Error (console)"]
    assert every[1] == ["Ann", "k1", "", "2", F, "one; two"]
    assert [row[4] for row in every[1:]] == [state for _, _, state in EXPECTED]
    failed = list(with_reasons(store, files.sent))
    assert failed == [
        ["Name", "Ext__c", "Error", "Row", "Error (console)"],
        ["Ann", "k1", "", "2", "one; two"],
        ["two\nlines", "K3", "y", "4", "one"],
    ]


def test_another_file_is_refused(files: Files, store: RowStore) -> None:
    files.sent.write_bytes(HEADER + BODY[0])
    for export in (with_outcomes, with_reasons):
        with pytest.raises(WrongFile, match="before row"):
            list(export(store, files.sent))
