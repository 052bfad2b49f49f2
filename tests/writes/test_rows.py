"""The rows of a write: pages, filters, and lists to take away."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from console.access.roles import Role
from console.models import AuditEvent, Integration
from sandbox.app import Sandbox
from tests.answers import Shown
from tests.writes.making import confirm, make_draft, work_off
from tests.writes.pages import Page
from writes.actions import retention
from writes.models import Write
from writes.views import rows as rows_view
from writes.views.panels import rows_context

KEY = "external_id__c"
HOSTILE = "<img src=x onerror=alert(1)>"
HEADER = b'Nr,"Last ""name""",=Junk\r\n'
ROWS = [
    b'a-1,"Berg, A",=cmd()\r\n',
    b"a-2,,-1\r\n",
    b'"a-3","Two\r\nlines",@x\r\n',
    b'A-33,"",\xc3\xa9\r\n',
]
DOWNLOADS = (
    "failed.csv",
    "failed-with-reasons.csv",
    "outcomes.csv",
    "outcomes-for-spreadsheets.csv",
)

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


@pytest.fixture
def draft(integration: Integration, olga: User) -> Write:
    """A draft of four rows, of which two will fail."""
    data = HEADER + b"".join(ROWS)
    write = make_draft(integration, olga, csv=data, primary_key="Nr")
    columns = {"Nr": {"name": KEY}, 'Last "name"': {"name": "LastName"}}
    columns["=Junk"] = {"name": "Description"}
    browser = Browser()
    browser.force_login(olga)
    form = {"do": "columns"}
    form |= {f"name_{n}": c["name"] for n, c in enumerate(columns.values())}
    browser.post(f"/writes/{write.pk}/file/", form)
    write.refresh_from_db()
    assert write.is_ready
    return write


@pytest.fixture
def write(sandbox: Sandbox, draft: Write, olga: User) -> Write:
    """What became of the draft."""
    confirm(draft, olga)
    work_off()
    draft.refresh_from_db()
    return draft


