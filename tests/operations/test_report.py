"""The report of a period: what it counts, where it leads, who sees it, its files."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from console.access.roles import Role
from console.models import AuditEvent, Project
from console.signed_file import Refused, read_signed, signed_file
from console.signing import public_keys
from operations.models import Operation
from operations.worker.count_days import count_marked, mark_all
from operations.worker.store_failures import store_failures
from tests.conftest import make_project
from tests.operations.conftest import Clock, make_operation

PAGE = "/operations/report/"
NOON = datetime(2024, 3, 20, 12, tzinfo=UTC)


class Links(HTMLParser):
    """The addresses of a page that lead to the list."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") or ""
        is_error = re.match(r"/operations/failures/[0-9a-f]{16}/\?from=", address)
        if tag == "a" and (is_error or address.startswith("/operations/?from=")):
            self.found.add(address)


@pytest.fixture
def history(project: Project, clock: Clock) -> dict[str, Operation]:
    """Operations of several days, counted."""
    day = timedelta(days=1)
    sent = {"sent_at": NOON, "ended_at": NOON + timedelta(seconds=90)}
    kinds: dict[str, dict[str, Any]] = {
        "good": {"state": "succeeded", "rows_succeeded": 4, **sent},
        "partly": {
            "state": "partly_failed",
            "rows_succeeded": 3,
            "rows_failed": 1,
            "reason": "FOO_BAR:too “long”:Name --",
            "object_name": "Account",
            "created_at": NOON - day,
            **sent,
        },
        "rejected": {
            "state": "rejected",
            "group_ref": "=cmd",
            "reason": "FOO_BAR:too “short”:Name --",
        },
        "unknown": {"state": "unknown", "started_by_name": "mara"},
        "running": {"state": "in_progress"},
        "old": {"state": "failed", "created_at": NOON - 29 * day},
        "older": {"state": "failed", "created_at": NOON - 30 * day},
    }
    made = {name: make_operation(project, **kind) for name, kind in kinds.items()}
    for operation in made.values():
        store_failures(operation)
    count_marked(seconds=1e9)
    return made


def totals(context: Any) -> list[int]:
    return list(context["totals"].values())


def test_rows_are_counted_by_outcome(
    history: dict[str, Operation], sign_in: Callable[..., Browser]
) -> None:
    context = sign_in(Role.VIEWER).get(PAGE).context
    # Operations, and rows succeeded, failed, unknown, running.
    assert totals(context) == [6, 7, 5, 8, 4]
    assert [line.sums["operations"] for line in context["days"]] == [4, 1, 1]
    (error,) = context["errors"].lines[:1]
    assert (error.name, error.sums["operations"]) == ("FOO_BAR: too … (Name)", 2)
    tables = dict(context["tables"])
    assert {e.value for e in tables["object"].lines} == {"contact", "account"}
    assert {e.value: e.sums["operations"] for e in tables["user"].lines}["mara"] == 1
    took = next(e.p50 for e in tables["object"].lines if e.value == "account")
    assert abs(took / timedelta(seconds=90) - 1) <= 0.1
    assert [each.pk for each in context["unknown"]] == [history["unknown"].pk]


