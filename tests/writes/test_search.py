"""The search: what is found by which text, and by whom."""

import io
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from console.access.roles import Role
from console.actor import Actor
from console.models import AuditEvent, Group, Integration
from operations.models import Operation, operation_queries
from sandbox.app import Sandbox
from tests.conftest import actor, make_project, make_user
from tests.operations.conftest import make_operation
from tests.writes.making import confirm, make_draft, work_off
from writes.actions import retention
from writes.actions.catch_up import catch_up
from writes.actions.preserve import preserve
from writes.models import Backlog, Preservation, SearchTerm, Write
from writes.search import everywhere, terms, texts
from writes.token_filter import masked

pytestmark = pytest.mark.django_db

KEY = "external_id__c"
CSV = b"external_id__c,LastName\nk-1,Berg\nk-2,\n"
CONTACT = {"LastName": "Öztürk", "Email": "o.oz@example.com", "Age": 41, "Is": True}


def found(browser: Browser, text: str, **more: Any) -> dict[str, list[Any]]:
    """Return what the page shows, by kind: addresses, customers, subjects, drafts."""
    page = browser.get("/search/", {"q": text, **more})
    assert page.status_code == 200
    results = {}
    for kind, each in page.context["results"]:
        if each:
            results[kind.name] = [
                *(line.url for line in each.lines),
                *(group.group_ref for group in each.groups),
                *(event.subject for event in each.events),
                *(draft.pk for draft in each.drafts),
            ]
    return results


def address(operation: Operation) -> str:
    return f"/operations/{operation.pk}/"


def shown(write: Write) -> str:
    """Return the address by which a write of one operation is shown."""
    return address(write.batches.get().operation)


