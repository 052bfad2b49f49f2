"""Whoever takes customers' data away leaves a trace: who, what, and which content."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, Integration, Project
from sandbox.app import Sandbox
from tests.conftest import make_user
from tests.operations.conftest import make_logs, make_operation
from tests.permissions import stored_in
from tests.writes.making import check_draft, confirm, make_draft, work_off
from writes.models import Write
from writes.recipe import recipe_as_json, without_rows

pytestmark = pytest.mark.django_db

CSV = b"external_id__c,LastName\nk-1,Name 1\nk-2,\nk-3,Name 3\n,No key\n"
OF_FILES = ("original.csv", "as-sent.csv", "held-back.csv", "body.json")
OF_ROWS = (
    "failed.csv",
    "failed-with-reasons.csv",
    "outcomes.csv",
    "outcomes-for-spreadsheets.csv",
)
OF_LOGS = ("logs.ndjson", "logs.csv")
ACTIONS = {
    **dict.fromkeys(OF_FILES, "file.downloaded"),
    **dict.fromkeys(OF_ROWS, "rows.downloaded"),
    **dict.fromkeys(OF_LOGS, "log.downloaded"),
    "findings.csv": "findings.downloaded",
    "audit.csv": "audit.downloaded",
}


@pytest.fixture
def addresses(
    sandbox: Sandbox, integration: Integration, project: Project, tmp_path: Any
) -> Iterator[dict[str, str]]:
    """The address of each download there is, by the name of its file."""
    owner = make_user("owner", Role.ADMIN)
    with stored_in(str(tmp_path)):
        write = sent(integration, owner)
        operation = make_operation(project)
        make_logs(operation, 3)
        of_write = dict.fromkeys((*OF_FILES, *OF_ROWS, "findings.csv"))
        yield {
            **{name: f"/writes/{write.pk}/{name}" for name in of_write},
            **{name: f"/operations/{operation.pk}/{name}" for name in OF_LOGS},
            "audit.csv": "/audit/audit.csv",
        }


def sent(integration: Integration, owner: User) -> Write:
    """Return a file that was sent, with rows that failed and one that was held back."""
    values = {"csv": CSV, "primary_key": "external_id__c", "faulty": True}
    write = make_draft(integration, owner, **values)
    write.revise(
        is_ready=False, recipe_json=recipe_as_json(without_rows(write.recipe, [5]))
    )
    check_draft(write)
    confirm(write, owner)
    work_off()
    return write


@pytest.fixture
def viewer(sign_in: Callable[..., Browser]) -> Browser:
    return sign_in(Role.VIEWER, name="vera")


def events() -> list[AuditEvent]:
    found = AuditEvent.objects.filter(action__endswith=".downloaded")
    return list(found.order_by("pk"))


def newest() -> AuditEvent:
    return events()[-1]


def event_of(browser: Browser, address: str) -> AuditEvent:
    """Return the one event that a download left."""
    before = len(events())
    taken(browser, address)
    assert len(events()) == before + 1
    return newest()


def taken(browser: Browser, address: str, **headers: str) -> bytes:
    response = browser.get(address, headers=headers)
    assert response.status_code == 200
    return b"".join(response)


def test_each_download_is_one_event_with_who_and_what(
    addresses: dict[str, str], viewer: Browser
) -> None:
    for name, action in ACTIONS.items():
        event = event_of(viewer, addresses[name])
        assert (event.action, event.actor_name) == (action, "vera"), name
        assert event.address == "127.0.0.1"
        if name != "audit.csv":
            assert event.environment == "sandbox"
            assert event.project_name == "Demo"
            assert event.subject_url
        digests = [value for value in event.detail.values() if len(str(value)) == 64]
        assert digests, name


def test_the_digest_is_that_of_what_left(
    addresses: dict[str, str], viewer: Browser
) -> None:
    for name in (*OF_FILES, *OF_LOGS, "failed.csv"):
        content = taken(viewer, addresses[name])
        assert content
        digest = hashlib.sha256(content).hexdigest()
        assert newest().detail["sha256"] == digest, name


def test_what_is_made_anew_names_the_file_that_it_is_made_of(
    addresses: dict[str, str], viewer: Browser
) -> None:
    write = Write.objects.get()
    sent = hashlib.sha256(write.path_of("as_sent").read_bytes()).hexdigest()
    for name in OF_ROWS:
        assert event_of(viewer, addresses[name]).detail["as_sent_sha256"] == sent
    found = hashlib.sha256(write.path_of("findings").read_bytes()).hexdigest()
    event = event_of(viewer, addresses["findings.csv"])
    assert event.detail["findings_sha256"] == found


def test_the_trail_that_left_is_known_by_its_head(
    addresses: dict[str, str], sign_in: Callable[..., Browser]
) -> None:
    admin = sign_in(Role.ADMIN)
    head = AuditEvent.objects.newest_first()[0]
    text = taken(admin, addresses["audit.csv"]).decode()
    assert newest().detail["head"] == head.hash
    assert head.hash in text
    assert newest().hash not in text


def test_head_gives_nothing_and_leaves_nothing(
    addresses: dict[str, str], viewer: Browser
) -> None:
    for address in addresses.values():
        response = viewer.head(address)
        # Read to its end, it is closed as Django's own client does it.
        assert b"".join(response) == b""
        assert response.status_code == 200
    assert events() == []


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": "*"},
        {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"},
        {"Range": "bytes=0-3"},
    ],
)
def test_an_event_is_as_true_as_what_left(
    headers: dict[str, str], addresses: dict[str, str], viewer: Browser
) -> None:
    """Either the content leaves with an event, or nothing does, and no event."""
    for address in addresses.values():
        before = len(events())
        response = viewer.get(address, headers=headers)
        content = b"".join(response)
        assert len(events()) - before == (1 if content else 0)
        assert response.status_code in (200, 304)


def test_who_gets_nothing_leaves_no_download(
    addresses: dict[str, str], client: Browser, sign_in: Callable[..., Browser]
) -> None:
    nobody = sign_in(Role.NONE)
    foreign = sign_in(Role.ADMIN, sandbox=Role.NONE)
    for name, address in addresses.items():
        assert client.get(address).status_code == 302
        assert nobody.get(address).status_code == 403
        if name != "audit.csv":
            assert foreign.get(address).status_code == 404
    assert events() == []


def test_a_file_that_is_gone_was_not_downloaded(
    addresses: dict[str, str], viewer: Browser
) -> None:
    write = Write.objects.get()
    kinds = ("original", "as_read", "as_sent", "held_back", "findings")
    for path in {write.path_of(kind) for kind in kinds}:
        path.unlink()
    for name in (*OF_FILES[:3], *OF_ROWS, "findings.csv"):
        assert viewer.get(addresses[name]).status_code == 404
    assert events() == []


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("file.", ["file.downloaded"]),
        ("findings.downloaded", ["findings.downloaded"]),
        ("downloaded", sorted(set(ACTIONS.values()))),
    ],
)
def test_the_page_of_the_audit_finds_them(
    typed: str, found: list[str], addresses: dict[str, str], sign_in: Any
) -> None:
    admin = sign_in(Role.ADMIN)
    for name in (
        "original.csv",
        "findings.csv",
        *OF_ROWS[:1],
        *OF_LOGS[:1],
        "audit.csv",
    ):
        taken(admin, addresses[name])
    shown = admin.get("/audit/", {"action": typed}).context["events"]
    assert sorted({event.action for event in shown}) == found