def test_each_bar_leads_to_the_operations_it_counts(
    history: dict[str, Operation], sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(Role.VIEWER)
    page = browser.get(PAGE)
    links = Links(page.content.decode()).found
    listed = {address: ids(browser.get(address)) for address in links}
    assert all(listed.values()), listed
    names = {o.pk: name for name, o in history.items()}
    sets = {frozenset(names[pk] for pk in found) for found in listed.values()}
    assert frozenset({"partly", "rejected"}) in sets  # the error
    assert frozenset({"good"}) in sets  # succeeded rows of the last day
    assert frozenset({"rejected"}) in sets  # failed rows of that day
    assert frozenset({"unknown"}) in sets
    assert not any("older" in found for found in sets)
    for table in dict(page.context["tables"]).values():
        for line in table.lines:
            found = ids(browser.get(f"/operations/?{line.query}"))
            assert len(found) == line.sums["operations"], line


@pytest.mark.parametrize(
    "query",
    [
        "from=2024-03-20&to=2024-03-20",
        "from=2024-03-19&to=2024-03-20",
        "from=2024-01-01&to=2024-03-20&environment=sandbox",
        "from=2024-01-01&to=2024-03-20&environment=production",
        "from=2024-01-01&to=2024-03-20",
    ],
)
def test_report_and_errors_count_the_same(
    history: dict[str, Operation], sign_in: Callable[..., Browser], query: str
) -> None:
    there = make_project("There", environment="production")
    reason = "FOO_BAR:too “short”:Name --"
    told = {"rows_failed": 2, "reason": reason}
    made = [
        make_operation(there, state="failed", **told, created_at=NOON),
        make_operation(there, state="rejected", rows_sent=7, reason="Another"),
        # Nobody knows of failed rows, though its errors were kept once.
        make_operation(there, state="failed", reason="Gone"),
        # It is called a success, but rows of it failed.
        make_operation(there, state="completed", **told),
    ]
    for operation in made:
        store_failures(operation)
    made[2].change(only_from=("failed",), state="succeeded")
    made[3].failures.create(digest="0" * 16, message="Of a row", rows=2)
    count_marked(seconds=1e9)
    browser = sign_in(Role.VIEWER)
    reported = {
        line.value: (line.sums["operations"], line.sums["rows_failed"])
        for line in browser.get(f"{PAGE}?{query}").context["errors"].lines
    }
    counted = {
        kind.digest: (len(kind.operations), kind.rows)
        for kind in browser.get(f"/operations/failures/?{query}").context["kinds"]
    }
    assert reported == counted
    assert reported
    for digest, (operations, _) in reported.items():
        for address in (f"failures/{digest}/?{query}", f"?error={digest}&{query}"):
            assert len(ids(browser.get(f"/operations/{address}"))) == operations


def ids(answer: Any) -> set[int]:
    assert answer.status_code == 200
    return {operation.pk for operation in answer.context["operations"]}


def test_nobody_counts_what_they_may_not_see(
    history: dict[str, Operation], sign_in: Callable[..., Browser]
) -> None:
    there = make_project("There", environment="production")
    make_operation(there, state="unknown", group_ref="far-away")
    mark_all()
    count_marked(seconds=1e9)
    browser = sign_in(Role.VIEWER, production=Role.NONE)
    answer = browser.get(PAGE)
    assert totals(answer.context)[0] == 6
    for address in (PAGE, f"{PAGE}report.csv", f"{PAGE}report.json", "/"):
        content = b"".join(browser.get(address))
        assert b"far-away" not in content, address
    everything = sign_in(Role.VIEWER, name="all").get(PAGE, {"environment": ""})
    assert totals(everything.context)[0] == 7
    only = sign_in(Role.VIEWER, name="one").get(PAGE, {"environment": "production"})
    assert totals(only.context)[0] == 1


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2024-02-20", "2024-03-20"),
        ("period=today", "2024-03-20", "2024-03-20"),
        ("period=yesterday", "2024-03-19", "2024-03-19"),
        ("period=7d", "2024-03-14", "2024-03-20"),
        ("period=30d", "2024-02-20", "2024-03-20"),
        ("period=month", "2024-03-01", "2024-03-20"),
        ("period=last_month", "2024-02-01", "2024-02-29"),
        ("span=7", "2024-03-14", "2024-03-20"),
        ("span=30", "2024-02-20", "2024-03-20"),
        ("span=last_month", "2024-02-01", "2024-02-29"),
        ("span=7&from=2024-01-01&to=2024-01-31", "2024-01-01", "2024-01-31"),
        ("to=2024-01-30", "2024-01-01", "2024-01-30"),
        ("from=2023-03-21", "2023-03-21", "2024-03-20"),
    ],
)
def test_a_period_is_a_preset_or_given(
    clock: Clock, sign_in: Callable[..., Browser], query: str, first: str, last: str
) -> None:
    period = sign_in(Role.VIEWER).get(f"{PAGE}?{query}").context["period"]
    assert [period.first.isoformat(), period.last.isoformat()] == [first, last]


@pytest.mark.parametrize(
    "query", ["span=8", "period=24h", "period=x", "from=2023-03-20", "to=1999-01-01"]
)
def test_a_period_that_makes_no_sense_shows_nothing(
    clock: Clock, sign_in: Callable[..., Browser], query: str
) -> None:
    for address in (PAGE, f"{PAGE}report.csv", f"{PAGE}report.json"):
        browser = sign_in(Role.VIEWER, name=address)
        assert browser.get(f"{address}?{query}").status_code == 400


