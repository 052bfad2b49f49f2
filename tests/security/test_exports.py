"""Attacks on whoever opens a table for spreadsheets: formulas in every spelling.

The readers below share nothing with the code that guards. They take a file apart as
spreadsheets of other countries do, that split where ours has no separator.
"""

import csv
import io
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import example, given
from hypothesis import strategies as st

from console.access.roles import Role
from console.models import AuditEvent
from operations.csv_export import MARK, csv_lines, exact_lines
from tests.operations.conftest import make_logs, make_operation

SEPARATORS = ",;\t|"
LINE_ENDS = "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
# What a spreadsheet may take for the beginning of a formula, also in wide forms.
STARTS = "=+-@＝＋－＠﹦﹢﹣﹫⁼₊−"


def cells_of(text: str, separator: str) -> list[str]:
    """Take a text apart as Excel does where lists are separated by `separator`.

    A cell that begins with a quote ends with the next single one; what follows that is
    taken as it stands. Everywhere else a quote is a character like any other.
    """
    cells, cell, place, at_start = [], "", 0, True
    while place < len(text):
        char = text[place]
        place += 1
        if at_start and char == '"':
            while place < len(text):
                if text[place] != '"':
                    cell += text[place]
                    place += 1
                elif text[place : place + 2] == '""':
                    cell += '"'
                    place += 2
                else:
                    place += 1
                    break
            at_start = False
        elif char == separator or char in LINE_ENDS:
            cells.append(cell)
            cell, at_start = "", True
        else:
            cell += char
            at_start = False
    return [*cells, cell]


def naive_cells_of(text: str, separators: str) -> list[str]:
    """Take a text apart as a careless program does: at each separator, whatever."""
    for separator in separators + LINE_ENDS:
        text = text.replace(separator, "\n")
    return [cell.strip('"') for cell in text.split("\n")]


def is_seen(char: str) -> bool:
    """Whether somebody sees a character, asked of Unicode alone."""
    blank = "\u2800\u3164\u115f\u1160\uffa0\u034f\u17b4\u17b5"
    if char in blank or 0xFE00 <= ord(char) <= 0xFE0F or 0x180B <= ord(char) <= 0x180F:
        return False
    return unicodedata.category(char) not in ("Cc", "Cf", "Zs", "Zl", "Zp")


def begins_formula(cell: str) -> bool:
    seen = "".join(filter(is_seen, cell)).lstrip('"')
    return seen.startswith(tuple(STARTS))


def all_readings(text: str) -> list[str]:
    readings = [cells_of(text, separator) for separator in SEPARATORS]
    readings += [naive_cells_of(text, separator) for separator in SEPARATORS]
    readings.append(naive_cells_of(text, SEPARATORS))
    return [cell for cells in readings for cell in cells]


HOSTILE = [
    "x;=cmd|'/C calc'!A0",
    "x; =cmd()",
    "x\t=cmd()",
    "x|@SUM(1)",
    "x,+1",
    "x\n=cmd()",
    "x\r-1",
    "x\u2028=cmd()",
    "x\x85=cmd()",
    "\u200b=cmd()",
    "\u3000=cmd()",
    "\u2060\u00ad=cmd()",
    "\ufe0f@x",
    "\u202e=cmd()",
    "x;\u200b\u3000＝cmd()",
    "x;＠SUM(1)",
    "﹢1",
    'x;"=cmd()"',
    'a";=cmd();"',
    '"=cmd()"',
    "\x00=cmd()",
    "\x1f=cmd()",
    "\u3164=cmd()",
    "x;\t =cmd()",
    "x;;\t;=cmd()",
    "=\n=\n=",
    "\u2003 \u200d-2+3",
    "x;−1",
    "\U000e0020=cmd()",
]


def spreadsheet(*rows: list[str]) -> str:
    return "".join(csv_lines(["id", "value", "other"], rows)).removeprefix(MARK)


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_no_reader_finds_a_formula(value: str, place: int) -> None:
    row = ["a", "b", "c"]
    row[place] = value
    text = spreadsheet(row, row)
    assert [cell for cell in all_readings(text) if begins_formula(cell)] == []


