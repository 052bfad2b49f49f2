"""What is wrong with a file depends on what its rows are for."""

from pathlib import Path
from typing import get_args

import pytest

from files.checking.check import Engine, check
from files.checking.purposes import Purpose
from files.field import Field
from files.findings import Report

FIELDS = [
    Field(name="Id", type="id"),
    Field(name="LastName", is_required=True),
    Field(name="Email"),
    Field(name="Phone", is_required=True),
]
# Of an upsert by a key alone.
BULK_WORDS = ("job", "insert", "upsert", "unless it is an update", "only updates")
FILE = """Id,LastName,Email,Nonsense
003000000000001,,#N/A,x
003000000000001,Berg,,x
,Holm,a@example.com,x
Id,LastName,Email,Nonsense
"""


def checked(
    tmp_path: Path, purpose: Purpose, engine: Engine = "exact", text: str = FILE
) -> Report:
    path = tmp_path / "file.csv"
    path.write_text(text, encoding="utf-8")
    key = None if purpose == "create" else "Id"
    return check(path, key=key, fields=FIELDS, purpose=purpose, engine=engine)


def told(report: Report) -> dict[tuple[str, str], str]:
    """Return a message of each rule and level."""
    return {
        (group.level, group.rule): group.first[0].message
        for group in report.groups.values()
    }


@pytest.mark.parametrize("engine", ["exact", "fast"])
@pytest.mark.parametrize("purpose", ["create", "update", "delete"])
def test_no_finding_of_records_speaks_of_a_bulk_job(
    tmp_path: Path, purpose: Purpose, engine: Engine
) -> None:
    messages = told(checked(tmp_path, purpose, engine)).values()
    assert messages
    for message in messages:
        assert not [word for word in BULK_WORDS if word in message], message


def test_what_is_required_is_so_for_new_records_alone(tmp_path: Path) -> None:
    some_are_new = {("warns", "missing-column"), ("warns", "required-blank")}
    expected: dict[Purpose, set[tuple[str, str]]] = {
        "upsert": some_are_new,
        "by_id": some_are_new,
        "by_key": some_are_new,
        "create": {("blocks", "missing-column"), ("warns", "required-blank")},
        "update": set(),
        "delete": set(),
    }
    for purpose in get_args(Purpose):
        found = told(checked(tmp_path, purpose))
        rules = {
            each for each in found if each[1] in ("missing-column", "required-blank")
        }
        assert rules == expected[purpose], purpose


def test_blank_cells_of_new_records_clear_nothing(tmp_path: Path) -> None:
    assert "field's default" in told(checked(tmp_path, "create"))["notes", "blanks"]
    assert "#N/A" in told(checked(tmp_path, "update"))["notes", "blanks"]
    assert ("notes", "blanks") not in told(checked(tmp_path, "delete"))


def test_the_words_of_an_upsert_stay(tmp_path: Path) -> None:
    found = told(checked(tmp_path, "upsert"))
    assert "Without a key Salesforce may create" in found["blocks", "blank-key"]
    assert "the whole job would fail" in found["blocks", "unknown-column"]
    assert "which one wins" in found["blocks", "repeated-key"]
    assert "deleted once" in told(checked(tmp_path, "delete"))["blocks", "repeated-key"]
