"""What is offered to be done with rows and cells touches those at fault, no others."""

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.models import Integration
from files.checking.check import check
from files.checking.records import Records, Unreadable
from files.findings import Finding, Report
from files.mending.mend import mend
from files.mending.recipes import Recipe
from tests.files.corpus import Odd, corpus
from tests.writes.making import make_draft
from tests.writes.pages import Page
from tests.writes.test_file import as_sent, press
from writes.display.finding_titles import RULES, title_of
from writes.display.findings import names_its_rows

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

ROW_ACTIONS = {"leave-out", "keep-first", "keep-last"}


def findings_of(path: Path, odd: Odd) -> tuple[list[Finding], Report]:
    found: list[Finding] = []
    report = Report(sink=found.append)
    check(path, key=odd.key, fields=odd.fields, report=report)
    return found, report


def offered(report: Report) -> Iterator[tuple[str, str, str | None]]:
    """Yield level, rule and column of the groups whose rows may be left out."""
    for group in report.as_json()["groups"]:
        if names_its_rows(group):
            yield group["level"], group["rule"], group["column"]


def is_of(finding: Finding, group: tuple[str, str, str | None]) -> bool:
    return (finding.level, finding.rule, finding.column) == group


@pytest.mark.parametrize("odd", corpus().values(), ids=corpus())
def test_rows_that_may_be_left_out_are_each_at_fault(odd: Odd, tmp_path: Path) -> None:
    """Of those rows alone every one is at fault; without them none is."""
    path = tmp_path / "odd.csv"
    path.write_bytes(odd.data)
    found, report = findings_of(path, odd)
    for group in offered(report):
        at_fault = {f.row for f in found if is_of(f, group) and (f.row or 0) > 1}
        records = list(_records(odd.data))
        only = [raw for row, raw in enumerate(records, 1) if row in {1, *at_fault}]
        path.write_bytes(b"".join(only))
        again = {f.row for f in findings_of(path, odd)[0] if is_of(f, group)}
        if odd.fields:  # else the columns are taken for what is in them
            assert set(range(2, 2 + len(at_fault))) <= again, group
        path.write_bytes(odd.data)
        sent = tmp_path / "sent.csv"
        mend(path, sent, Recipe(left_out=tuple((row, row) for row in at_fault)))
        sent.replace(path)
        left = [f for f in findings_of(path, odd)[0] if is_of(f, group)]
        assert not [f for f in left if (f.row or 0) > 1 and odd.fields], group


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the bytes of each record, as far as they can be told apart."""
    records = Records(io.BytesIO(data))
    with suppress(Unreadable):
        for _ in records:
            yield records.raw.encode("utf-8", "surrogateescape")


# Each finding of these names a row at fault; of others it is an example at most.
ABOUT_ROWS = {
    "altered-id", "big-record", "blank-key", "boolean", "cell-error", "date",
    "date-time", "email",
    "empty-row", "id", "key-spaces", "key-twins", "lone-cr", "long-cell", "long-number",
    "long-row", "not-decodable", "not-utf-8", "nul", "number", "number-range",
    "formula-text", "hidden-rows", "key-not-asked", "key-not-shown", "key-several",
    "key-shared", "kind", "lost-characters", "misread", "no-value",
    "placeholder", "shown-otherwise", "unseen", "inner-quotes",
    "picklist", "quotes", "ragged-row", "repeated-header",
    "repeated-key", "report-end", "required-blank", "scientific", "time", "too-long",
}  # fmt: skip


def test_a_rule_is_about_rows_only_where_each_of_them_is_at_fault() -> None:
    about_rows = {rule for rule in RULES if title_of(rule).is_about_rows}
    assert about_rows == ABOUT_ROWS
    assert not title_of("brand-new").is_about_rows


COLUMN_LEVEL = {
    "cell-spaces": b"id,a\n1,x \n2,y\n3, z\n4,w\n",
    "blanks": b"id,a\n1,\n2,y\n3,\n4,w\n",
    "long-numbers": b"id,a\n1,12345678901234500\n2,y\n3,22345678901234500\n"
    b"4,32345678901234500\n",
    "nulls": b"id,a\n1,#N/A\n2,y\n3,#N/A\n4,w\n",
}


@pytest.mark.parametrize("rule", COLUMN_LEVEL)
def test_the_row_of_an_example_is_neither_offered_nor_taken(
    rule: str, integration: Integration, olga: User, browser: Browser
) -> None:
    data = COLUMN_LEVEL[rule]
    write = make_draft(integration, olga, csv=data, primary_key="id")
    page = browser.get(f"/writes/{write.pk}/file/").content.decode()
    assert not [do for do in {*ROW_ACTIONS, "cells"} if f'value="{do}"' in page]
    for do in ROW_ACTIONS:
        for level in ("notes", "warns"):
            values = {"level": level, "rule": rule, "column": "a"}
            assert press(browser, write, do, **values).status_code == 422
        assert as_sent(write) == data
    edit = {"cell_row": "2", "cell_column": "a", "cell_was": "", "cell": "new"}
    assert press(browser, write, "cells", **edit).status_code == 422
    assert as_sent(write) == data


def test_only_all_rows_of_a_finding_may_be_left_out() -> None:
    group = {"rule": "quotes", "total": 3, "listed": 3, "first": [{"row": 2}]}
    assert names_its_rows(group)
    assert not names_its_rows(group | {"listed": 2})
    assert not names_its_rows(group | {"first": [{"row": 1}]})
    del group["listed"]
    assert not names_its_rows(group)


class TestRepeatedKeys:
    """One row of each key can be kept; the other rows are held back."""

    DATA = b"id,a\n1,x\n2,y\n1,z\n3,w\n1,v\n"

    @pytest.mark.parametrize(
        ("do", "sent"),
        [
            ("keep-first", b"id,a\n1,x\n2,y\n3,w\n"),
            ("keep-last", b"id,a\n2,y\n3,w\n1,v\n"),
            ("leave-out", b"id,a\n2,y\n3,w\n"),
        ],
    )
    def test_one_row_is_kept(
        self,
        do: str,
        sent: bytes,
        integration: Integration,
        olga: User,
        browser: Browser,
    ) -> None:
        write = make_draft(
            integration, olga, csv=self.DATA, primary_key="id", faulty=True
        )
        values = {"level": "blocks", "rule": "repeated-key", "column": "id"}
        press(browser, write, do, **values)
        assert write.is_ready
        assert as_sent(write) == sent

    def test_a_key_too_long_to_compare_is_not_left_out(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"id,a\n" + b"".join(b"x" * 250 + b",1\n" for _ in range(2))
        write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
        values = {"level": "blocks", "rule": "repeated-key", "column": "id"}
        assert press(browser, write, "keep-first", **values).status_code == 422
        assert as_sent(write) == data


def test_findings_of_two_levels_are_told_and_left_out_apart(
    tiers: Integration, olga: User, browser: Browser
) -> None:
    data = b"id,name,tier\n1,x,gold\n2,y,Lead\n"
    write = make_draft(tiers, olga, csv=data, primary_key="id", faulty=True)
    values = {"rule": "picklist", "column": "tier"}
    press(browser, write, "leave-out", level="blocks", **values)
    assert write.is_ready
    assert as_sent(write) == b"id,name,tier\n1,x,gold\n"


def test_a_cell_of_several_lines_is_not_changed_by_its_form(
    tiers: Integration, olga: User, browser: Browser
) -> None:
    data = b'id,name,tier\n1,x,"\nGold\nSilver"\n2,y,Lead\n'
    write = make_draft(tiers, olga, csv=data, primary_key="id", faulty=True)
    page = Page(browser.get(f"/writes/{write.pk}/file/"))
    names = ("cell_row", "cell_column", "cell_was", "cell")
    form = {name: page.submits[name] for name in names}
    assert len(set(map(len, form.values()))) == 1
    form["cell"][form["cell_row"].index("3")] = "Gold"
    press(browser, write, "cells", **form)
    assert write.recipe.cells == {(3, "tier"): "Gold"}
