"""The grid: rows of a draft, to be edited, and of a result, with what was said."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import Integration
from sandbox.app import Sandbox
from tests.conftest import actor
from tests.writes.making import (
    check_draft,
    confirm,
    have_jobs_done,
    make_draft,
    press_send,
    records,
    work_off,
)
from writes.actions import begin_job, derive
from writes.display import grid as display
from writes.models import Write

KEY = "external_id__c"
LONG = "long " * 40
HOSTILE = "<b onclick=x>"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def write(tiers: Integration, olga: User) -> Write:
    """A draft of six rows: rows 3 and 6 have an error, row 7 is a formula."""
    data = (
        "id,name,tier\n"
        "1,Berg,Gold\n"
        "2,Tal,Expert\n"
        f'3,"{HOSTILE}","Gold"\n'
        '4,"two\nlines",Gold\n'
        f"5,{LONG},Expert\n"
        "6,=cmd(),Gold\n"
    )
    return make_draft(tiers, olga, csv=data.encode(), primary_key="id", faulty=True)


def page(browser: Browser, write: Write, **query: Any) -> Any:
    return browser.get(f"/writes/{write.pk}/grid/", query)


def numbers(answer: Any) -> list[int]:
    return [row.number for row in answer.context["rows"]]


def row(answer: Any, number: int) -> dict[str, Any]:
    """Return the cells of a row, by column."""
    [found] = [row for row in answer.context["rows"] if row.number == number]
    return {cell.column.name: cell for cell in found.cells}


def edit(
    browser: Browser, write: Write, number: int, place: int, was: str, text: str
) -> Any:
    """Edit a cell in place, as the page of now would."""
    reading = page(browser, write).context.get("reading", "")
    form = {"row": number, "place": place, "was": was, "cell": text, "reading": reading}
    answer = browser.post(f"/writes/{write.pk}/grid/cell/", form)
    write.refresh_from_db()
    return answer


class TestPages:
    """Which rows are shown, and how their cells are."""

    def test_rows_with_errors_alone_are_shown_when_asked(
        self, write: Write, browser: Browser
    ) -> None:
        assert numbers(page(browser, write)) == [2, 3, 4, 5, 6, 7]
        asked = page(browser, write, show="errors")
        assert numbers(asked) == [3, 6]
        assert asked.context["error_rows"] == 2
        tier = row(asked, 3)["tier"]
        assert (tier.text, tier.level, len(tier.notes)) == ("Expert", "blocks", 1)
        assert row(asked, 3)["name"].notes == []

    def test_a_page_stands_next_to_another(
        self, write: Write, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(display, "MOST_ROWS", 2)
        monkeypatch.setattr(display, "FEWEST_ROWS", 1)
        seen = []
        answer = page(browser, write)
        while True:
            seen += numbers(answer)
            newer = answer.context["newer"]
            if not newer:
                break
            answer = browser.get(f"/writes/{write.pk}/grid/?{newer}")
        assert seen == [2, 3, 4, 5, 6, 7]
        back = browser.get(f"/writes/{write.pk}/grid/?{answer.context['older']}")
        assert numbers(back) == [4, 5]
        assert numbers(page(browser, write, row=5)) == [5, 6]

    def test_what_cells_hold_is_shown_and_never_run(
        self, write: Write, browser: Browser
    ) -> None:
        answer = page(browser, write)
        html = answer.content.decode()
        assert HOSTILE not in html
        assert "&lt;b onclick=x&gt;" in html
        assert "=cmd()" in html
        cells = {number: row(answer, number)["name"] for number in range(2, 8)}
        assert not cells[4].is_cut
        assert cells[5].is_cut
        assert (cells[6].is_cut, cells[6].shown[-1]) == (True, "…")
        whole = browser.get(f"/writes/{write.pk}/grid/6/").content.decode()
        assert LONG in whole

    def test_cells_are_shown_as_they_would_go_out(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = b"Nr,Name,Junk\n1, Berg ,x\n2,Tal,y\n"
        write = make_draft(integration, olga, csv=data, primary_key="Nr")
        recipe = {
            "columns": {
                "Nr": {"name": KEY},
                "Name": {"name": "LastName", "trim": True},
                "Junk": {"name": ""},
            },
            "constants": [["Level", "3"]],
            "left_out": [[3, 3]],
        }
        assert write.revise(is_ready=False, recipe_json=recipe)
        check_draft(write)
        answer = page(browser, write)
        cells = row(answer, 2)
        assert {name: cell.text for name, cell in cells.items()} == {
            KEY: "1",
            "LastName": "Berg",
            "Level": "3",
        }
        assert [cell.is_open for cell in cells.values()] == [True, True, False]
        excluded = answer.context["rows"][1]
        assert (excluded.is_excluded, excluded.is_open) == (True, False)
        # What is typed goes out as it is, in the column of the file that it is of.
        edit(browser, write, 2, 1, "Berg", " Lau ")
        assert dict(write.recipe.cells) == {(2, "Name"): " Lau "}
        assert edit(browser, write, 2, 2, "3", "4").status_code == 422
        assert edit(browser, write, 3, 1, "Tal", "x").status_code == 422

    def test_many_columns_are_shown_some_at_a_time_beside_the_key(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        names = [f"c{n}" for n in range(50)]
        data = ",".join(names) + "\n" + ",".join("x" for _ in names) + "\n"
        write = make_draft(integration, olga, csv=data.encode(), primary_key="c0")
        answer = browser.get(
            f"/writes/{write.pk}/grid/?{page(browser, write).context['columns_after']}"
        )
        shown = [column.name for column in answer.context["columns"]]
        assert shown == ["c0", *names[display.COLUMNS : 2 * display.COLUMNS]]


class TestEdits:
    """A cell that is edited is kept at once, and the file is checked anew."""

    def test_an_edit_is_kept_and_takes_the_error_away(
        self, write: Write, browser: Browser
    ) -> None:
        before = write.edition
        answer = edit(browser, write, 3, 2, "Expert", "Gold")
        assert answer.status_code == 200
        assert write.edition == before + 1
        assert dict(write.recipe.cells) == {(3, "tier"): "Gold"}
        assert numbers(page(browser, write, show="errors")) == [6]
        assert numbers(page(browser, write, show="edited")) == [3]
        edit(browser, write, 6, 2, "Expert", "Gold")
        edit(browser, write, 6, 1, LONG, "Short")
        assert write.is_ready
        text = write.path_of("as_sent").read_text()
        assert "2,Tal,Gold" in text
        assert "Expert" not in text

    def test_until_the_check_is_done_a_rule_says_what_it_can_of_the_cell(
        self, write: Write, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(begin_job, "SMALL", 0)
        answer = edit(browser, write, 3, 2, "Expert", "Lead")
        assert not write.is_ready
        assert answer.context["job"].is_open
        cell = answer.context["cell"]
        assert (cell.text, cell.level, len(cell.notes)) == ("Lead", "blocks", 1)
        assert "Lead" in cell.notes[0]
        cell = edit(browser, write, 3, 2, "Lead", "Gold").context["cell"]
        assert (cell.text, cell.notes) == ("Gold", [])
        assert press_send(browser, write).status_code == 302
        write.refresh_from_db()
        assert write.is_draft
        have_jobs_done()
        assert numbers(page(browser, write, show="errors")) == [6]

    def test_a_cell_that_changed_since_it_was_seen_is_not_overwritten(
        self, write: Write, browser: Browser
    ) -> None:
        edit(browser, write, 3, 2, "Expert", "Gold")
        edition = write.edition
        answer = edit(browser, write, 3, 2, "Expert", "silver")
        assert answer.status_code == 422
        assert "silver" in answer.content.decode()
        assert (write.edition, write.recipe.cells[3, "tier"]) == (edition, "Gold")

    def test_rows_that_moved_are_not_edited(
        self, write: Write, browser: Browser
    ) -> None:
        reading = page(browser, write).context["reading"]
        browser.post(f"/writes/{write.pk}/file/", {"do": "read", "begin": "2"})
        write.refresh_from_db()
        form = {"row": 3, "place": 0, "was": "3", "cell": "9", "reading": reading}
        browser.post(f"/writes/{write.pk}/grid/cell/", form)
        write.refresh_from_db()
        assert dict(write.recipe.cells) == {}

    def test_what_is_typed_back_is_no_change(
        self, write: Write, browser: Browser
    ) -> None:
        edit(browser, write, 3, 2, "Expert", "Gold")
        edit(browser, write, 3, 2, "Gold", "Expert")
        assert dict(write.recipe.cells) == {}
        edition = write.edition
        edit(browser, write, 3, 2, "Expert", "Expert")
        assert write.edition == edition

    def test_a_row_is_edited_as_a_form_and_line_breaks_stay(
        self, write: Write, browser: Browser
    ) -> None:
        address = f"/writes/{write.pk}/grid/5/?show=errors"
        answer = browser.get(address)
        cells = [item["cell"] for item in answer.context["cells"]]
        was = [cell.text.replace("\n", "\r\n") for cell in cells]
        assert was[1] == "two\r\nlines"
        form = {
            "reading": answer.context["reading"],
            "place": [cell.column.place for cell in cells],
            "was": was,
            "cell": [was[0], was[1], "silver"],
        }
        answer = browser.post(address, form)
        assert answer["Location"] == f"/writes/{write.pk}/grid/?show=errors#row-5"
        write.refresh_from_db()
        assert dict(write.recipe.cells) == {(5, "tier"): "silver"}

    def test_nobody_edits_what_was_sent(
        self, sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = f"{KEY},LastName\na,Berg\n".encode()
        write = make_draft(integration, olga, csv=data, primary_key=KEY)
        reading = page(browser, write).context["reading"]
        confirm(write, olga)
        form = {"row": 2, "place": 1, "was": "Berg", "cell": "x", "reading": reading}
        browser.post(f"/writes/{write.pk}/grid/cell/", form)
        write.refresh_from_db()
        assert dict(write.recipe.cells) == {}

    def test_a_viewer_reads_only(
        self, write: Write, sign_in: Callable[..., Browser], olga: User
    ) -> None:
        admin = sign_in(Role.ADMIN)
        assert numbers(page(admin, write))
        assert "data-editable" in page(admin, write).content.decode()
        viewer = sign_in(Role.VIEWER)
        assert page(viewer, write).status_code == 404

    def test_an_index_that_is_missing_is_made_anew(
        self, write: Write, browser: Browser
    ) -> None:
        write.path_of("row_index").unlink()
        assert numbers(page(browser, write, show="errors")) == [3, 6]


class TestResult:
    """What the remote said stands at the cell that it names; what failed is fixed."""

    @pytest.fixture
    def sent(self, sandbox: Sandbox, integration: Integration, olga: User) -> Write:
        data = f"{KEY},LastName\na,Berg\nb,\nc,Tal\nd,\n".encode()
        write = make_draft(integration, olga, csv=data, primary_key=KEY)
        confirm(write, olga)
        work_off()
        write.refresh_from_db()
        return write

    def test_failed_rows_have_what_was_said_at_the_cell(
        self, sent: Write, browser: Browser
    ) -> None:
        assert numbers(page(browser, sent)) == [2, 3, 4, 5]
        answer = page(browser, sent, show="errors")
        assert numbers(answer) == [3, 5]
        cells = row(answer, 3)
        [error] = cells["LastName"].told
        assert error.code == "REQUIRED_FIELD_MISSING"
        assert cells[KEY].told == []
        assert answer.context["rows"][0].told == []
        whole = browser.get(f"/writes/{sent.pk}/grid/3/")
        assert "REQUIRED_FIELD_MISSING" in whole.content.decode()

    def test_fix_here_and_retry(
        self, sent: Write, sandbox: Sandbox, olga: User, browser: Browser
    ) -> None:
        answer = browser.post(f"/writes/{sent.pk}/retry/", {"to": "grid"})
        draft = sent.children.get()
        assert answer["Location"] == f"/writes/{draft.pk}/grid/"
        answer = page(browser, draft)
        assert numbers(answer) == [2, 3]
        for number in (2, 3):
            [error] = row(answer, number)["LastName"].told
            assert error.code == "REQUIRED_FIELD_MISSING"
        edit(browser, draft, 2, 1, "", "Lau")
        edit(browser, draft, 3, 1, "", "Ost")
        assert draft.is_ready
        press_send(browser, draft)
        work_off()
        draft.refresh_from_db()
        assert draft.rows_totals
        assert (draft.rows_totals.succeeded, draft.rows_totals.failed) == (2, 0)
        names = {r[KEY]: r.get("LastName") for r in records(sandbox, "contact")}
        assert (names["b"], names["d"]) == ("Lau", "Ost")

    def test_another_file_has_nothing_of_what_was_said(
        self, sent: Write, olga: User, browser: Browser
    ) -> None:
        draft = derive.retry_failed(sent, actor(olga))
        check_draft(draft)
        assert draft.parent_rows
        values = {"parent_rows": "", "is_ready": False}
        assert draft.revise(**values)
        assert all(not c.told for c in row(page(browser, draft), 2).values())