@pytest.fixture
def record(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    """A contact that was sent."""
    write = make_draft(integration, olga, record=CONTACT)
    confirm(write, olga, reason="Ticket OPS-1234: new contact")
    work_off()
    write.refresh_from_db()
    return write


@pytest.fixture
def file(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    """A file that was sent, of which a row failed."""
    write = make_draft(integration, olga, csv=CSV, primary_key=KEY)
    Write.objects.filter(pk=write.pk).update(file_name="Accounts_März 2026.csv")
    write.refresh_from_db()
    confirm(write, olga)
    work_off()
    write.refresh_from_db()
    return write


@pytest.mark.parametrize(("key", "words"), [("k-1", "succeeded"), (" k-2 ", "failed")])
def test_a_file_is_found_by_the_key_of_a_row_with_its_outcome(
    key: str, words: str, file: Write, browser: Browser
) -> None:
    results = found(browser, key)
    assert results["rows"] == [f"/writes/{file.pk}/rows/?key={key.strip()}"]
    page = browser.get("/search/", {"q": key, "kind": "rows"})
    [(_, each)] = page.context["results"]
    assert words in each.lines[0].matched.label


def test_while_a_file_still_runs_no_key_is_said_not_to_be_there(
    sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
) -> None:
    confirm(make_draft(integration, olga, csv=CSV, primary_key=KEY), olga)
    page = browser.get("/search/", {"q": "k-1", "kind": "rows"})
    [(_, each)] = page.context["results"]
    assert (each.lines, bool(each.looked_at)) == ([], True)


@pytest.mark.parametrize(
    "text", ["#{0.pk}", "{0.pk}", " operation {0.pk} ", "{0.remote_id}"]
)
def test_an_operation_is_found_by_its_ids(
    text: str, file: Write, browser: Browser
) -> None:
    operation = file.batches.get().operation
    results = found(browser, text.format(operation))
    assert results["operations"] == [address(operation)]


@pytest.mark.parametrize("few", [3, 500])
def test_an_id_is_found_by_its_beginning_and_newest_first(
    browser: Browser,
    integration: Integration,
    few: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(operation_queries, "FEW", few)
    project = integration.project
    made = [
        make_operation(project, remote_id=f"remote-id-{n}", record_id=f"003AAAAAA-{n}")
        for n in range(7)
    ]
    newest = [address(operation) for operation in reversed(made)]
    assert found(browser, "remote-id")["operations"] == newest[:5]
    assert found(browser, "003AAAAAA")["records"] == newest[:5]
    assert "operations" not in found(browser, "emote-id")
    page = browser.get("/search/", {"q": "remote-id"})
    assert 'id="more-operations"' in page.text
    assert found(browser, "remote-id", kind="operations") == {"operations": newest}
    older = {"kind": "operations", "before": made[2].pk}
    assert found(browser, "remote-id", **older) == {"operations": newest[5:]}


def test_a_salesforce_id_of_15_or_18_characters_is_one_record(
    browser: Browser, integration: Integration
) -> None:
    long, short = "003gL0000006GiHQAU", "003gL0000006GiH"
    first = make_operation(integration.project, record_id=short)
    second = make_operation(integration.project, record_id=long)
    both = {"records": [address(second), address(first)]}
    assert found(browser, short) == both
    assert found(browser, long) == both


def test_a_request_id_leads_to_its_operation_or_its_audit_events(
    browser: Browser, olga: User, integration: Integration
) -> None:
    operation = make_operation(integration.project, request_id="req-77-abc")
    assert found(browser, "req-77-abc") == {"requests": [address(operation)]}
    correlation_id = "0123456789abcdef" * 2
    acting = Actor(user=olga, name="olga", correlation_id=correlation_id)
    AuditEvent.record(
        action="a.b", subject="What it did", about=integration.project, actor=acting
    )
    assert found(browser, correlation_id)["audit"] == ["What it did"]


@pytest.mark.parametrize("length", [8, 20, 64])
def test_a_file_is_found_by_the_digests_that_its_pages_show(
    length: int, file: Write, browser: Browser
) -> None:
    batch = file.batches.get()
    digests = {
        "as uploaded": file.inspection["sha256"],
        "as sent": file.check_report["as_sent_sha256"],
        "request": batch.sha256,
    }
    assert len(set(digests.values())) >= 2
    for digest in digests.values():
        hits = found(browser, digest[:length].upper())
        assert hits["digests"] == [shown(file)]
    assert "digests" not in found(browser, digests["as sent"][:7])


@pytest.mark.parametrize(
    "text",
    [
        "accounts_märz 2026.csv",
        "ACCOUNTS",
        "märz",
        "2026 acc",
        "März-2026",
        "accounts_m",
    ],
)
def test_a_file_is_found_by_its_name_and_by_beginnings_of_words_in_it(
    text: str, file: Write, browser: Browser
) -> None:
    assert found(browser, text)["files"] == [shown(file)]


@pytest.mark.parametrize("text", ["ccounts", "accounts 2025", "contacts.csv"])
def test_other_files_are_not(text: str, file: Write, browser: Browser) -> None:
    assert "files" not in found(browser, text)


def test_a_customer_is_found_with_what_was_sent_last(
    record: Write, browser: Browser
) -> None:
    for text in ("demo cust", "DEMO-group", "Demo customer"):
        page = browser.get("/search/", {"q": text})
        ((_, hits),) = [
            pair for pair in page.context["results"] if pair[0].name == "customers"
        ]
        (group,) = hits.groups
        assert group.last == record.batches.get().operation
        assert f"/operations/?{group.narrowed}" in page.text.replace("&amp;", "&")
        listed = browser.get(f"/operations/?{group.narrowed}").context["operations"]
        assert list(listed) == [group.last]


def test_a_customer_that_is_on_no_list_is_found_by_its_reference(
    browser: Browser, integration: Integration
) -> None:
    first, second = (
        make_operation(integration.project, group_ref="org-9") for _ in range(2)
    )
    found_ = found(browser, "org-9")
    assert found_ == {"customers": [address(second), address(first)]}


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("Öztürk", True),
        ("  öZTÜRK ", True),
        ("O.OZ@EXAMPLE.COM", True),
        ("41", True),
        ("o.oz", False),
        ("True", False),
    ],
)
def test_a_single_record_is_found_by_a_whole_value(
    text: str, is_there: bool, record: Write, browser: Browser
) -> None:
    hits = found(browser, text).get("values", [])
    assert hits == ([shown(record)] if is_there else [])


def test_no_value_is_kept_in_words(record: Write) -> None:
    kept = SearchTerm.objects.filter(kind=SearchTerm.Kind.VALUE)
    assert kept.count() == 3
    for term in kept:
        assert len(term.text) == 32
        assert term.text == term.text.lower()


def test_a_value_is_found_under_a_key_that_is_no_longer_the_first(
    record: Write, browser: Browser, settings: Any
) -> None:
    old = settings.FIELD_KEYS
    settings.FIELD_KEYS = ["Zm9yIHRlc3RzIG9ubHk6IGEgbmV3IGZpcnN0IGtleSE=", *old]
    assert found(browser, "41")["values"]
    call_command("rebuild", "search", stdout=io.StringIO())
    assert not catch_up(seconds=1e9)
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert found(browser, "41")["values"]
    assert SearchTerm.objects.filter(kind=SearchTerm.Kind.VALUE).count() == 3
    settings.FIELD_KEYS = old
    assert "values" not in found(browser, "41")


def test_retention_takes_values_away_and_leaves_names_and_digests(
    record: Write, file: Write, browser: Browser, settings: Any
) -> None:
    days = settings.KEEP_DAYS["sandbox"]
    retention.sweep(timezone.now() + timedelta(days=days - 1))
    assert found(browser, "41")["values"]
    retention.sweep(timezone.now() + timedelta(days=days + 1))
    assert "values" not in found(browser, "41")
    assert not SearchTerm.objects.filter(kind=SearchTerm.Kind.VALUE).exists()
    assert found(browser, "accounts")["files"] == [shown(file)]
    digest = file.check_report["as_sent_sha256"]
    assert found(browser, digest)["digests"] == [shown(file)]


def test_the_clock_notes_older_writes_alike_and_no_value_that_is_past(
    record: Write, file: Write, browser: Browser
) -> None:
    def noted() -> set[Any]:
        return set(SearchTerm.objects.values_list("write", "kind", "text"))

    before = noted()
    SearchTerm.objects.all().delete()
    Backlog.ask(Backlog.Kind.SEARCH)
    assert 'id="search-incomplete"' in browser.get("/search/?q=41").text
    assert not catch_up(seconds=1e9)
    assert noted() == before
    assert 'id="search-incomplete"' not in browser.get("/search/?q=41").text
    Backlog.ask(Backlog.Kind.SEARCH)
    assert not catch_up(seconds=1e9)
    assert noted() == before
    SearchTerm.objects.all().delete()
    Write.objects.update(confirmed_at=timezone.now() - timedelta(days=400))
    Backlog.ask(Backlog.Kind.SEARCH)
    assert not catch_up(seconds=1e9)
    kinds = set(SearchTerm.objects.values_list("kind", flat=True))
    assert kinds == {SearchTerm.Kind.FILE, SearchTerm.Kind.DIGEST}


@pytest.mark.parametrize("why", ["held", "unknown"])
def test_what_is_kept_past_its_time_is_still_found_by_value_with_a_new_key(
    why: str, record: Write, browser: Browser, olga: User, settings: Any
) -> None:
    Write.objects.update(confirmed_at=timezone.now() - timedelta(days=400))
    if why == "held":
        preserve(record, Preservation.Kind.HOLD, actor(olga), reason="Case 7")
    else:
        Operation.objects.update(state="unknown", resolved_at=None)
    retention.sweep(timezone.now())
    settings.FIELD_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_KEYS]
    Backlog.ask(Backlog.Kind.SEARCH)
    assert not catch_up(seconds=1e9)
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert found(browser, "41")["values"]