@pytest.fixture
def many(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    """What became of 25 rows, of which every fifth failed."""
    lines = [b"k-%02d,%s\n" % (n, b"" if n % 5 == 0 else b"Berg") for n in range(1, 26)]
    data = b"external_id__c,LastName\n" + b"".join(lines)
    write = make_draft(integration, olga, csv=data, primary_key=KEY)
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    return write


def page(browser: Browser, write: Write, **query: Any) -> Any:
    return browser.get(f"/writes/{write.pk}/rows/", query)


def shown(answer: Any) -> list[int]:
    """Return the numbers of the rows on a page."""
    return [item["row"].row for item in answer.context["rows"]]


def content(answer: Any) -> bytes:
    """Return the body of an answer, streamed or not."""
    return b"".join(answer) if answer.streaming else bytes(answer.content)


def download(browser: Browser, write: Write, name: str) -> bytes:
    return content(browser.get(f"/writes/{write.pk}/{name}"))


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


class TestPage:
    """A page of rows at a time, narrowed by outcome, reason and key."""

    def test_it_shows_each_row_with_its_fate_and_the_sums(
        self, write: Write, browser: Browser
    ) -> None:
        answer = page(browser, write)
        found = [item["row"] for item in answer.context["rows"]]
        assert [(r.row, r.key, r.state) for r in found] == [
            (2, "a-1", "succeeded"),
            (3, "a-2", "failed"),
            (4, "a-3", "succeeded"),
            (5, "A-33", "failed"),
        ]
        totals = answer.context["totals"]
        assert (totals.sent, totals.succeeded, totals.failed) == (4, 2, 2)
        assert totals.alarms == []
        assert "REQUIRED_FIELD_MISSING" in answer.content.decode()

    def test_a_row_leads_to_all_writes_of_its_record(
        self, write: Write, browser: Browser
    ) -> None:
        text = page(browser, write).content.decode()
        assert 'href="/writes/records/?q=a-2"' in text

    def test_it_is_narrowed_by_outcome(self, write: Write, browser: Browser) -> None:
        assert shown(page(browser, write, state="failed")) == [3, 5]
        assert shown(page(browser, write, state="succeeded")) == [2, 4]
        assert shown(page(browser, write, state="unknown")) == []

    def test_it_is_narrowed_by_reason(self, write: Write, browser: Browser) -> None:
        group = page(browser, write).context["groups"][0]["group"]
        assert shown(page(browser, write, group=group.id)) == [3, 5]
        assert shown(page(browser, write, group=group.id + 1)) == []
        both = page(browser, write, group=group.id, state="succeeded")
        assert shown(both) == []

    @pytest.mark.parametrize(
        ("key", "rows"),
        [("a-2", [3]), ("a-", [2, 3, 4]), ("A-33", [5]), ("nothing", [])],
    )
    def test_it_is_searched_by_key(
        self, key: str, rows: list[int], write: Write, browser: Browser
    ) -> None:
        assert shown(page(browser, write, key=key)) == rows

    @pytest.mark.parametrize("narrowed", [{}, {"state": "succeeded"}, {"key": "k-"}])
    def test_pages_follow_each_other_both_ways_without_a_gap(
        self,
        narrowed: dict[str, str],
        many: Write,
        browser: Browser,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        whole = shown(page(browser, many, **narrowed))
        monkeypatch.setattr(rows_view, "PAGE", 3)
        answer = page(browser, many, **narrowed)
        pages = [shown(answer)]
        while answer.context["newer"]:
            answer = browser.get(f"/writes/{many.pk}/rows/?{answer.context['newer']}")
            pages.append(shown(answer))
        assert sum(pages, []) == whole
        back = [shown(answer)]
        while answer.context["older"]:
            answer = browser.get(f"/writes/{many.pk}/rows/?{answer.context['older']}")
            back.append(shown(answer))
        assert back[::-1] == pages

    def test_no_query_breaks_it(self, write: Write, browser: Browser) -> None:
        for query in (
            {"after": "9" * 30},
            {"before": "-1"},
            {"group": "x"},
            {"group": "9" * 30},
            {"state": "burnt"},
            {"key": "\0"},
            {"key": "%_*"},
            {"key": "x" * 5000},
            {"after": "999999"},
            {"before": "1"},
        ):
            assert page(browser, write, **query).status_code in (200, 400), query

    def test_htmx_gets_the_table_alone(self, write: Write, browser: Browser) -> None:
        headers = {"HX-Request": "true"}
        answer = browser.get(f"/writes/{write.pk}/rows/", headers=headers)
        assert answer.status_code == 200
        assert "<html" not in answer.content.decode()
        assert 'id="row-table"' in answer.content.decode()
        assert "HX-Request" in answer["Vary"]

    def test_hostile_text_is_only_text(
        self, sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
    ) -> None:
        data = f"{KEY},LastName\n{HOSTILE},\n".encode()
        write = make_draft(integration, olga, csv=data, primary_key=KEY)
        confirm(write, olga)
        work_off()
        answer = page(browser, write)
        assert "<img src=x" not in answer.content.decode()
        assert "&lt;img src=x" in answer.content.decode()
        assert Page(answer).inline == []

    def test_the_queries_do_not_grow_with_the_rows(
        self,
        write: Write,
        many: Write,
        browser: Browser,
        django_assert_num_queries: Any,
    ) -> None:
        with django_assert_num_queries(20, exact=False) as few:
            page(browser, write)
        with django_assert_num_queries(len(few)):
            page(browser, many)


class TestDownloads:
    """Lists to take away: to mend, to read, to keep."""

    def test_failed_rows_come_byte_for_byte_in_the_columns_of_the_file(
        self, write: Write, browser: Browser
    ) -> None:
        expected = b"".join([HEADER, ROWS[1], ROWS[3]]).replace(b"\r\n", b"\n")
        assert download(browser, write, "failed.csv") == expected

    def test_failed_rows_come_with_their_reasons(
        self, write: Write, browser: Browser
    ) -> None:
        found = table(download(browser, write, "failed-with-reasons.csv"))
        assert found[0] == [KEY, "LastName", "Description", "Row", "Error"]
        assert [row[0] for row in found[1:]] == ["a-2", "A-33"]
        assert [row[3] for row in found[1:]] == ["3", "5"]
        assert all("LastName" in row[4] for row in found[1:])

    def test_all_rows_come_with_their_outcome_and_their_cells_as_they_were_sent(
        self, write: Write, browser: Browser
    ) -> None:
        found = table(download(browser, write, "outcomes.csv"))
        assert [row[:3] for row in found[1:]] == [
            ["a-1", "Berg, A", "=cmd()"],
            ["a-2", "", "-1"],
            ["a-3", "Two\nlines", "@x"],
            ["A-33", "", "é"],
        ]
        assert [row[4] for row in found[1:]] == ["succeeded", "failed"] * 2

    @pytest.mark.parametrize(
        "name", ["failed-with-reasons.csv", "outcomes-for-spreadsheets.csv"]
    )
    def test_no_spreadsheet_calculates_what_it_is_given(
        self, name: str, write: Write, browser: Browser
    ) -> None:
        found = table(download(browser, write, name))
        cells = [cell for row in found for cell in row]
        assert not [cell for cell in cells if cell.startswith(tuple("=+-@"))]
        assert "'-1" in cells

    @pytest.mark.parametrize(
        "name", ["failed-with-reasons.csv", "outcomes-for-spreadsheets.csv"]
    )
    def test_nor_a_header_that_is_a_formula(
        self,
        name: str,
        sandbox: Sandbox,
        integration: Integration,
        olga: User,
        browser: Browser,
    ) -> None:
        data = b"=cmd(),id\n1,2\n"
        write = make_draft(integration, olga, csv=data, primary_key="id")
        confirm(write, olga)
        work_off()
        assert download(browser, write, name).startswith(b'\xef\xbb\xbf"\'=cmd()","id"')

    @pytest.mark.parametrize("name", DOWNLOADS)
    def test_only_what_is_for_spreadsheets_begins_with_a_mark(
        self, name: str, write: Write, browser: Browser
    ) -> None:
        is_exact = name in ("failed.csv", "outcomes.csv")
        begins = download(browser, write, name).startswith(b"\xef\xbb\xbf")
        assert begins is not is_exact

    @pytest.mark.parametrize("name", DOWNLOADS)
    def test_each_is_a_file_to_save_and_leaves_an_audit_event(
        self, name: str, write: Write, browser: Browser
    ) -> None:
        answer = browser.get(f"/writes/{write.pk}/{name}")
        assert answer["Content-Disposition"] == (
            f'attachment; filename="write-{write.pk}-{name}"'
        )
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]
        content(answer)
        assert AuditEvent.objects.get(action="rows.downloaded").actor_name == "olga"

    def test_head_tells_no_more_than_the_headers(
        self, write: Write, browser: Browser
    ) -> None:
        for name in DOWNLOADS:
            answer = browser.head(f"/writes/{write.pk}/{name}")
            assert (answer.status_code, content(answer)) == (200, b"")

    @pytest.mark.parametrize("gone", ["rows_store", "as_sent", "as_read"])
    def test_what_is_gone_is_not_there(
        self, gone: str, write: Write, browser: Browser
    ) -> None:
        write.path_of(gone).unlink()
        for name in DOWNLOADS:
            assert browser.get(f"/writes/{write.pk}/{name}").status_code == 404

    def test_there_is_nothing_before_the_rows_are_joined(
        self, draft: Write, olga: User, browser: Browser
    ) -> None:
        for _ in range(2):
            for name in DOWNLOADS:
                for pk in (draft.pk, 999_999):
                    assert browser.get(f"/writes/{pk}/{name}").status_code == 404
            confirm(draft, olga)


class TestNothing:
    """Why there are no rows."""

    def test_not_yet(self, draft: Write, olga: User, browser: Browser) -> None:
        confirm(draft, olga)
        answer = page(browser, draft)
        assert answer.status_code == 200
        assert "nothing-heading" in Shown(answer).ids
        assert "files-deleted" not in Shown(answer).data

    def test_not_any_more(self, write: Write, browser: Browser) -> None:
        long_ago = timezone.now() - timedelta(days=365)
        Write.objects.update(confirmed_at=long_ago)
        write.batches.update(is_settled=True)
        assert retention.sweep(timezone.now()) == 1
        answer = page(browser, write)
        assert answer.status_code == 200
        assert "files-deleted" in Shown(answer).data

    def test_never_for_a_record(
        self, integration: Integration, olga: User, browser: Browser
    ) -> None:
        assert page(browser, make_draft(integration, olga)).status_code == 404


def test_a_viewer_reads_the_rows_and_retries_nothing(
    write: Write, sign_in: Callable[..., Browser]
) -> None:
    viewer = sign_in(Role.VIEWER)
    answer = page(viewer, write)
    assert answer.status_code == 200
    assert f"/writes/{write.pk}/retry/" not in answer.content.decode()
    assert download(viewer, write, "failed.csv").startswith(b"Nr,")
    assert viewer.post(f"/writes/{write.pk}/retry/").status_code == 403
    assert viewer.post(f"/writes/{write.pk}/trial/").status_code == 403


def test_somebody_elses_draft_has_no_rows(
    draft: Write, sign_in: Callable[..., Browser]
) -> None:
    other = sign_in(Role.OPERATOR, "tim")
    for path in ("rows/", "rows/panel/", *DOWNLOADS):
        assert other.get(f"/writes/{draft.pk}/{path}").status_code == 404


def test_the_operation_shows_the_sums_of_the_rows(
    write: Write, browser: Browser
) -> None:
    operation = write.batches.get().operation
    text = browser.get(operation.get_absolute_url()).content.decode()
    assert f"/writes/{write.pk}/rows/" in text
    assert browser.get(f"/writes/{write.pk}/rows/panel/").status_code == 200


def test_the_panel_is_204_until_the_sums_change(write: Write, browser: Browser) -> None:
    address = f"/writes/{write.pk}/rows/panel/"
    seen = {"seen": rows_context(browser.get(address).wsgi_request, write)["seen"]}
    assert browser.get(address, seen).status_code == 204
    report = {**write.rows_report, "failed": 1, "succeeded": 0}
    Write.objects.filter(pk=write.pk).update(rows_report=report)
    assert browser.get(address, seen).status_code == 200


class TestColumns:
    def test_columns_of_the_file_as_sent_are_shown_beside_the_key(
        self, browser: Browser, write: Write
    ) -> None:
        address = f"/writes/{write.pk}/rows/"
        query = {"column": ["1", "2"], "state": "failed"}
        answer = browser.get(address, query)
        assert [each.name for each in answer.context["columns"]] == [
            "LastName",
            "Description",
        ]
        cells = {
            item["row"].key: [cell.text for cell in item["cells"]]
            for item in answer.context["rows"]
        }
        assert cells["a-2"] == ["", "-1"]
        assert "column=1&amp;column=2" in browser.get(address, query).text

    @pytest.mark.parametrize("column", ["0", "3", "-1", "x", "9" * 30])
    def test_another_column_is_a_400(
        self, browser: Browser, write: Write, column: str
    ) -> None:
        # The first is the key, which is shown anyway.
        answer = browser.get(f"/writes/{write.pk}/rows/", {"column": column})
        assert answer.status_code == 400

    def test_rows_stay_when_the_file_is_gone(
        self, browser: Browser, write: Write
    ) -> None:
        write.path_of("as_sent").unlink()
        answer = browser.get(f"/writes/{write.pk}/rows/")
        assert len(answer.context["rows"]) == 4
        assert "columns" not in Shown(answer).ids

    def test_a_row_unfolds_with_all_its_cells(
        self, browser: Browser, write: Write
    ) -> None:
        address = f"/writes/{write.pk}/grid/2/"
        fragment = browser.get(address, headers={"hx-request": "true"})
        assert "<html" not in fragment.text
        assert "Berg, A" in fragment.text
        assert "<html" in browser.get(address).text
