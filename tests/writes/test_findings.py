"""Findings rule by rule: in words, with their columns, and with what mends them."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from console.models import Integration
from files.rows.fates import Totals
from tests.texts import words
from tests.writes.making import make_draft
from writes.display.finding_titles import RULES, title_of
from writes.display.findings import by_rule, mark_columns
from writes.models import Write
from writes.templatetags.writes import WIDTH, segments, share_of

pytestmark = pytest.mark.pages

ROOT = Path(__file__).resolve().parents[2]


def told_rules() -> set[str]:
    """Return the rules that files/ tells by a literal first or second argument."""
    found = set()
    for path in (ROOT / "files").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                found |= set(_literals(node))
    return found


def _literals(call: ast.Call) -> list[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    if name == "Finding":
        given = [k.value for k in call.keywords if k.arg == "rule"]
    elif name in ("Problem", "add", "_add", "_tell") and len(call.args) > 2:
        given = call.args[1:2]
    elif name == "_blocks":
        given = call.args[:1]
    else:
        return []
    return [
        value.value
        for value in given
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    ]


def group(rule: str, column: str | None = None, **values: Any) -> dict[str, Any]:
    made = {"rule": rule, "column": column, "level": "blocks", "total": 1}
    return made | {"read_column": column or "", "has_rows": False} | values


def test_every_rule_has_a_title_for_people() -> None:
    told = told_rules()
    assert len(told) > 20
    assert told - RULES.keys() == set()


def test_a_rule_without_a_title_is_still_named() -> None:
    assert words(title_of("brand-new").title.lower()) == ["brand", "new"]


def test_columns_of_one_rule_stand_together() -> None:
    columns = {"A": {"number": 0}, "B": {"number": 1}}
    groups = [
        group("unknown-column", "A"),
        group("date", "C", total=3),
        group("unknown-column", "B"),
        group("date", "B", level="warns"),
    ]
    shown = by_rule(groups, columns)
    assert [(r.rule, r.level, r.total, r.noun) for r in shown] == [
        ("unknown-column", "blocks", 2, "columns"),
        ("date", "blocks", 3, "cells"),
        ("date", "warns", 1, "cell"),
    ]
    assert [r.columns for r in shown] == [list(columns.values()), [], [columns["B"]]]


def test_a_column_is_marked_with_its_worst_level() -> None:
    columns: dict[str, dict[str, Any]] = {"A": {}, "B": {}}
    mark_columns(
        columns,
        [
            group("date", "A", total=4),
            group("too-long", "A", total=2),
            group("picklist", "A", level="warns", total=9),
            group("blanks", "B", level="notes"),
        ],
    )
    assert columns == {"A": {"level": "blocks", "total": 6}, "B": {}}


COUNTS = st.integers(0, 10**7)


@given(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS))
def test_a_bar_is_filled_and_shows_all_that_is_there(
    counts: tuple[int, int, int, int],
) -> None:
    succeeded, failed, unknown, not_sent = counts
    totals = Totals(
        rows=sum(counts),
        succeeded=succeeded,
        failed=failed,
        unknown=unknown,
        not_sent=not_sent,
    )
    pieces = segments(totals)
    assert [piece["count"] for piece in pieces] == [count for count in counts if count]
    assert all(piece["width"] > 0 for piece in pieces)
    if pieces:
        assert pieces[0]["place"] == 0
        assert pieces[-1]["place"] + pieces[-1]["width"] == WIDTH
    ends = [piece["place"] + piece["width"] for piece in pieces[:-1]]
    starts = [piece["place"] for piece in pieces[1:]]
    assert all(end < start for end, start in zip(ends, starts, strict=True))


def test_the_share_of_nothing_is_nothing() -> None:
    assert share_of(0, 10) == 0
    assert share_of(1, 0) == 0
    assert share_of(10, 10) == WIDTH


def test_the_page_names_a_rule_in_words() -> None:
    template = Template("{% load writes %}{{ rule|rule_title }}")
    shown = template.render(Context({"rule": "ragged-row"}))
    assert title_of("ragged-row").title in shown


class TestMendsAtOnce:
    """The buttons beside a rule change its columns and leave the others alone."""

    @pytest.fixture
    def write(self, db: None, integration: Integration, olga: User) -> Write:
        text = b"Nr, Born ,Made,Note\n 1 ,12/31/2024,2024-12-31 10:00,a \n"
        return make_draft(integration, olga, csv=text, primary_key="Nr", faulty=True)

    def test_what_is_not_named_stays(self, write: Write, browser: Browser) -> None:
        page = f"/writes/{write.pk}/file/"
        spaces = {"name_1": "Born", "constant_name": "Source", "constant_value": "x"}
        browser.post(page, {"do": "columns", "zone": "UTC", **spaces})
        write.refresh_from_db()
        html = browser.get(page).content.decode()
        # Every quick form carries the constants, or they would be lost.
        assert html.count('name="constant_name" value="Source"') > 1
        trim = {"name_0": "Nr", "trim_0": "on"}
        constants = {"constant_name": "Source", "constant_value": "x"}
        browser.post(page, {"do": "columns", "zone": "UTC", **trim, **constants})
        write.refresh_from_db()
        assert write.recipe.columns[" Born "].name == "Born"
        assert write.recipe.columns["Nr"].trim
        assert write.recipe.constants == (("Source", "x"),)

    def test_the_spaces_of_a_name_can_be_taken_out(
        self, write: Write, browser: Browser
    ) -> None:
        html = browser.get(f"/writes/{write.pk}/file/").content.decode()
        assert '<input type="hidden" name="name_1" value="Born">' in html

    def test_a_swept_file_is_still_a_page(self, write: Write, browser: Browser) -> None:
        Write.objects.filter(pk=write.pk).update(as_read="", original="", as_sent="")
        assert browser.get(f"/writes/{write.pk}/file/").status_code == 200
