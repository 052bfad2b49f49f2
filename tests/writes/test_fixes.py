"""Fixes on the page of a file: all at once, one by one, undone, value by value."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration, WriteObject
from files.field import Field
from files.fields.field_lists import as_json
from files.mending.recipes import Recipe
from files.mending.undoing import without
from sandbox.app import Sandbox
from tests.texts import numbers
from tests.writes.making import confirm, make_draft
from tests.writes.test_file import as_sent, groups, page, press
from writes.models import FileJob, Write
from writes.recipe import without_rows

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

CSV = """\
Key,Born,Sum,Open,Level,Zz9
 1,12/31/2024,"1,234.5",Yes,Exprt,x
2,01/02/2024,"1,234",no,Exprt,x
3,2024-01-02,5,maybe,Other,x
4,2024-01-02,5,true,Novice,x
,2024-01-02,5,true,Novice,x
,,,,,
"""
FIELDS = (
    Field(name="Key"),
    Field(name="Born", type="date"),
    Field(name="Sum", type="currency"),
    Field(name="Open", type="boolean"),
    Field(
        name="Level", type="picklist", is_restricted=True, values=("Expert", "Novice")
    ),
)


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    WriteObject.objects.filter(integration=integration, name="contact").update(
        fields=as_json(FIELDS), fields_from=WriteObject.FieldsFrom.DESCRIBE
    )
    return make_draft(
        integration, olga, csv=CSV.encode(), primary_key="Key", faulty=True
    )


def fixes(write: Write) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = write.check_report["fixes"]
    return found


def rows(write: Write) -> list[list[str]]:
    return list(csv.reader(as_sent(write).decode().splitlines()))


def undo(write: Write, *parts: str) -> dict[str, int]:
    """Return what the Undo beside a change sends."""
    undos = [change["undo"] for change in write.check_report["changes"]]
    return {"change": undos.index(list(parts))}


class TestAtOnce:
    """All that can mean one thing only, in one go."""

    def test_it_takes_one_check(self, write: Write, browser: Browser) -> None:
        safe = [fix for fix in fixes(write) if fix["is_safe"]]
        assert len(safe) == 5
        before = FileJob.objects.count()
        press(browser, write, "fix-all", edition=write.edition)
        assert FileJob.objects.count() == before + 1
        assert rows(write) == [
            ["Key", "Born", "Sum", "Open", "Level", "Zz9"],
            ["1", "2024-12-31", "1234.5", "true", "Exprt", "x"],
            ["2", "2024-01-02", "1234", "false", "Exprt", "x"],
            ["3", "2024-01-02", "5", "maybe", "Other", "x"],
            ["4", "2024-01-02", "5", "true", "Novice", "x"],
            ["", "2024-01-02", "5", "true", "Novice", "x"],
        ]
        # A column may be meant for a field with another name.
        assert [fix["is_safe"] for fix in fixes(write)] == [False]
        press(browser, write, "fix", fix=0)
        assert fixes(write) == []
        assert rows(write)[0] == ["Key", "Born", "Sum", "Open", "Level"]

    def test_each_says_how_much_was_changed_then(
        self, write: Write, browser: Browser
    ) -> None:
        told = sorted(fix["count"] for fix in fixes(write) if fix["is_safe"])
        press(browser, write, "fix-all")
        changes = write.check_report["changes"]
        assert sorted(c["count"] for c in changes if c["undo"]) == told

    def test_the_page_shows_each_with_its_count_and_examples(
        self, write: Write, browser: Browser
    ) -> None:
        text = browser.get(page(write)).content.decode()
        shown = re.findall(r'name="fix" value="(\d+)"', text)
        assert sorted(shown) == [str(place) for place in range(len(fixes(write)))]
        for fix in fixes(write):
            for before, after in fix["examples"]:
                assert f">{before}</del>" in text
                assert f">{after or 'blank'}</ins>" in text

    def test_what_may_be_meant_otherwise_waits_for_a_person(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"Key,Note,Day\n1 ,NULL,01/02/2024\n2,#N/A,03/04/2024\n"
        write = make_draft(integration, olga, csv=data, primary_key="Key", faulty=True)
        assert [fix["is_safe"] for fix in fixes(write)] == [True, False, False]
        press(browser, write, "fix-all")
        assert as_sent(write) == data.replace(b"1 ", b"1")
        press(browser, write, "fix", fix=0)
        press(browser, write, "fix", fix=0)
        assert as_sent(write) == b"Key,Note,Day\n1,,01/02/2024\n2,,03/04/2024\n"

    def test_a_change_by_hand_stays(self, write: Write, browser: Browser) -> None:
        edit = {"cell_row": "6", "cell_column": "Key", "cell_was": "", "cell": "5"}
        press(browser, write, "cells", **edit)
        press(browser, write, "fix-all")
        assert [row[0] for row in rows(write)[1:]] == ["1", "2", "3", "4", "5"]


class TestSingly:
    """One fix, and one undo."""

    def test_one_is_applied_and_the_others_stay(
        self, write: Write, browser: Browser
    ) -> None:
        place = [fix["column"] for fix in fixes(write)].index("Born")
        others = [fix["patch"] for fix in fixes(write) if fix["column"] != "Born"]
        press(browser, write, "fix", fix=place)
        assert [row[1] for row in rows(write)[1:3]] == ["2024-12-31", "2024-01-02"]
        assert [fix["patch"] for fix in fixes(write)] == others

    @pytest.mark.parametrize(
        ("parts", "cell"),
        [
            (("trim", "Key"), (0, " 1")),
            (("dates", "Born"), (1, "12/31/2024")),
            (("numbers", "Sum"), (2, "1,234.5")),
            (("booleans", "Open"), (3, "Yes")),
        ],
    )
    def test_one_is_undone_and_the_others_stay(
        self,
        parts: tuple[str, str],
        cell: tuple[int, str],
        write: Write,
        browser: Browser,
    ) -> None:
        press(browser, write, "fix-all")
        before = rows(write)[1]
        press(browser, write, "undo-one", **undo(write, *parts))
        place, text = cell
        assert rows(write)[1] == [*before[:place], text, *before[place + 1 :]]

    def test_rows_and_columns_come_back(self, write: Write, browser: Browser) -> None:
        press(browser, write, "fix-all")
        press(browser, write, "undo-one", **undo(write, "blank_rows"))
        assert len(rows(write)) == 7
        place = [fix["unit"] for fix in fixes(write)].index("column")
        press(browser, write, "fix", fix=place)
        assert rows(write)[0][-1] == "Level"
        press(browser, write, "undo-one", **undo(write, "name", "Zz9"))
        assert rows(write)[0][-1] == "Zz9"

    def test_the_key_follows_when_its_name_is_undone(
        self, write: Write, browser: Browser
    ) -> None:
        press(browser, write, "columns", name_0="Other")
        assert write.primary_key == "Other"
        press(browser, write, "undo-one", **undo(write, "name", "Key"))
        assert write.primary_key == "Key"

    @pytest.mark.hostile
    @pytest.mark.parametrize(
        ("do", "name"), [("fix", "fix"), ("undo-one", "change"), ("fix", "none")]
    )
    @pytest.mark.parametrize("value", ["99", "-1", "x", "", "9" * 40, "٣"])
    def test_what_is_not_listed_is_refused(
        self, do: str, name: str, value: str, write: Write, browser: Browser
    ) -> None:
        recipe = write.recipe
        assert press(browser, write, do, **{name: value}).status_code == 422
        assert write.recipe == recipe

    def test_a_page_that_is_out_of_date_changes_nothing(
        self, write: Write, browser: Browser
    ) -> None:
        old = write.edition
        press(browser, write, "fix", fix=0)
        sent = as_sent(write)
        press(browser, write, "fix", fix=0, edition=old)
        press(browser, write, "undo-one", change=0, edition=old)
        assert as_sent(write) == sent


class TestValues:
    """What many cells hold is replaced once."""

    def level(self, answer: Any) -> dict[str, Any]:
        found = (g for g in groups(answer) if g["rule"] == "picklist")
        return next(group for group in found if group["level"] == "blocks")

    def test_each_is_shown_once_with_its_nearest_choice(
        self, write: Write, browser: Browser
    ) -> None:
        group = self.level(browser.get(page(write)))
        assert group["to_replace"] == [
            {"value": "Exprt", "count": 2, "near": "Expert"},
            {"value": "Other", "count": 1, "near": ""},
        ]
        assert group["choices"] == ("Expert", "Novice")
        # It is not applied by itself.
        press(browser, write, "fix-all")
        assert [row[4] for row in rows(write)[1:3]] == ["Exprt", "Exprt"]

    def test_all_its_cells_are_replaced_and_no_other(
        self, write: Write, browser: Browser
    ) -> None:
        named = {"level": "blocks", "rule": "picklist", "column": "Level"}
        values = {"value_was": ["Exprt", "Other"], "value_to": ["Expert", ""]}
        press(browser, write, "replace", **named, **values)
        levels = [row[4] for row in rows(write)[1:]]
        assert levels == ["Expert", "Expert", "Other", "Novice", "Novice", ""]
        change = write.check_report["changes"][-1]
        assert (change["count"], change["undo"]) == (2, ["replaced", "Level", "Exprt"])
        assert numbers(change["what"])[:1] == [2]
        press(browser, write, "replace", **named, value_was="Other", value_to="Novice")
        press(browser, write, "undo-one", **undo(write, "replaced", "Level", "Exprt"))
        levels = [row[4] for row in rows(write)[1:]]
        assert levels == ["Exprt", "Exprt", "Novice", "Novice", "Novice", ""]

    def test_what_replaced_another_value_is_replaced_in_turn(
        self, write: Write, browser: Browser
    ) -> None:
        named = {"level": "blocks", "rule": "picklist", "column": "Level"}
        press(browser, write, "replace", **named, value_was="Exprt", value_to="Xpert")
        press(browser, write, "replace", **named, value_was="Xpert", value_to="Expert")
        assert [row[4] for row in rows(write)[1:3]] == ["Expert", "Expert"]

    @pytest.mark.hostile
    @pytest.mark.parametrize(
        "values",
        [
            {"value_was": "Novice", "value_to": "Expert"},
            {"value_was": "Exprt", "value_to": "\0"},
            {"value_was": "Exprt", "value_to": "Expert", "rule": "number"},
            {"value_was": "Exprt", "value_to": "Expert", "column": "Zz9"},
        ],
    )
    def test_what_the_page_does_not_offer_is_refused(
        self, values: dict[str, str], write: Write, browser: Browser
    ) -> None:
        named = {"level": "blocks", "rule": "picklist", "column": "Level"}
        answer = press(browser, write, "replace", **named | values)
        assert answer.status_code == 422
        assert as_sent(write) == CSV.encode()


class TestRowsWithErrors:
    """Excluded in one go, and restored."""

    def test_as_many_rows_are_excluded_as_the_page_says(
        self, write: Write, browser: Browser
    ) -> None:
        press(browser, write, "fix-all")
        said = write.check_report["error_rows"]
        before = rows(write)
        press(browser, write, "exclude-errors")
        assert said == 4
        assert len(before) - len(rows(write)) == said
        assert rows(write)[1:] == [["4", "2024-01-02", "5", "true", "Novice", "x"]]
        press(browser, write, "put-back")
        assert rows(write) == before

    def test_they_are_not_offered_where_no_row_would_be_left(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"Key,Name\n,x\n,y\n"
        write = make_draft(integration, olga, csv=data, primary_key="Key", faulty=True)
        assert write.check_report["error_rows"] == 0
        assert press(browser, write, "exclude-errors").status_code == 422
        assert as_sent(write) == data


class TestColumns:
    """The table of the columns asks what fits, and shows what is in them."""

    def test_only_conversions_that_fit_the_field_are_asked(
        self, write: Write, browser: Browser
    ) -> None:
        shown = browser.get(page(write)).context["columns"]
        asked = {
            column["name"]: {name for name, asks in column["asks"].items() if asks}
            for column in shown
        }
        assert asked == {
            "Key": set(),
            "Born": {"dates"},
            "Sum": {"numbers"},
            "Open": {"booleans"},
            "Level": set(),
            "Zz9": set(),
        }
        dates = next(c for c in shown if c["name"] == "Born")["asks"]["dates"]
        assert {value.partition(":")[0] for value, _ in dates} == {"date"}

    def test_each_shows_some_of_its_values(
        self, write: Write, browser: Browser
    ) -> None:
        shown = browser.get(page(write)).context["columns"]
        assert [column["samples"] for column in shown][3:] == [
            ["Yes", "no", "maybe"],
            ["Exprt", "Other", "Novice"],
            ["x"],
        ]

    def test_what_is_not_asked_stays(self, write: Write, browser: Browser) -> None:
        named = {"level": "blocks", "rule": "picklist", "column": "Level"}
        press(browser, write, "replace", **named, value_was="Exprt", value_to="Expert")
        press(browser, write, "fix-all")
        names = {f"name_{n}": name for n, name in enumerate(["Key", "Born", "Sum"])}
        form = {**names, "name_3": "Open", "name_4": "Level", "name_5": "Zz9"}
        press(browser, write, "columns", **form, trim_0="on", leave_5="on")
        assert rows(write)[1] == ["1", "2024-12-31", "1234.5", "true", "Expert"]
        press(browser, write, "columns", **form, numbers_2="", booleans_3="")
        assert rows(write)[1][2:4] == ["1,234.5", "Yes"]


@pytest.mark.parametrize(
    ("do", "place"), [("fix-all", "fixes"), ("exclude-errors", "fixes")]
)
def test_without_a_script_the_answer_leads_back_to_the_work(
    do: str, place: str, write: Write, browser: Browser
) -> None:
    assert press(browser, write, do).url.endswith(f"#{place}")
    other = press(browser, write, "undo", comes_back=1)
    assert other.url == page(write)


def test_blank_rows_come_back_alone_whatever_was_excluded_since() -> None:
    recipe = without_rows(Recipe(blank_rows=((3, 3),)), [4, 5])
    assert recipe.ranges() == [(3, 5)]
    assert without(recipe, ["blank_rows"]).ranges() == [(4, 5)]


@pytest.mark.parametrize(
    "do", ["fix", "fix-all", "undo-one", "replace", "exclude-errors"]
)
def test_a_viewer_fixes_nothing(
    do: str,
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    sign_in: Callable[..., Browser],
) -> None:
    write = make_draft(integration, olga, csv=b"Key,Note\n1,x \n", primary_key="Key")
    confirm(write, olga)
    viewer = sign_in(Role.VIEWER)
    assert 'name="fix"' not in viewer.get(page(write)).content.decode()
    assert viewer.post(page(write), {"do": do}).status_code == 403
