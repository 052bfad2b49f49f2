"""The page of a draft's file: how it is read, what is wrong, what can be mended."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, Integration
from files.findings import HOPELESS_IF_DENSE
from files.reading import delimiters, encodings
from sandbox.app import Sandbox
from tests.answers import Shown, levels
from tests.audit_watch import Watch
from tests.texts import numbers
from tests.writes.making import (
    check_draft,
    confirm,
    have_jobs_done,
    make_draft,
    press_send,
)
from tests.writes.pages import Page
from tests.writes.test_csv import upload
from writes.models import SavedMapping, Write

HOSTILE = "<img src=x onerror=alert(1)>"
CSV = b"Nr,Last Name,Born\n1,Berg,31.12.2024\n2,Tal,01.02.2024\n,Lau,03.04.2024\n"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def write(integration: Integration, olga: User) -> Write:
    """A draft whose third row has no key."""
    return make_draft(integration, olga, csv=CSV, primary_key="Nr", faulty=True)


def page(write: Write) -> str:
    return f"/writes/{write.pk}/file/"


def press(browser: Browser, write: Write, do: str, **values: Any) -> Any:
    """Press a button of the page, have the work done, and bring `write` up to date."""
    answer = browser.post(page(write), {"do": do, **values})
    have_jobs_done()
    write.refresh_from_db()
    return answer


def as_sent(write: Write) -> bytes:
    return write.path_of("as_sent").read_bytes()


def columns(*names: str, **others: Any) -> dict[str, Any]:
    """Return what the form of the columns sends."""
    return {f"name_{number}": name for number, name in enumerate(names)} | others


def groups(answer: Any) -> list[dict[str, Any]]:
    """Return the groups of findings that a page shows."""
    return [group for rule in answer.context["rules"] for group in rule.groups]


def rules(write: Write) -> set[tuple[str, str | None]]:
    return {(g["rule"], g["column"]) for g in write.check_report["groups"]}


class TestReading:
    """What a file is, and how it is read once somebody agreed."""

    @pytest.mark.parametrize(
        "data", [b"%PDF-1.7\n...", b"PK\x03\x04" + b"\0" * 50, b"\x1f\x8b\x08" * 9]
    )
    def test_what_is_no_table_is_refused_in_words(
        self, data: bytes, browser: Browser, target: dict[str, Any]
    ) -> None:
        upload(browser, target, data)
        have_jobs_done()
        write = Write.objects.get()
        answer = browser.get(page(write))
        assert write.inspection["refusal"] in answer.content.decode()
        assert not write.is_ready
        assert press_send(browser, write).status_code == 302
        write.refresh_from_db()
        assert write.is_draft

    def test_a_doubt_is_asked_about_and_then_read_as_agreed(
        self, browser: Browser, target: dict[str, Any]
    ) -> None:
        data = "id;Name\r\n1;Müller\r\n2;Groß\r\n".encode("cp1252")
        answer = upload(browser, target, data, follow=True)
        write = Write.objects.get()
        for doubt in write.inspection["doubts"]:
            assert doubt in answer.content.decode()
        assert (write.is_ready, write.check_report) == (False, {})
        press(browser, write, "read", encoding="cp1252", delimiter=";")
        assert write.is_ready
        assert as_sent(write) == "id,Name\n1,Müller\n2,Groß\n".encode()
        assert write.path_of("original").read_bytes() == data

    def test_it_can_be_read_otherwise(
        self, browser: Browser, target: dict[str, Any]
    ) -> None:
        upload(browser, target, "id;Name\n1;Müller\n".encode("cp1252"))
        write = Write.objects.get()
        press(browser, write, "read", encoding="cp1252", delimiter=";")
        asked = browser.get(page(write), {"read": ""})
        assert asked.context["choices"].chosen.encoding == "cp1252"
        press(browser, write, "read", encoding="cp1250", delimiter=";")
        assert write.is_ready
        assert write.reading["encoding"] == "cp1250"

    @pytest.mark.parametrize(
        "data", [CSV, b"id,Name\n1,x\n", b"note\nx\n", "id,ä\n".encode()]
    )
    def test_every_way_to_read_is_offered_of_a_file_that_reads_well(
        self, data: bytes, browser: Browser, target: dict[str, Any]
    ) -> None:
        upload(browser, target, data)
        write = Write.objects.get()
        assert 'href="?read#' in browser.get(page(write)).content.decode()
        shown = browser.get(page(write), {"read": ""}).content.decode()
        for codec in encodings.NAMES:
            assert shown.count(f'name="encoding" value="{codec}"') == 1
        for sign in delimiters.NAMES:
            assert f'<option value="{sign}"' in shown

    def test_a_title_is_left_out_by_one_button(
        self, browser: Browser, target: dict[str, Any]
    ) -> None:
        data = b"Accounts by owner\n\nid,Name\n1,x\n2,y\n"
        answer = upload(browser, target, data, follow=True)
        write = Write.objects.get()
        assert rules(write) == {("title-rows", None)}
        assert 'value="begin"' in answer.content.decode()
        assert 'value="leave-out"' not in answer.content.decode()
        press(browser, write, "begin")
        assert write.reading["begin"] == 3
        assert as_sent(write) == b"id,Name\n1,x\n2,y\n"
        assert write.is_ready
        press(browser, write, "begin")
        assert write.reading["begin"] == 3

    def test_a_title_of_a_workbook_is_left_out_too(
        self, browser: Browser, target: dict[str, Any]
    ) -> None:
        upload(browser, target, workbook("First", above="Report"), name="a.xlsx")
        have_jobs_done()
        write = Write.objects.get()
        press(browser, write, "read", sheet="First")
        assert rules(write) == {("title-rows", None)}
        press(browser, write, "begin")
        assert as_sent(write) == b"id,name\n1,First\n"
        assert write.reading["sheet"] == "First"

    def test_rows_that_were_mended_are_not_mended_once_they_are_others(
        self, browser: Browser, target: dict[str, Any]
    ) -> None:
        upload(browser, target, b"id,Name\n1,x\n,y\n3,z\n")
        write = Write.objects.get()
        fault = {"level": "blocks", "rule": "blank-key", "column": "id"}
        press(browser, write, "leave-out", **fault)
        assert as_sent(write) == b"id,Name\n1,x\n3,z\n"
        press(browser, write, "read", begin="2", encoding="utf-8", delimiter=",")
        assert as_sent(write) == b"1,x\n,y\n3,z\n"

    @pytest.mark.hostile
    @pytest.mark.parametrize(
        "values",
        [
            {"encoding": "zlib_codec", "delimiter": ";"},
            {"encoding": "utf-8", "delimiter": "id"},
            {"encoding": "utf-8", "delimiter": ""},
            {"encoding": "\0", "delimiter": ";"},
            {"sheet": "Not there"},
            {"begin": "0"},
            {"begin": "x"},
            {"begin": "9" * 30},
        ],
    )
    def test_a_way_to_read_that_does_not_exist_is_told(
        self, values: dict[str, str], browser: Browser, target: dict[str, Any]
    ) -> None:
        upload(browser, target, b"id;Name\n1;M\n")
        write = Write.objects.get()
        assert press(browser, write, "read", **values).status_code == 422
        assert write.reading == {}

    def test_a_workbook_is_read_sheet_by_sheet(
        self, browser: Browser, target: dict[str, Any]
    ) -> None:
        upload(browser, target, workbook("First", "Second"), name="a.xlsx")
        have_jobs_done()
        write = Write.objects.get()
        assert write.inspection["sheets"] == ["First", "Second"]
        answer = browser.get(page(write))
        assert "Second" in answer.content.decode()
        press(browser, write, "read", sheet="Second")
        assert as_sent(write) == b"id,name\n1,Second\n"
        press(browser, write, "read", sheet="First")
        assert as_sent(write) == b"id,name\n1,First\n"


class TestFindings:
    """Everything that was found, by rule and column."""

    def test_they_are_grouped_counted_and_filtered_by_level(
        self, write: Write, browser: Browser
    ) -> None:
        whole = browser.get(page(write))
        levels = {group["level"] for group in groups(whole)}
        assert "blocks" in levels
        assert len(levels) > 1
        for level in levels:
            chosen = groups(browser.get(page(write), {"level": level}))
            assert {group["level"] for group in chosen} == {level}
            total = sum(group["total"] for group in chosen)
            assert whole.context["counts"][level] == total

    @pytest.mark.hostile
    @pytest.mark.parametrize("level", ["x", "\0", "<b>", "٣"])
    def test_a_level_that_does_not_exist_filters_nothing(
        self, level: str, write: Write, browser: Browser
    ) -> None:
        whole = groups(browser.get(page(write)))
        assert groups(browser.get(page(write), {"level": level})) == whole

    def test_they_come_as_csv_that_no_spreadsheet_calculates(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"id,=a\n=cmd(),x\n=cmd(),y\n"
        write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
        answer = browser.get(f"/writes/{write.pk}/findings.csv")
        lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
        columns = ["level", "rule", "row", "line", "column", "value", "message"]
        header, *rows = csv.reader(lines)
        assert header == columns
        assert {row[0] for row in rows} <= {"Error", "Warning", "Info"}
        assert any(row[0] == "Error" for row in rows)
        assert any("'=cmd()" in line for line in lines)
        assert not any(',"=' in line or ",=" in line for line in lines)

    @pytest.mark.hostile
    def test_hostile_text_is_only_text(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = f'id,"{HOSTILE}"\n"{HOSTILE}","{HOSTILE}"\n"{HOSTILE}",{HOSTILE}\n'
        write = make_draft(
            integration,
            olga,
            csv=data.encode(),
            primary_key="id",
            faulty=True,
        )
        Write.objects.update(file_name=HOSTILE, group_name=HOSTILE)
        press(browser, write, "columns", **columns(HOSTILE, "{{ x }}"))
        for answer in (
            browser.get(page(write)),
            press(browser, write, "columns", **columns(HOSTILE, HOSTILE)),
        ):
            assert "<img src=x" not in answer.content.decode()
            assert Page(answer).inline == []


class TestColumns:
    """What each column is sent as."""

    def test_the_form_becomes_the_recipe(self, write: Write, browser: Browser) -> None:
        form = columns(
            "external_id__c",
            "LastName",
            "Birthdate",
            dates_2="date:european",
            trim_1="on",
            constant_name=["LeadSource", ""],
            constant_value=["Web", ""],
        )
        press(browser, write, "columns", **form)
        assert as_sent(write) == (
            b"external_id__c,LastName,Birthdate,LeadSource\n"
            b"1,Berg,2024-12-31,Web\n"
            b"2,Tal,2024-02-01,Web\n"
            b",Lau,2024-04-03,Web\n"
        )
        assert write.primary_key == "external_id__c"
        shown = browser.get(page(write))
        assert shown.context["columns"][2]["dates"] == "date:european"
        assert "31.12.2024" in shown.content.decode()

    def test_a_column_is_left_out_and_comes_back(
        self, write: Write, browser: Browser
    ) -> None:
        names = columns("Nr", "Last Name", "Born")
        press(browser, write, "columns", **names, leave_2=1)
        assert as_sent(write).startswith(b"Nr,Last Name\n")
        press(browser, write, "columns", **names)
        assert as_sent(write) == CSV

    def test_the_key_follows_its_column_to_a_third_name(
        self, write: Write, browser: Browser
    ) -> None:
        for name in ("first__c", "second__c", "Nr"):
            press(browser, write, "columns", **columns(name, "Last Name", "Born"))
            assert write.primary_key == name
            assert not any(rule == "no-key" for rule, _ in rules(write))

    def test_the_key_stays_with_the_name_that_another_column_has_now(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"Old,New\na,b\n"
        write = make_draft(integration, olga, csv=data, primary_key="Old")
        press(browser, write, "columns", **columns("external_id__c", "New"))
        assert write.primary_key == "external_id__c"
        press(browser, write, "columns", **columns("legacy__c", "external_id__c"))
        assert write.primary_key == "external_id__c"
        assert as_sent(write) == b"legacy__c,external_id__c\na,b\n"

    @pytest.mark.hostile
    @pytest.mark.parametrize(
        "form",
        [
            columns("A", "a", "Born"),
            columns("", "B", "C"),
            columns("A", "B", "C", leave_0=1, leave_1=1, leave_2=1),
            columns("A", "B", "C", dates_2="date:klingon"),
            columns("A", "B", "C", dates_2="datetime:us", zone="Middle/Earth"),
            columns("A", "B", "C", dates_2="datetime:us", zone=""),
            columns("A", "B", "C", constant_name="", constant_value="x"),
            columns("A", "B", "C", constant_name="c", constant_value="x"),
            columns("A\0", "B", "C"),
            columns("A", "B", "C", constant_name="D", constant_value="\0"),
            columns("A\r", "B\rC", "C"),
        ],
    )
    def test_what_cannot_be_is_told_and_changes_nothing(
        self, form: dict[str, Any], write: Write, browser: Browser
    ) -> None:
        body = "&".join(f"{name}={quoted(str(value))}" for name, value in form.items())
        kind = "application/x-www-form-urlencoded"
        answer = browser.post(page(write), f"do=columns&{body}", content_type=kind)
        assert answer.status_code == 422
        assert "problem" in Page(answer).ids
        write.refresh_from_db()
        assert as_sent(write) == CSV

    def test_the_names_are_remembered_for_the_next_file(
        self, write: Write, browser: Browser, target: dict[str, Any]
    ) -> None:
        form = columns("external_id__c", "LastName", "Born", leave_2=1, remember=1)
        press(browser, write, "columns", **form)
        assert SavedMapping.objects.get().changed_by_name == "olga"
        assert AuditEvent.objects.filter(action="mapping.saved").count() == 1
        data = b"Born,Nr,Last Name\n2024,7,Lau\n"
        upload(browser, target, data, key="external_id__c")
        following = Write.objects.exclude(pk=write.pk).get()
        assert as_sent(following) == b"external_id__c,LastName\n7,Lau\n"
        assert following.is_ready
        described = browser.get(page(following)).context["described"]
        assert len(described) == 3

    def test_what_was_not_changed_is_not_remembered(
        self, write: Write, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really = Write.change

        def raced(self: Write, **values: Any) -> bool:
            with Watch.off():
                Write.objects.update(edition=99)
            return really(self, **values)

        monkeypatch.setattr(Write, "change", raced)
        form = columns("external_id__c", "LastName", "Born", remember=1)
        press(browser, write, "columns", **form)
        assert as_sent(write) == CSV
        assert not SavedMapping.objects.exists()

    def test_a_column_without_a_name_is_not_remembered_by_its_place(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"id,,x\n1,2,3\n"
        write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
        form = columns("id", "LastName", "FirstName", remember=1)
        press(browser, write, "columns", **form)
        assert write.is_ready
        assert SavedMapping.objects.get().columns == {"x": "FirstName"}

    def test_a_wide_file_is_changed_without_losing_a_column(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        """A form of 1,001 columns has more fields than Django takes by default."""
        names = [f"c{number}" for number in range(1001)]
        data = ",".join(names) + "\n" + ",".join("1" * 1001) + "\n"
        write = make_draft(integration, olga, csv=data.encode(), primary_key="c0")
        shown = Page(browser.get(page(write)))
        form = {
            name: values
            for name, values in shown.submits.items()
            if name.startswith(("name_", "dates_", "leave_", "trim_", "null_"))
        }
        ticked = {name for name in form if name.startswith(("leave_", "trim_"))}
        values = {name: v for name, v in form.items() if name not in ticked}
        values |= {f"trim_{n}": "on" for n in range(200)}
        values |= {f"null_{n}": "on" for n in range(200)}
        values["name_1"] = ["renamed"]
        answer = press(browser, write, "columns", **values)
        assert answer.status_code == 302
        header = as_sent(write).splitlines()[0].decode().split(",")
        assert header == ["c0", "renamed", *names[2:]]
        assert write.recipe.columns["c0"].trim
        assert write.is_ready


class TestRows:
    """Rows are left out, put back, and mended cell by cell."""

    def test_the_rows_of_a_finding_are_left_out_and_put_back(
        self, write: Write, browser: Browser
    ) -> None:
        group = next(g for g in write.check_report["groups"] if g["level"] == "blocks")
        values = {name: group[name] or "" for name in ("level", "rule", "column")}
        press(browser, write, "leave-out", **values)
        assert write.is_ready
        held_back = b"Nr,Last Name,Born\n,Lau,03.04.2024\n"
        assert write.path_of("held_back").read_bytes() == held_back
        answer = browser.get(f"/writes/{write.pk}/held-back.csv")
        assert b"".join(answer.streaming_content) == held_back
        press(browser, write, "put-back")
        assert (write.is_ready, write.held_back.name) == (False, "")
        assert browser.get(f"/writes/{write.pk}/held-back.csv").status_code == 404

    def test_rows_left_out_before_stay_out(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"id,a\n,x\n2,y\n3,z,z\n4,w\n"
        write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
        for _ in range(2):
            groups = write.check_report["groups"]
            group = next(g for g in groups if g["level"] == "blocks")
            values = {name: group[name] or "" for name in ("level", "rule", "column")}
            press(browser, write, "leave-out", **values)
        assert as_sent(write) == b"id,a\n2,y\n4,w\n"
        assert write.path_of("held_back").read_bytes() == b"id,a\n,x\n3,z,z\n"

    def test_a_cell_is_edited(self, write: Write, browser: Browser) -> None:
        edit = {"cell_row": "4", "cell_column": "Nr", "cell_was": "", "cell": "3"}
        press(browser, write, "cells", **edit)
        assert as_sent(write) == CSV.replace(b"\n,Lau", b"\n3,Lau")
        assert write.is_ready

    def test_a_cell_that_was_not_touched_is_not_edited(
        self, write: Write, browser: Browser
    ) -> None:
        edit = {"cell_row": "4", "cell_column": "Nr", "cell_was": "", "cell": ""}
        press(browser, write, "cells", **edit)
        assert write.recipe.cells == {}

    def test_a_cell_of_several_lines_keeps_them_when_others_are_saved(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b'id,Amount\n1,1.5\n2,"one\ntwo"\n'
        write = make_draft(integration, olga, csv=data, primary_key="id")
        finding = {"row": 3, "line": 3, "value": "one\ntwo", "message": "x"}
        group = {"rule": "number", "level": "warns", "column": "Amount", "total": 1}
        write.check_report["groups"].append({**group, "first": [finding]})
        write.save()
        page = Page(browser.get(f"/writes/{write.pk}/file/"))
        assert page.submits["cell"] == ["one\r\ntwo"]
        edit = {"cell_row": "3", "cell_column": "Amount"}
        sent = {"cell_was": "one\r\ntwo", "cell": "one\r\ntwo"}
        press(browser, write, "cells", **edit, **sent)
        assert write.recipe.cells == {}

    def test_a_cell_of_a_row_after_those_left_out_is_the_right_one(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"id,a\n1,x\n2,y\n,z\n"
        write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
        write.change(
            only_from="draft", recipe_json={"columns": {}, "left_out": [[2, 2]]}
        )
        check_draft(write)
        edit = {"cell_row": "4", "cell_column": "id", "cell_was": "", "cell": "Z\r\nz"}
        press(browser, write, "cells", **edit)
        assert as_sent(write) == b'id,a\n2,y\n"Z\nz",z\n'

    @pytest.mark.hostile
    @pytest.mark.parametrize(
        "edit",
        [
            {"cell_row": "x"},
            {"cell_row": "-1"},
            {"cell_row": "1"},
            {"cell_row": "9" * 5000},
            {"cell_column": "Not there"},
            {"cell": "\0"},
        ],
    )
    def test_an_edit_that_fits_no_cell_is_told(
        self, edit: dict[str, str], write: Write, browser: Browser
    ) -> None:
        values = {"cell_row": "4", "cell_column": "Nr", "cell_was": "", "cell": "3"}
        answer = press(browser, write, "cells", **values | edit)
        assert answer.status_code == 422
        assert as_sent(write) == CSV

    def test_everything_is_undone(self, write: Write, browser: Browser) -> None:
        press(browser, write, "columns", **columns("A", "B", "C"))
        edit = {"cell_row": "4", "cell_column": "Nr", "cell_was": "", "cell": "3"}
        press(browser, write, "cells", **edit)
        press(browser, write, "undo")
        assert as_sent(write) == CSV
        assert write.recipe.is_empty
        assert write.primary_key == "Nr"

    def test_another_column_is_chosen_as_the_key(
        self, write: Write, browser: Browser
    ) -> None:
        key = "Last Name"
        press(browser, write, "key", primary_key=key)
        assert write.primary_key == key
        assert write.is_ready
        answer = press(browser, write, "key", primary_key="Not there")
        assert answer.status_code == 422
        assert write.primary_key == key


class TestTabs:
    """Of two changes at the same moment one wins, and the other is told."""

    def test_the_second_of_two_at_once_changes_nothing(
        self, write: Write, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        really = Write.change

        def raced(self: Write, **values: Any) -> bool:
            monkeypatch.setattr(Write, "change", really)
            other = Write.objects.get(pk=write.pk)
            with Watch.off():
                other.change(only_from="draft", edition=other.edition + 1)
            return really(self, **values)

        monkeypatch.setattr(Write, "change", raced)
        values = {**columns("A", "B", "C"), "do": "columns"}
        answer = browser.post(page(write), values, follow=True)
        assert levels(answer) == ["warning"]
        assert as_sent(write) == CSV

    def test_a_page_that_is_out_of_date_changes_nothing(
        self, write: Write, browser: Browser
    ) -> None:
        """It leaves out the rows of a finding that may be other rows now."""
        before = write.edition
        press(browser, write, "columns", **columns("A", "B", "C"))
        sent = as_sent(write)
        form = columns("X", "Y", "Z", edition=before)
        answer = press(browser, write, "columns", **form)
        assert answer.status_code == 302
        assert as_sent(write) == sent
        press(
            browser, write, "columns", **columns("X", "Y", "Z", edition=write.edition)
        )
        assert as_sent(write) != sent

    def test_every_form_says_which_page_it_is_of(
        self, write: Write, browser: Browser
    ) -> None:
        """Only so can a page that is out of date be told from one that is not."""
        content = browser.get(page(write)).content.decode()
        forms = re.findall(
            r'<form method="post"(?! action)[^>]*>.*?</form>', content, re.S
        )
        assert len(forms) > 3
        hidden = f'<input type="hidden" name="edition" value="{write.edition}">'
        assert all(hidden in form for form in forms)

    def test_what_was_sent_meanwhile_is_not_changed(
        self,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
        browser: Browser,
    ) -> None:
        write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
        confirm(write, olga)
        for do in ("columns", "undo", "read", "check", "leave-out", "nonsense"):
            press(browser, write, do, **columns("A"))
        assert (write.recipe.is_empty, write.primary_key) == (True, "id")
        assert as_sent(write) == b"id\n1\n"


ACTIONS = ("read", "columns", "leave-out", "put-back", "cells", "undo", "check", "key")


@pytest.mark.parametrize("do", ACTIONS)
def test_a_viewer_changes_nothing(
    do: str,
    sandbox: Sandbox,
    integration: Integration,
    olga: User,
    sign_in: Callable[..., Browser],
) -> None:
    write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
    confirm(write, olga)
    viewer = sign_in(Role.VIEWER)
    assert viewer.get(page(write)).status_code == 200
    assert viewer.post(page(write), {"do": do}).status_code == 403


@pytest.mark.parametrize(
    "path", ["file/", "file/work/", "findings.csv", "held-back.csv"]
)
def test_somebody_elses_draft_is_not_there(
    path: str, write: Write, sign_in: Callable[..., Browser]
) -> None:
    other = sign_in(Role.OPERATOR, "tim")
    assert other.get(f"/writes/{write.pk}/{path}").status_code == 404
    assert other.post(page(write), {"do": "undo"}).status_code == 404


def test_an_admin_mends_somebodys_draft(
    write: Write, sign_in: Callable[..., Browser]
) -> None:
    admin = sign_in(Role.ADMIN)
    press(admin, write, "columns", **columns("A", "B", "C"))
    assert as_sent(write).startswith(b"A,B,C\n")
    assert write.started_by == User.objects.get(username="olga")


def test_a_record_has_no_file(integration: Integration, olga: User) -> None:
    browser = Browser()
    browser.force_login(olga)
    write = make_draft(integration, olga)
    assert browser.get(page(write)).status_code == 404
    assert browser.get(f"{page(write)}work/").status_code == 404


@pytest.mark.parametrize("state", ["draft", "discarded", "confirmed"])
def test_the_pages_open_when_the_files_are_gone(
    state: str, write: Write, integration: Integration, olga: User, browser: Browser
) -> None:
    if state == "confirmed":
        write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
        confirm(write, olga)
    elif state == "discarded":
        browser.post(f"/writes/{write.pk}/discard/")
    for kind in Write.FILES:
        name = getattr(write, kind).name
        if name:
            write.original.storage.delete(name)
    Write.objects.update(**dict.fromkeys(Write.FILES, ""))
    for path in ("file/", "", "rows/"):
        answer = browser.get(f"/writes/{write.pk}/{path}", follow=True)
        assert answer.status_code == 200, path


def test_a_draft_that_was_discarded_before_it_was_checked_still_opens(
    integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
    write.change(only_from="draft", check_report={}, inspection={}, is_ready=False)
    browser.post(f"/writes/{write.pk}/discard/")
    for path in ("", "file/"):
        assert browser.get(f"/writes/{write.pk}/{path}").status_code == 200


def test_the_queries_of_the_page_do_not_grow_with_the_file(
    integration: Integration,
    olga: User,
    browser: Browser,
    django_assert_max_num_queries: Any,
) -> None:
    rows = b"".join(b"x,%d,,\n" % number for number in range(500))
    data = b"id,a,b,c\n" + rows
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    with django_assert_max_num_queries(15):
        browser.get(page(write))


def quoted(text: str) -> str:
    """Percent-encode text, half characters too."""
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def workbook(*names: str, above: str = "") -> bytes:
    """Return a workbook whose sheets hold an id and their own name, below a title."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    numbers = range(1, len(names) + 1)
    sheets = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>'
        for n, name in zip(numbers, names, strict=True)
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{office}/worksheet" '
        f'Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
            'content-types"/>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{sheets}</sheets>'
            "</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{links}</Relationships>',
        )
        for number, name in zip(numbers, names, strict=True):
            rows = "".join(
                f'<row r="{r}">'
                + "".join(
                    f'<c r="{column}{r}" t="inlineStr"><is><t>{text}</t></is></c>'
                    for column, text in zip("AB", cells, strict=True)
                )
                + "</row>"
                for r, cells in enumerate(
                    [*([(above, "")] if above else []), ("id", "name"), ("1", name)], 1
                )
            )
            archive.writestr(
                f"xl/worksheets/sheet{number}.xml",
                f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
            )
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data", [b"", b"id,Name\n", b"\xef\xbb\xbf", b"id,Name", b"\n\n"]
)
def test_where_there_is_nothing_no_mending_is_offered(
    data: bytes, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    answer = browser.get(f"/writes/{write.pk}/file/")
    page = Page(answer)
    assert answer.context["is_empty"]
    assert not {"findings", "columns"} & page.ids
    assert f'href="/writes/{write.pk}/again/"' in answer.text


def test_a_file_of_which_all_rows_were_left_out_can_have_them_back(
    integration: Integration, olga: User, browser: Browser
) -> None:
    data = b"id,Name\n,x\n"
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    fault = {"level": "blocks", "rule": "blank-key", "column": "id"}
    press(browser, write, "leave-out", **fault)
    answer = browser.get(f"/writes/{write.pk}/file/")
    assert not answer.context["is_empty"]
    assert "Restore rows" in Page(answer).buttons


MANY = 5_001
WIDE = b",".join(b"c%d" % number for number in range(MANY))
LONG = b",".join(b"a%031d" % number for number in range(1_100))


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"id," + WIDE + b"\n1\n", "too-many-columns"),
        (b"id," + b"," * MANY + b"\n1\n", "too-many-columns"),
        (b"id,N" + b"a" * 300 + b"\n1,2\n", "long-name"),
        (b"id," + LONG + b"\n1\n", "long-header"),
        (b'id,"Name\n1,2\n', "unreadable"),
        (b'id,Name\n1,"2\n3,4\n', "unreadable"),
        (b"id,Name\n" + b"1,2\n" * 50 + b'3,"x"y\n4,5\n', "unreadable"),
    ],
)
def test_what_only_another_file_mends_is_not_offered_to_be_mended(
    data: bytes, rule: str, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    answer = browser.get(f"/writes/{write.pk}/file/")
    page = Page(answer)
    assert rule in {group["rule"] for group in groups(answer)}
    # It is named where the page begins, and not only below.
    message = write.check_report["groups"][0]["first"][0]["message"]
    assert message in Shown(answer).texts["verdict"]
    assert "columns" not in page.ids
    assert {"cell", "name_0", "primary_key"}.isdisjoint(page.submits)
    assert {"Exclude this row", "Apply and check again"}.isdisjoint(page.buttons)
    assert f'href="/writes/{write.pk}/again/"' in answer.text


@pytest.mark.parametrize(
    ("data", "button"),
    [
        (b"id,Name\n,x\n1,2\n", "Exclude this row"),
        (b"Nr,Name\n1,x\n", "Use this column"),
        (b"A title\nid,Name\n1,2\n", "Use row 2 as header"),
        (b'id,Name\n1,a "b" c\n', "Quote this cell"),
    ],
)
def test_what_can_be_mended_here_still_is(
    data: bytes, button: str, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    answer = browser.get(f"/writes/{write.pk}/file/")
    assert not answer.context["other_file"]
    assert button in Page(answer).buttons


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        (b"id,Name\n" + b",x\n" * (HOPELESS_IF_DENSE + 100) + b"1,y\n", "partly"),
        (b'id,Name\n1,2\n3,"4\n5,6\n', "partly"),
        (b"id," + b"," * MANY + b"\n1\n", "not"),
        (b"\nid,Name\n1,2\n", "not"),
        (b"id,Name\n,2\n3,4\n", "all"),
    ],
)
def test_a_check_that_stopped_tells_no_count_of_the_whole_file(
    data: bytes, counted: str, integration: Integration, olga: User, browser: Browser
) -> None:
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    shown = Shown(browser.get(f"/writes/{write.pk}/file/"))
    assert shown.data.get("counted", ["not"]) == [counted]
    if counted == "all":
        assert write.row_count == 2
        assert write.count_label.startswith("2 ")
        return
    assert write.row_count is None
    assert not numbers(write.count_label)
    rows = write.check_report["rows"]
    assert (rows in numbers(shown.texts["verdict"])) == (counted == "partly")


def test_a_file_that_could_not_be_read_as_chosen_can_be_read_otherwise(
    write: Write, browser: Browser
) -> None:
    press(browser, write, "read", begin="900", encoding="utf-8", delimiter=",")
    answer = browser.get(page(write))
    assert answer.context["job"].state == "failed"
    assert "read-otherwise" in Page(answer).ids
    assert f'href="/writes/{write.pk}/again/"' in answer.text
    assert "begin" in Page(browser.get(f"{page(write)}?read")).submits
    press(browser, write, "read", begin="1", encoding="utf-8", delimiter=",")
    assert write.check_report