ALPHABET = st.sampled_from(
    [*SEPARATORS, *LINE_ENDS, *STARTS, *"\"' xü1\u200b\u3000\ufe0f"]
)


@given(st.lists(st.lists(st.text(ALPHABET, max_size=8), max_size=4), max_size=4))
@example([["x;"], ['"=1']])
@example([["a\t", "-1"]])
@example([['";', "=1"]])
def test_whatever_the_cells_no_reader_finds_a_formula(rows: list[list[str]]) -> None:
    text = "".join(csv_lines(["id"], rows)).removeprefix(MARK)
    assert [cell for cell in all_readings(text) if begins_formula(cell)] == []


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=4))
def test_all_of_unicode(row: list[str]) -> None:
    text = "".join(csv_lines(["id"], [row])).removeprefix(MARK)
    assert [cell for cell in all_readings(text) if begins_formula(cell)] == []


@given(
    st.lists(st.text(st.sampled_from("ab 1é.:/_'\"\n,;|\t"), max_size=9), min_size=1)
)
def test_what_holds_no_formula_comes_as_it_is(row: list[str]) -> None:
    row = [cell.lstrip("\t\n") for cell in row]
    lines = "".join(csv_lines(["id"], [row])).removeprefix(MARK)
    assert list(csv.reader(io.StringIO(lines, newline="")))[1] == row


def test_a_hostile_cell_loses_nothing_but_gains_quotes() -> None:
    for value in HOSTILE:
        (_, row) = csv.reader(
            io.StringIO("".join(csv_lines(["id"], [[value]])), newline="")
        )
        assert row[0].replace("'", "") == value.replace("'", "")


def test_a_separator_cannot_be_declared_by_the_first_cell() -> None:
    first = next(iter(csv_lines(["sep=;", "b"], [])))
    assert not first.removeprefix(MARK).lstrip('"').lower().startswith("sep=")


def test_ordinary_text_stays_readable() -> None:
    row = ["Müller & Co.", "a - b", "1 + 1 = 2", "max@example.com", "x-y", "2026-11-29"]
    lines = "".join(csv_lines(["id"], [row]))
    assert list(csv.reader(io.StringIO(lines)))[1] == row


def test_long_runs_are_read_in_linear_time() -> None:
    """A megabyte of what is passed over, and of separators, is no work to speak of."""
    for value in (
        "\u200b" * 1_000_000,
        ";" * 1_000_000,
        "; " * 500_000,
        " \t" * 500_000,
    ):
        assert "".join(csv_lines(["id"], [[value + "x"]]))


# --- What is for programs stays exact ------------------------------------------------


@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_exact_stays_exact(value: str) -> None:
    text = "".join(exact_lines([[value, "b"]]))
    assert list(csv.reader(io.StringIO(text, newline="")))[0] == [value, "b"]


# --- From somebody who is not signed in to the admin's spreadsheet -------------------


def export(browser: Browser, url: str) -> str:
    return browser.get(url).getvalue().decode().removeprefix(MARK)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    ["x;=cmd|'/C calc'!A0", "\u200b=HYPERLINK(1)", "x\t＝1", "x|\u3000-1", "a,@b"],
)
def test_a_name_that_was_tried_at_the_door_is_no_formula(
    name: str, client: Browser, sign_in: Callable[..., Browser]
) -> None:
    client.post("/login/", {"username": name, "password": "x"})
    assert AuditEvent.objects.filter(action="user.sign_in_failed").exists()
    text = export(sign_in(Role.ADMIN), "/audit/audit.csv")
    assert "sign_in_failed" in text
    assert [cell for cell in all_readings(text) if begins_formula(cell)] == []


@pytest.mark.django_db
def test_what_ampersand_logged_is_no_formula(
    project: Any, sign_in: Callable[..., Browser]
) -> None:
    operation = make_operation(project)
    make_logs(operation, 1, text="x;=cmd()", error="a\u2028＠b", severity="\u3000+1")
    text = export(sign_in(Role.VIEWER), f"/operations/{operation.pk}/logs.csv")
    assert "cmd" in text
    assert [cell for cell in all_readings(text) if begins_formula(cell)] == []
