"""The columns that the form shows are those that were checked."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.checking.check import check
from files.field import Field
from files.findings import Report
from writes.columns import header_of

UNSEEN = "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029\u200e\u200b\ufeff\xad\x01\x7f"
FIELDS = (Field(name="Ext__c", is_external_id=True), Field(name="Name"))


def _checked(folder: str, names: list[str], fields: tuple[Field, ...] = ()) -> Report:
    file = io.StringIO()
    table = [names, ["x"] * len(names)]
    csv.writer(file, lineterminator="\n").writerows(table)
    path = Path(folder, "file.csv")
    path.write_bytes(file.getvalue().encode())
    assert len(header_of(path)) == len(names)
    return check(path, key="Ext__c", fields=fields)


NAMES = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(UNSEEN))


@settings(deadline=None)
@given(st.lists(NAMES, min_size=1, max_size=5))
def test_no_character_of_a_header_takes_a_column_away(names: list[str]) -> None:
    with TemporaryDirectory() as folder:
        report = _checked(folder, ["Ext__c", *names])
    assert len(report.columns) == 1 + len(names)


@pytest.mark.parametrize("char", UNSEEN + "\xa0\u3000")
def test_a_character_that_nobody_sees_is_named(char: str, tmp_path: Path) -> None:
    report = _checked(str(tmp_path), ["Ext__c", f"Na{char}me", "Amount"])
    [group] = [g for g in report.ordered() if g.rule == "column-spaces"]
    assert (group.level, group.column) == ("blocks", f"Na{char}me")
    message = group.first[0].message
    assert f"U+{ord(char):04X} (" in message
    assert char not in message


@pytest.mark.parametrize("char", UNSEEN)
def test_the_field_of_a_name_is_found_without_them(char: str, tmp_path: Path) -> None:
    names = [f"{char}Ext__c", f"Na{char}me"]
    report = _checked(str(tmp_path), names, FIELDS)
    assert {group.rule for group in report.ordered()} == {"column-spaces"}