def test_text_within_a_reason_or_an_error_is_found(
    record: Write, browser: Browser, integration: Integration
) -> None:
    failed = make_operation(
        integration.project,
        state="failed",
        reason="Salesforce: REQUIRED_FIELD_MISSING at 'Name'; 50% of rows_",
    )
    sent = record.batches.get().operation
    assert found(browser, "ops-1234")["texts"] == [address(sent)]
    assert found(browser, "d_field_mis")["texts"] == [address(failed)]
    # What means something to LIKE is text here.
    assert found(browser, "50% of")["texts"] == [address(failed)]
    assert "texts" not in found(browser, "50_ of")
    page = browser.get("/search/", {"q": "field_miss"})
    assert "<mark>FIELD_MISS</mark>" in page.text


def test_text_is_looked_for_in_the_newest_and_the_page_says_how_far(
    browser: Browser, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MOST_READ", 3)
    made = [make_operation(integration.project, purpose="needle")]
    made += [make_operation(integration.project) for _ in range(4)]
    assert found(browser, "needle") == {}
    page = browser.get("/search/", {"q": "needle"})
    ((_, told),) = page.context["results"]
    assert told.further == made[1].pk + 1
    assert "data-looked-at" in page.text
    assert 'id="further-texts"' in page.text
    on = {"kind": "texts", "before": told.further}
    assert found(browser, "needle", **on) == {"texts": [address(made[0])]}


def test_nobody_finds_what_they_may_not_see(
    record: Write, file: Write, sandbox: Sandbox, olga: User
) -> None:
    live = make_project("Live", environment="production")
    Group.objects.filter(integration__project=live).update(name="Secret customer")
    hers = make_draft(live.integrations.get(), olga, record={"LastName": "Secret"})
    confirm(hers, olga, reason="A secret ticket")
    operation = hers.batches.get().operation
    Operation.objects.filter(pk=operation.pk).update(
        remote_id="secret-id", record_id="secret-record", request_id="secret-request"
    )
    acting = Actor(user=olga, name="olga", correlation_id="a" * 32)
    AuditEvent.record(action="a.b", subject="Secret", about=live, actor=acting)
    here, there = Browser(), Browser()
    here.force_login(make_user("here", sandbox=Role.ADMIN))
    there.force_login(make_user("there", production=Role.VIEWER))
    asked = ("secret", f"#{operation.pk}", "secret-id", "secret-record")
    asked += ("secret-request", "secret ticket", "a" * 32, f"write {hers.pk}")
    asked += (hers.batches.get().sha256,)
    for text in asked:
        assert found(there, text), text
        # A number may be one of theirs, too.
        urls = [url for each in found(here, text).values() for url in each]
        assert not {address(operation), f"/writes/{hers.pk}/"} & set(urls), text
        assert "Secret" not in urls
    assert found(there, "accounts") == {}
    nobody = Browser()
    nobody.force_login(make_user("nobody"))
    assert nobody.get("/search/?q=secret").status_code == 403


def test_drafts_are_found_by_who_made_them_alone(
    integration: Integration, olga: User, browser: Browser
) -> None:
    draft = make_draft(integration, olga, csv=CSV, primary_key=KEY)
    assert found(browser, "contacts") == {"drafts": [draft.pk]}
    other = Browser()
    other.force_login(make_user("admin", Role.ADMIN))
    assert found(other, "contacts") == {}
    assert found(other, f"write {draft.pk}") == {}
    # Neither its digest nor its values: those are noted when it is confirmed.
    assert found(browser, draft.inspection["sha256"]) == {}
    assert not SearchTerm.objects.exists()


@pytest.mark.parametrize("query", ["kind=nothing", "kind=texts&before=x", "before=-1"])
def test_a_page_that_does_not_exist_is_said_to_be_none(
    query: str, browser: Browser, project: Any
) -> None:
    answer = browser.get(f"/search/?q=needle&{query}")
    assert answer.status_code == 400


@pytest.mark.hostile
@hypothesis_settings(max_examples=50)
@given(text=st.text(min_size=1, max_size=250))
def test_no_text_breaks_it(text: str) -> None:
    user = User.objects.filter(username="hy").first() or make_user("hy", Role.VIEWER)
    everywhere.search(everywhere.cleaned(text), user)


def test_no_log_of_ours_says_what_was_searched_for() -> None:
    line = (
        'GET /search/?q=o.oz%40example.com&kind=values "https://c.example/search/?q=41"'
    )
    assert masked(line) == 'GET /search/?… "https://c.example/search/?…"'


def test_words_of_a_name() -> None:
    assert terms.words_of("Accounts_März 2026.CSV") == ["accounts", "märz", "2026"]
    assert terms.words_of("...") == []


def test_of_several_words_the_rarest_counts_first(
    integration: Integration, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("writes.models.search_term.MOST_BEGUN", 3)
    # Of the writes with both words, more than are looked at have the longer one since.
    writes = [make_draft(integration, olga, record=CONTACT) for _ in range(6)]
    words = [["accounts", "7x"], *[["accounts"] for _ in writes[1:]]]
    place = integration.project.environment
    SearchTerm.objects.bulk_create(
        SearchTerm(write=write, environment=place, kind=SearchTerm.Kind.FILE, text=text)
        for write, texts in zip(writes, words, strict=True)
        for text in texts
    )
    ids, is_all = SearchTerm.objects.newest(
        SearchTerm.Kind.FILE,
        ["accounts", "7x"],
        environments=[place],
        before=None,
        limit=5,
    )
    assert (ids, is_all) == ([writes[0].pk], True)
