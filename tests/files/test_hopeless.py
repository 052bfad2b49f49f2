"""A file with the same fault again and again is not looked through to its end."""

from pathlib import Path
from typing import Any

import pytest

from files.checking.check import check
from files.findings import (
    HOPELESS_IF_DENSE,
    LISTED_PER_GROUP,
    Finding,
    Report,
)


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_where_too_much_blocks_for_one_reason_the_rest_is_not_checked(
    engine: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,a\n" + b",x\n" * (HOPELESS_IF_DENSE + 50_000) + b"1,y\n")
    report = check(path, key="id", engine=engine)
    groups = {group.rule: group for group in report.ordered()}
    assert HOPELESS_IF_DENSE <= groups["blank-key"].total < HOPELESS_IF_DENSE + 50_000
    # All of them are known, so that they may be left out.
    assert groups["blank-key"].listed == groups["blank-key"].total
    assert groups["stopped"].total == 1
    assert report.blocks


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_a_file_with_many_bad_rows_among_more_good_ones_is_checked_to_its_end(
    engine: Any, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    bad = HOPELESS_IF_DENSE + 1_000
    rows = (b"k%d,x\n" % row + b"l%d,x\n" % row + b",x\n" for row in range(bad))
    path.write_bytes(b"id,a\n" + b"".join(rows))
    report = check(path, key="id", engine=engine)
    groups = {group.rule: group for group in report.ordered()}
    assert set(groups) == {"blank-key"}
    assert groups["blank-key"].listed == bad
    assert report.rows == 3 * bad


def test_of_very_many_warnings_the_last_are_only_counted() -> None:
    told: list[Finding] = []
    report = Report(sink=told.append)
    for number in range(LISTED_PER_GROUP + 10):
        report.add("warns", "date", "No date.", row=number + 2, column="a")
    (group,) = report.ordered()
    assert (group.total, group.listed) == (LISTED_PER_GROUP + 10, LISTED_PER_GROUP)
    assert len(told) == LISTED_PER_GROUP
    assert not report.is_hopeless


@pytest.mark.parametrize("engine", ["exact", "fast"])
def test_a_file_of_one_key_was_checked_to_its_end(engine: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = LISTED_PER_GROUP + 10
    path.write_bytes(b"id,a\n" + b"k,x\n" * rows)
    told: list[Finding] = []
    report = check(path, key="id", engine=engine, report=Report(sink=told.append))
    (group,) = report.ordered()
    assert group.rule == "repeated-key"
    assert (group.total, group.listed) == (rows, LISTED_PER_GROUP)
    assert [finding.row for finding in told] == list(range(2, LISTED_PER_GROUP + 2))
    assert report.rows == rows