def test_before_anything_is_counted_nothing_is_claimed(
    project: Project, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(Role.VIEWER)
    assert b'id="not-counted"' in browser.get(PAGE).content
    for address in (f"{PAGE}report.csv", f"{PAGE}report.json"):
        assert browser.get(address).status_code == 409
    count_marked()
    assert b'id="not-counted"' not in browser.get(PAGE).content
    assert browser.get(f"{PAGE}report.json").status_code == 200


def test_the_csv_has_unknown_outcomes_first_and_no_formula(
    history: dict[str, Operation], sign_in: Callable[..., Browser]
) -> None:
    content = b"".join(sign_in(Role.VIEWER).get(f"{PAGE}report.csv"))
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert rows[1][:4] == [
        "unknown outcome",
        rows[1][1],
        str(history["unknown"].pk),
        "1",
    ]
    assert rows[2][:8] == ["all", "All", "", "6", "7", "5", "8", "4"]
    kinds = {row[0] for row in rows[1:]}
    assert kinds >= {"customer", "object", "user", "state", "error", "day"}
    assert [row[2] for row in rows if row[2].endswith("cmd")] == ["'=cmd"]
    event = AuditEvent.objects.get(action="report.downloaded")
    assert event.detail["sha256"]


def test_the_signed_file_is_verified_and_one_changed_byte_refused(
    history: dict[str, Operation], sign_in: Callable[..., Browser], tmp_path: Path
) -> None:
    answer = sign_in(Role.VIEWER).get(f"{PAGE}report.json?span=30")
    assert AuditEvent.objects.filter(action="report.downloaded").count() == 1
    report = json.loads(answer.content)["report"]
    assert report["unknown"][0]["operation"] == history["unknown"].pk
    assert report["totals"]["all"][0]["rows_failed"] == 5
    file = tmp_path / "report.json"
    file.write_bytes(answer.content)
    call_command("verify_report", file)
    call_command("verify_report", file, public_key=public_keys()[0])
    with pytest.raises(CommandError, match="not trusted"):
        call_command("verify_report", file, public_key="00" * 32)
    file.write_bytes(answer.content.replace(b'"rows_failed": 5', b'"rows_failed": 4'))
    with pytest.raises(CommandError, match="Refused"):
        call_command("verify_report", file)


FILE = signed_file({"from": "2024-02-01", "text": "a “b” \\ ñ", "n": [1, None, 0.5]})


@given(where=st.integers(0, len(FILE) - 1), byte=st.integers(0, 255))
def test_any_changed_byte_is_refused(where: int, byte: int) -> None:
    changed = FILE[:where] + bytes([byte]) + FILE[where + 1 :]
    if changed == FILE:
        assert read_signed(changed, trusted=public_keys())["from"] == "2024-02-01"
        return
    with pytest.raises(Refused):
        read_signed(changed, trusted=public_keys())


def test_a_signature_in_other_letters_is_refused() -> None:
    signature = json.loads(FILE)["signature"]["signature"]
    for other in (signature.upper(), f" {signature}", f"{signature} "):
        changed = FILE.replace(signature.encode(), other.encode())
        assert changed != FILE
        with pytest.raises(Refused):
            read_signed(changed, trusted=public_keys())


@given(data=st.binary(max_size=200) | st.text().map(str.encode))
def test_what_is_no_signed_file_is_refused(data: bytes) -> None:
    for file in (data, FILE + data[:3] + b" ", FILE[: len(data)]):
        with pytest.raises(Refused):
            read_signed(file, trusted=public_keys())


def test_files_of_an_older_key_are_verified_while_it_is_listed(settings: Any) -> None:
    old = settings.FIELD_KEYS
    settings.AUDIT_KEYS = ["a-newer-key"]
    assert read_signed(FILE, trusted=public_keys())
    settings.FIELD_KEYS = [key[::-1] for key in old]
    with pytest.raises(Refused):
        read_signed(FILE, trusted=public_keys())


def test_home_shows_the_last_days_and_is_quiet_without_any(
    project: Project, clock: Clock, sign_in: Callable[..., Browser]
) -> None:
    browser = sign_in(Role.VIEWER)
    count_marked()
    assert browser.get("/").context["plot"] is None
    make_operation(project, state="succeeded", rows_succeeded=4)
    Operation.objects.get().change(only_from=("succeeded",), rows_succeeded=3)
    count_marked()
    plot = browser.get("/").context["plot"]
    assert [bool(column.pieces) for column in plot.columns] == [False] * 13 + [True]
    kinds = [piece.kind for piece in plot.columns[-1].pieces]
    assert kinds == ["rows_succeeded", "rows_unknown"]


def test_more_operations_take_no_more_queries(
    project: Project, clock: Clock, sign_in: Callable[..., Browser]
) -> None:
    browser, counts = sign_in(Role.VIEWER), []
    for _ in range(2):
        for number in range(15):
            make_operation(project, state="succeeded", group_ref=f"g-{number}")
        Operation.objects.last().change(only_from=("succeeded",), rows_failed=1)
        count_marked()
        browser.get(reverse("operations:report"))
        with CaptureQueriesContext(connection) as captured:
            browser.get(reverse("operations:report"))
        counts.append(len(captured))
    assert counts[0] == counts[1]
