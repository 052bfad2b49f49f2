"""A fault that reading told blocks until it is mended, and no longer."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.models import Integration
from tests.files.test_workbooks import plain, row, text, typed, workbook
from tests.writes.making import make_draft
from tests.writes.test_file import as_sent, press
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def blocking(write: Write) -> list[dict[str, Any]]:
    groups = write.check_report["groups"]
    return [group for group in groups if group["level"] == "blocks"]


def leave_out(browser: Browser, write: Write) -> None:
    """Leave the rows of the first finding that blocks out."""
    group = blocking(write)[0]
    values = {name: group[name] or "" for name in ("level", "rule", "column")}
    press(browser, write, "leave-out", **values)


def read(integration: Integration, user: User, browser: Browser, data: bytes) -> Write:
    """Return the draft of a file, read as is suggested."""
    write = make_draft(integration, user, csv=data, primary_key="id", faulty=True)
    suggested = write.inspection["suggested"]
    press(browser, write, "read", **suggested)
    return write


def with_errors(folder: Path, errors: int = 1, rows: int = 3) -> bytes:
    """Return a workbook whose first rows have an error in column `amount`."""
    header = row(1, text("A1", "id"), text("B1", "amount"))
    body = [
        row(
            n + 2,
            text(f"A{n + 2}", f"A{n}"),
            typed(f"B{n + 2}", "e", "#REF!") if n < errors else plain(f"B{n + 2}", 7),
        )
        for n in range(rows)
    ]
    return workbook(folder / "errors.xlsx", header, *body).read_bytes()


class TestErrorsOfAWorkbook:
    """A cell with an error blocks while it goes out with it."""

    @pytest.fixture
    def write(
        self, integration: Integration, olga: User, browser: Browser, tmp_path: Path
    ) -> Write:
        write = read(integration, olga, browser, with_errors(tmp_path))
        assert [g["rule"] for g in blocking(write)] == ["cell-error"]
        return write

    def test_until_the_cell_is_saved(self, write: Write, browser: Browser) -> None:
        edit = {"cell_row": "2", "cell_column": "amount", "cell_was": "#REF!"}
        press(browser, write, "cells", **edit, cell="5")
        assert write.is_ready
        assert as_sent(write) == b"id,amount\nA0,5\nA1,7\nA2,7\n"

    def test_until_something_else_goes_out_for_it(
        self, write: Write, browser: Browser
    ) -> None:
        form = {"name_1": "amount", "placeholders_1": "blank", "zone": "UTC"}
        press(browser, write, "columns", **form)
        assert write.is_ready
        assert as_sent(write) == b"id,amount\nA0,\nA1,7\nA2,7\n"

    def test_until_the_row_is_left_out(self, write: Write, browser: Browser) -> None:
        leave_out(browser, write)
        assert write.is_ready
        press(browser, write, "put-back")
        assert not write.is_ready

    def test_until_the_column_is_left_out(self, write: Write, browser: Browser) -> None:
        form = {"name_0": "id", "name_1": "amount", "leave_1": "on"}
        press(browser, write, "columns", **form)
        assert write.is_ready
        assert as_sent(write) == b"id\nA0\nA1\nA2\n"

    def test_a_column_under_another_name_is_mended_too(
        self, write: Write, browser: Browser
    ) -> None:
        press(browser, write, "columns", name_0="id", name_1="Total")
        assert [g["column"] for g in blocking(write)] == ["Total"]
        edit = {"cell_row": "2", "cell_column": "amount", "cell_was": "#REF!"}
        press(browser, write, "cells", **edit, cell="5")
        assert write.is_ready

    def test_not_by_another_row(self, write: Write, browser: Browser) -> None:
        write.revise(is_ready=False, recipe_json={"columns": {}, "left_out": [[3, 3]]})
        press(browser, write, "check")
        assert not write.is_ready


def test_more_errors_than_are_listed_block_until_all_are_mended(
    integration: Integration, olga: User, browser: Browser, tmp_path: Path
) -> None:
    data = with_errors(tmp_path, errors=1_200, rows=1_201)
    write = read(integration, olga, browser, data)
    [group] = blocking(write)
    assert (group["total"], group["listed"]) == (1_200, 1_000)
    write.revise(is_ready=False, recipe_json={"columns": {}, "left_out": [[2, 1001]]})
    press(browser, write, "check")
    [group] = blocking(write)
    assert (group["total"], group["listed"]) == (200, 200)
    leave_out(browser, write)
    assert write.is_ready
    assert as_sent(write) == b"id,amount\nA1200,7\n"


def test_a_time_that_never_was_or_was_twice_is_told_at_its_row(
    tiers: Integration, olga: User, browser: Browser
) -> None:
    data = (
        b"id,name,When\n0,x,12/31/2024 0:15 AM\n1,x,03/10/2024 2:30 AM\n"
        b"2,x,11/03/2024 1:30 AM\n3,x,12/31/2024 12:15 AM\n"
    )
    write = make_draft(tiers, olga, csv=data, primary_key="id", faulty=True)
    press(browser, write, "columns", name_2="moment", dates_2="datetime:us")
    values = {"name_0": "id", "name_1": "name", "name_2": "moment"}
    zone = "America/New_York"
    press(browser, write, "columns", **values, dates_2="datetime:us", zone=zone)
    [group] = blocking(write)
    told = {f["row"]: f["message"] for f in group["first"]}
    assert told.keys() == {2, 3, 4}
    assert zone in told[3]
    assert "2024-11-03T01:30:00-04:00 or 2024-11-03T01:30:00-05:00" in told[4]
    assert not any("Convert it under Columns" in message for message in told.values())
    edit = {"cell_column": "When", "cell_was": "x", "cell": "2024-12-31T10:00:00Z"}
    for number in ("2", "3", "4"):
        press(browser, write, "cells", **edit, cell_row=number)
    assert write.is_ready
    assert as_sent(write).endswith(b"3,x,2024-12-31T00:15:00-05:00\n")


def test_quotes_between_semicolons(
    integration: Integration, olga: User, browser: Browser
) -> None:
    data = b'id;Name\nA1; "a, b" c\nA2;z\n'
    write = read(integration, olga, browser, data)
    assert [g["rule"] for g in blocking(write)] == ["quotes"]
    leave_out(browser, write)
    assert write.is_ready
    assert as_sent(write) == b"id,Name\nA2,z\n"


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        (
            b'id,Name\nA1,5" pipe\nA2,6"\nA3, "z"\n',
            b'id,Name\nA1,"5"" pipe"\nA2,"6"""\n',
        ),
        (
            b'id;Name\nA1;5" pipe, long\nA2;6"\nA3; "z"\n',
            b'id,Name\nA1,"5"" pipe, long"\nA2,"6"""\n',
        ),
    ],
)
def test_cells_are_put_in_quotes_where_they_can_be_meant_in_one_way_only(
    data: bytes, sent: bytes, integration: Integration, olga: User, browser: Browser
) -> None:
    write = read(integration, olga, browser, data)
    totals = {g["rule"]: g["total"] for g in blocking(write)}
    if data.startswith(b"id,"):
        assert totals == {"inner-quotes": 2, "quotes": 1}
    press(browser, write, "quotes")
    assert {g["rule"] for g in blocking(write)} == {"quotes"}
    leave_out(browser, write)
    assert write.is_ready
    assert as_sent(write) == sent
    press(browser, write, "undo")
    assert not write.is_ready


def test_characters_that_cannot_be_read(
    integration: Integration, olga: User, browser: Browser
) -> None:
    data = b'id,Name\nA1,"x\n\x81"\nA2,caf\xe9\n'
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    press(browser, write, "read", encoding="cp1252", delimiter=",")
    [group] = blocking(write)
    assert [(f["row"], f["line"]) for f in group["first"]] == [(2, 3)]
    leave_out(browser, write)
    assert write.is_ready
    assert as_sent(write) == "id,Name\nA2,café\n".encode()
