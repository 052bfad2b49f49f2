"""What programs read: with a token, within its scopes and its user's roles."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from console.access.roles import Role
from console.models import ApiToken, AuditEvent
from console.runtime import db_clock
from operations.models import LogEntry, Operation
from tests.api.conftest import V1, Ask
from tests.conftest import make_project, make_token, make_user, stored_operation
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

PROBLEM = "application/problem+json"
LISTS = ("operations", "writes", "audit")


def walked(ask: Ask, address: str) -> list[dict[str, Any]]:
    """Return the rows of all pages, as a program follows `next`."""
    rows: list[dict[str, Any]] = []
    for _ in range(50):
        answer = ask(address)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        rows += page["data"]
        if page["next"] is None:
            return rows
        address = page["next"]
    raise AssertionError("It never ends.")


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


# --- Who asks ------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*LISTS, "operations/1", "writes/1/rows"])
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wc_wrong",
        "Basic dmVyYTp2ZXJh",
        "Bearer é",
    ],
)
def test_without_a_token_that_counts_nothing_is_told(
    address: str, header: str | None, vera: User
) -> None:
    browser = Browser()
    # A session does not count, and is not kept alive.
    browser.force_login(vera)
    headers = {} if header is None else {"Authorization": header}
    answer = browser.get(V1 + address, headers=headers)
    assert answer.status_code == 401
    assert answer["Content-Type"] == PROBLEM
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in answer.headers
    assert answer.json()["status"] == 401


def test_a_token_opens_no_page_and_changes_nothing(vera: User) -> None:
    bearer = {"Authorization": f"Bearer {make_token(vera)}"}
    for name in ("home", "operations:list", "audit:csv", "account"):
        answer = Browser().get(reverse(name), headers=bearer)
        assert answer.status_code == 302, name
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        browser = Browser(enforce_csrf_checks=True)
        answer = browser.generic(method, f"{V1}operations", headers=bearer)
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD"), method
        assert answer["Content-Type"] == PROBLEM


@pytest.mark.parametrize(
    ("address", "scope"),
    [
        *(("operations", "history:read"), ("writes", "history:read")),
        *(("operations/{o}", "history:read"), ("operations/{o}/logs", "history:read")),
        *(("writes/{w}", "history:read"), ("writes/{w}/rows", "rows:read")),
        ("audit", "audit:read"),
    ],
)
def test_each_address_needs_its_scope_and_no_other(
    address: str, scope: str, sent: Write, vera: User, ask: Ask
) -> None:
    operation = Operation.objects.get()
    path = address.format(o=operation.pk, w=sent.pk)
    scopes = {"history:read", "rows:read", "audit:read"}
    assert ask(path, make_token(vera, scope)).status_code == 200
    answer = ask(path, make_token(vera, *sorted(scopes - {scope})))
    assert answer.status_code == 403
    assert answer["Content-Type"] == PROBLEM
    assert f'scope="{scope}"' in answer["WWW-Authenticate"]


def test_of_an_environment_without_a_role_nothing_is_told(
    sent: Write, vera: User, ask: Ask
) -> None:
    operation = Operation.objects.get()
    LogEntry.objects.filter(operation=operation).update(text="canary")
    stranger = make_user("stranger", production=Role.VIEWER)
    token = make_token(stranger)
    for address in LISTS:
        page = ask(address, token).json()
        assert (page["data"], page["next"]) == ([], None), address
    for address in (
        *(f"operations/{operation.pk}", f"operations/{operation.pk}/logs"),
        *(f"writes/{sent.pk}", f"writes/{sent.pk}/rows"),
    ):
        answer = ask(address, token)
        assert answer.status_code == 404
        assert answer["Content-Type"] == PROBLEM
    # Not even whether a project is there.
    hidden = ask(f"operations?project={operation.project_id}", token)
    missing = ask("operations?project=999999", token)
    assert hidden.status_code == missing.status_code == 400
    assert hidden.json()["errors"] == missing.json()["errors"]
    assert ask("operations", make_token(make_user("nobody"))).status_code == 403


# --- What is told --------------------------------------------------------------------


def test_an_operation_and_its_write_are_told_alike(sent: Write, ask: Ask) -> None:
    operation = Operation.objects.get()
    (listed,) = ask("operations").json()["data"]
    told = ask(f"operations/{operation.pk}").json()
    transitions = told.pop("transitions")
    assert told == listed
    assert (told["state"], told["rows_failed"]) == ("partly_failed", 1)
    assert (told["write_id"], told["environment"]) == (sent.pk, "sandbox")
    assert transitions[0]["from"] == ""
    assert transitions[-1]["to"] == told["state"]
    (write,) = ask("writes").json()["data"]
    assert write["rows_succeeded"] == 2
    assert write["rows_not_sent"] == 0
    assert write["as_sent_sha256"] == sent.check_report["as_sent_sha256"]
    detail = ask(f"writes/{sent.pk}").json()
    assert detail.pop("operations") == [operation.pk]
    assert detail == write


def test_rows_are_told_with_their_outcome(sent: Write, ask: Ask) -> None:
    rows = walked(ask, f"writes/{sent.pk}/rows?limit=1")
    assert [(row["row"], row["key"], row["outcome"]) for row in rows] == [
        *((2, "k-1", "succeeded"), (3, "k-2", "failed"), (4, "k-3", "succeeded")),
    ]
    assert rows[1]["error"]
    (failed,) = walked(ask, f"writes/{sent.pk}/rows?outcome=failed")
    assert failed == rows[1]
    assert walked(ask, f"writes/{sent.pk}/rows?key=k-3") == rows[2:]
    Write.objects.filter(pk=sent.pk).update(rows_store="")
    answer = ask(f"writes/{sent.pk}/rows")
    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_the_draft_of_somebody_else_is_not_there(sent: Write, ask: Ask) -> None:
    Write.objects.filter(pk=sent.pk).update(state="draft")
    assert ask("writes").json()["data"] == []
    assert ask(f"writes/{sent.pk}").status_code == 404
    assert ask(f"writes/{sent.pk}/rows").status_code == 404


def test_pages_hold_every_row_once_whatever_comes_meanwhile(ask: Ask) -> None:
    project = make_project()
    for number in range(7):
        stored_operation(
            project=project, action="follow", state="in_progress", remote_id=str(number)
        )
    wanted = list(Operation.objects.order_by("-pk").values_list("pk", flat=True))
    first = ask("operations?limit=3&object=").json()
    assert first["status"] == 400
    first = ask("operations?limit=3").json()
    stored_operation(
        project=project, action="follow", state="in_progress", remote_id="late"
    )
    rest = walked(ask, first["next"])
    assert ids(first["data"]) + ids(rest) == wanted


def test_filters_are_those_of_the_list(sent: Write, ask: Ask) -> None:
    for query, count in {
        "status=partly_failed": 1,
        "status=running": 0,
        f"text={Operation.objects.get().remote_id}": 1,
        "object=contact": 1,
        "object=lead": 0,
        "environment=sandbox": 1,
        "from=2000-01-01&to=2000-01-02": 0,
        "user=OLGA": 1,
    }.items():
        assert len(ask(f"operations?{query}").json()["data"]) == count, query


@pytest.mark.parametrize(
    "query",
    [
        *("nothing=1", "limit=0", "limit=501", "limit=x", "limit=1&limit=2", "limit="),
        *("before=0", "from=2024-02-31", "status=happy", "object=%00", "page=2"),
    ],
)
def test_what_is_not_a_parameter_is_refused_by_name(query: str, ask: Ask) -> None:
    answer = ask(f"operations?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    (error,) = answer.json()["errors"]
    assert error["parameter"] == query.partition("=")[0]


def test_a_log_is_read_in_its_order_page_by_page(sent: Write, ask: Ask) -> None:
    operation = Operation.objects.get()
    last = operation.log_entries.count()
    LogEntry.objects.bulk_create(
        LogEntry(
            operation=operation,
            sequence=last + number,
            severity="TRACE",
            text=f"line {number}",
            raw={"n": number},
            fingerprint=f"made {number}",
        )
        for number in range(1, 8)
    )
    rows = walked(ask, f"operations/{operation.pk}/logs?limit=3")
    assert [row["sequence"] for row in rows] == list(range(1, last + 8))
    some = walked(ask, f"operations/{operation.pk}/logs?limit=3&severity=TRACE")
    assert [row["raw"]["n"] for row in some] == list(range(1, 8))


def test_audit_events_carry_what_was_sealed_and_can_be_followed(ask: Ask) -> None:
    for number in range(5):
        AuditEvent.record(
            action="write.confirmed", subject=f"S {number}", environment="sandbox"
        )
    newest = walked(ask, "audit?limit=2&action=write.confirmed")
    assert [row["subject"] for row in newest] == [f"S {n}" for n in range(4, -1, -1)]
    first = newest[-1]["id"]
    later = walked(ask, f"audit?limit=2&action=write.confirmed&after={first}")
    assert later == newest[-2::-1]
    for row, before in zip(later, [newest[-1], *later], strict=False):
        assert row["previous_hash"] == before["hash"]
    stored = AuditEvent.objects.get(pk=first)
    assert newest[-1]["hash"] == stored.hash
    assert newest[-1]["key_id"] == stored.key_id
    assert ask("audit?before=9&after=1").status_code == 400


def test_head_is_answered_like_get_and_nothing_is_kept(ask: Ask) -> None:
    for address in LISTS:
        answer = ask(address, method="HEAD")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer["Cache-Control"] == "no-store"


# --- What goes wrong ------------------------------------------------------------------


def test_too_many_requests_are_told_when_to_come_again(
    settings: Any, vera: User, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now().replace(second=15, microsecond=0)
    monkeypatch.setattr(db_clock, "now", lambda: now)
    settings.API_PER_MINUTE = 3
    answers = [ask("operations") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert answers[-1]["Retry-After"] == "45"
    assert answers[-1]["Content-Type"] == PROBLEM
    # Another token has its own.
    assert ask("operations", make_token(vera)).status_code == 200
    assert ApiToken.objects.get(used_count=3)


@pytest.mark.parametrize(
    "address",
    ["/api/", "/api/v1/", "/api/v2/operations", "/api/v1/operations/"]
    + ["/api/v1/operations/x", "/api/v1/operations/99999999999999999999999"],
)
def test_an_address_that_is_not_there_is_told_without_html(
    address: str, ask: Ask
) -> None:
    answer = ask(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
    assert answer.json()["status"] == 404


def test_an_error_of_ours_is_told_without_html_and_logged(
    ask: Ask,
    vera: User,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr("operations.models.Operation.objects.visible_to", broken)
    browser = Browser(raise_request_exception=False)
    bearer = {"Authorization": f"Bearer {make_token(vera)}"}
    answer = browser.get(f"{V1}operations", headers=bearer)
    assert (answer.status_code, answer["Content-Type"]) == (500, PROBLEM)
    assert b"secret" not in answer.content
    assert any(record.exc_info for record in caplog.records)


def test_a_host_that_is_none_of_ours_is_refused_without_html(ask: Ask) -> None:
    answer = ask("operations", Host="evil.example")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


def test_everything_is_asked_of_the_database_in_few_queries(
    sent: Write, ask: Ask, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for address in (*LISTS, f"operations/{Operation.objects.get().pk}"):
        with django_assert_max_num_queries(6):
            ask(address)
