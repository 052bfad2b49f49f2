"""An API key goes where it was given for, whoever changes what."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.forms import model_to_dict
from django.test import Client as Browser
from django.urls import reverse

from ampersand import AsyncReader, Client, NotSent, RequestInvalid
from console import clients
from console.access.roles import Role
from console.connections.forms import ProjectForm
from console.connections.probe import try_connection
from console.models import ApiKey, AuditEvent, NoActiveKey, Project
from operations.models import Operation
from tests.answers import Shown, codes
from tests.conftest import SANDBOX_KEY, forget_clients, make_project
from tests.security.listening import Listener, listening
from tests.writes.making import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clients_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Speak for real, and ask again without waiting."""
    client = partial(Client, sleep=lambda seconds: None)
    monkeypatch.setattr(clients, "Client", client)
    reader = partial(AsyncReader, sleep=_no_pause)
    monkeypatch.setattr(clients, "AsyncReader", reader)
    forget_clients()
    yield
    forget_clients()


async def _no_pause(seconds: float) -> None:
    pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server of somebody who wants a key."""
    with listening() as server:
        yield server


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of an admin of the sandbox environment, and of no other."""
    return sign_in(Role.NONE, "eve", sandbox=Role.ADMIN)


def edit(browser: Browser, project: Project, **values: Any) -> Any:
    """Post the form of a project with some of its values changed."""
    known = model_to_dict(project, fields=ProjectForm.Meta.fields)
    form = known | {"max_per_second": 5} | values
    return browser.post(reverse("connections:project_edit", args=[project.pk]), form)


def test_connection(browser: Browser, project: Project) -> None:
    """Press Test connection."""
    browser.post(reverse("connections:project_test", args=[project.pk]))


test_connection.__test__ = False  # type: ignore[attr-defined]


# --- Another address -----------------------------------------------------------------


@pytest.mark.parametrize("is_allowed", [False, True])
@pytest.mark.parametrize(
    "spelled",
    [
        "http://127.0.0.1:{port}/v1",
        "http://localhost:{port}/v1",
        "HTTP://127.0.0.1:{port}",
        "http://2130706433:{port}/",
        "http://0x7f.1:{port}/v1",
        "http://[::ffff:127.0.0.1]:{port}/v1",
    ],
)
def test_testing_another_address_does_not_tell_it_the_key(
    spelled: str,
    is_allowed: bool,
    admin: Browser,
    listener: Listener,
    settings: Any,
) -> None:
    project = make_project()
    if is_allowed:
        here = [("127.0.0.1", listener.port), ("localhost", listener.port)]
        settings.API_HOSTS = [*settings.API_HOSTS, *here]
    edit(admin, project, api_url=spelled.format(port=listener.port))
    test_connection(admin, project)
    assert listener.keys == []


@pytest.mark.parametrize("field", ["api_url", "write_url"])
def test_a_move_deletes_the_keys_and_says_so_before_and_after(
    field: str, admin: Browser, project: Project
) -> None:
    key = project.active_key()
    page = admin.get(reverse("connections:project_edit", args=[project.pk]))
    assert str(key) in Shown(page).texts["notice"]
    events = AuditEvent.objects.count()
    answer = edit(admin, project, **{field: "https://elsewhere.invalid/v1"})
    assert answer.status_code == 302
    page = admin.get(answer["Location"])
    assert str(key) in page.text
    assert "key-problem" in Shown(page).ids
    key = ApiKey.objects.get()
    assert key.revoked_at
    assert key.value is None
    newest = AuditEvent.objects.newest_first()
    assert AuditEvent.objects.count() == events + 2
    assert [event.action for event in newest[:2]] == ["key.revoked", "project.changed"]
    assert newest[0].subject == str(key)
    assert newest[0].detail == {"project_changed": [field]}
    # Back where it was, the key does not come back.
    project.refresh_from_db()
    edit(admin, project, **{field: "https://sandbox.invalid/v1"})
    with pytest.raises(NoActiveKey):
        Project.objects.get().client()


def test_a_change_of_something_else_keeps_the_key(
    admin: Browser, project: Project
) -> None:
    assert edit(admin, project, name="Renamed", max_at_once=2).status_code == 302
    assert Project.objects.get().active_key().value.reveal() == SANDBOX_KEY


@pytest.mark.parametrize(
    "changed", ["write_url", "api_url", "search_url", "environment"]
)
def test_a_key_stays_where_it_was_given_for_whatever_changes_the_project(
    changed: str, project: Project
) -> None:
    other = "test" if changed == "environment" else "https://elsewhere.invalid/v1"
    loaded_before = Project.objects.get()
    Project.objects.update(**{changed: other})
    for row in (Project.objects.get(), loaded_before):
        with pytest.raises(NoActiveKey):
            row.client()
        with pytest.raises(NoActiveKey):
            row.reader()


def test_a_new_key_does_not_go_to_the_address_of_before(project: Project) -> None:
    loaded_before = Project.objects.get()
    Project.objects.update(api_url="https://elsewhere.invalid/v1")
    given_now = ApiKey(project=Project.objects.get(), label="New", value="new-key-123")
    given_now.save()
    assert Project.objects.get().active_key() == given_now
    with pytest.raises(NoActiveKey):
        loaded_before.active_key()


def test_the_demo_takes_no_key_of_a_project_with_its_name(
    listener: Listener, settings: Any
) -> None:
    project = make_project("Demo", max_per_second=5)
    project.api_keys.get().revoke()
    ApiKey.objects.create(project=project, label="Real", value="a-real-customers-key")
    settings.API_HOSTS = [*settings.API_HOSTS, ("127.0.0.1", listener.port)]
    call_command("demo", "--port", str(listener.port))
    project = Project.objects.get(name="Demo")
    try_connection(project)
    assert SANDBOX_KEY in listener.keys[0]
    assert "a-real-customers-key" not in "".join(listener.heard)
    assert not ApiKey.objects.filter(label="Real", revoked_at=None).exists()


def test_the_demo_needs_a_port_that_is_allowed(settings: Any) -> None:
    with pytest.raises(CommandError, match="API_HOSTS"):
        call_command("demo", "--port", "8999")
    assert not Project.objects.exists()


# --- Another environment -------------------------------------------------------------


def test_a_move_to_another_environment_deletes_the_keys(
    sign_in: Callable[..., Browser], project: Project
) -> None:
    assert edit(sign_in(Role.ADMIN), project, environment="test").status_code == 302
    with pytest.raises(NoActiveKey):
        Project.objects.get().active_key()
    assert ApiKey.objects.get().value is None


@pytest.mark.parametrize(
    ("has", "goes_to"),
    [
        ({"sandbox": Role.ADMIN, "production": Role.OPERATOR}, "production"),
        ({"sandbox": Role.ADMIN}, "test"),
        ({"sandbox": Role.OPERATOR, "test": Role.ADMIN}, "test"),
        ({"test": Role.ADMIN}, "test"),
    ],
)
def test_a_move_needs_an_admin_of_both_environments(
    has: dict[str, Role],
    goes_to: str,
    sign_in: Callable[..., Browser],
    project: Project,
) -> None:
    answer = edit(sign_in(Role.NONE, "eve", **has), project, environment=goes_to)
    assert answer.status_code in (403, 404, 422)
    assert Project.objects.get().environment == "sandbox"
    assert Project.objects.get().active_key()


@pytest.mark.parametrize("what", ["operation", "draft"])
def test_the_environment_of_a_project_with_writes_cannot_be_changed(
    what: str, sign_in: Callable[..., Browser], project: Project
) -> None:
    browser = sign_in(Role.ADMIN)
    if what == "operation":
        Operation.objects.create(
            project=project, action="follow", state="in_progress", remote_id="1"
        )
    else:
        make_draft(project.integrations.get(), User.objects.get())
    answer = edit(browser, project, environment="test", name="Renamed")
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"environment": ["in-use"]}
    assert Project.objects.get().environment == "sandbox"
    assert Project.objects.get().name == "Demo"
    assert Project.objects.get().active_key()
    # Its addresses can: where nothing is sent, nobody is harmed.
    answer = edit(browser, project, api_url="https://elsewhere.invalid/v1")
    assert answer.status_code == 302


def test_the_demo_moves_no_project_that_was_written_with(settings: Any) -> None:
    project = make_project("Demo", environment="production", max_per_second=5)
    Operation.objects.create(
        project=project, action="follow", state="in_progress", remote_id="1"
    )
    with pytest.raises(CommandError):
        call_command("demo", "--port", "8900")
    assert Project.objects.get(name="Demo").environment == "production"
    assert Project.objects.get(name="Demo").active_key()


# --- Hosts ---------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["api_url", "write_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/v1",
        "https://169.254.169.254/v1",
        "https://[fe80::1]/v1",
        "https://[::1]/v1",
        "http://[::1]:8901/v1",
        "https://[::ffff:169.254.169.254]/v1",
        "https://[64:ff9b::a9fe:a9fe]/v1",
        "https://2852039166/v1",
        "https://0xa9fea9fe/v1",
        "https://0251.0376.0251.0376/v1",
        "https://127.1/v1",
        "https://localhost/v1",
        "https://metadata.google.internal/v1",
        "https://127.0.0.1.nip.io/v1",
        "https://api.withampersand.com.evil.example/v1",
        "https://evilwithampersand.com/v1",
        "https://evil.withampersand.com/v1",
        "https://evil.example\\.withampersand.com/v1",
        "https://evil.example/\\@api.withampersand.com/v1",
        "https://api.withampersand.com:8443/v1",
        "https://api.withampersand.com:0/v1",
        "https://api.withampersand.com./v1",
        "https://ａpi.withampersand.com/v1",
        "https://api。withampersand.com/v1",
        "https://@api.withampersand.com/v1",
        "https://api.withampersand.com@evil.example/v1",
        "http://api.withampersand.com/v1",
        "http://sandbox.invalid:443/v1",
        "https://sandbox.invalid:444/v1",
    ],
)
def test_keys_go_to_no_other_host(
    url: str, field: str, admin: Browser, project: Project
) -> None:
    answer = edit(admin, project, **{field: url})
    assert answer.status_code == 422
    [[code]] = [codes(answer.context["form"])[field]]
    assert code in ("host", "https", "user-name", "address")
    assert Project.objects.get().active_key()
    # Nor when it stands in the database already.
    row = Project.objects.get()
    setattr(row, field, url)
    for opened in (row.client, row.reader):
        with pytest.raises(RequestInvalid):
            opened()


@pytest.mark.parametrize(
    "url",
    [
        "https://api.withampersand.com/v1",
        "https://WRITE.withampersand.com:443",
        "https://api.eu.withampersand.com/v1/",
        "http://127.0.0.1:8900/v1",
    ],
)
def test_ampersands_own_and_what_a_setting_allows_is_taken(
    url: str, admin: Browser, project: Project
) -> None:
    assert edit(admin, project, api_url=url).status_code == 302


@pytest.mark.parametrize("field", ["api_url", "write_url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://api.withampersand.com/v1",
        "HTTP://10.0.0.1/v1",
        "http://127.0.0.1.evil.example/v1",
        "http://127.0.0.1:80@evil.example/v1",
        "ftp://api.withampersand.com",
        "",
    ],
)
def test_the_database_takes_no_address_without_https(
    url: str, field: str, project: Project
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.update(**{field: url})


def test_the_database_takes_no_revoked_key_with_a_value(project: Project) -> None:
    key = project.active_key()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.update(value=None)
    key.revoke()
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiKey.objects.update(revoked_at=None)


# --- Names that lead inside ----------------------------------------------------------

INSIDE = [
    ["127.0.0.1"],
    ["10.0.0.7"],
    ["169.254.169.254"],
    ["::1"],
    ["fd00::7"],
    ["fe80::1%eth0"],
    ["::ffff:192.168.0.1"],
    ["64:ff9b::7f00:1"],
    ["100.64.0.1"],
    ["0.0.0.0"],
    ["104.18.0.1", "127.0.0.1"],
]


@pytest.mark.parametrize("found", INSIDE)
def test_no_connection_is_made_where_ampersands_name_leads_inside(
    found: list[str], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return found

    monkeypatch.setattr(clients, "resolved", resolve)
    monkeypatch.setattr("socket.create_connection", _never)
    project.write_url = project.api_url = "https://api.withampersand.com/v1"
    project.save()
    ApiKey.objects.create(project=project, label="New", value="another-key")
    with pytest.raises(NotSent) as caught:
        project.client().get_operation(project="demo", operation_id="1")
    assert "inside the network" in caught.value.reason
    reader = project.reader()

    async def read() -> None:
        await reader.get_operation(project="demo", operation_id="1")

    with pytest.raises(NotSent) as caught:
        asyncio.run(read())
    assert "inside the network" in caught.value.reason
    assert set(asked) == {"api.withampersand.com"}


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("A connection was made.")


def test_what_is_allowed_by_name_may_lead_inside_but_never_to_metadata(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.API_HOSTS = [("gateway.example", 443)]
    monkeypatch.setattr(clients, "resolved", lambda host, port: ["10.0.0.7"])
    assert clients.addresses_for_keys("gateway.example", 443) == ["10.0.0.7"]
    with pytest.raises(OSError, match="API_HOSTS"):
        clients.addresses_for_keys("gateway.example", 8443)
    monkeypatch.setattr(clients, "resolved", lambda host, port: ["169.254.169.254"])
    with pytest.raises(OSError, match="inside"):
        clients.addresses_for_keys("gateway.example", 443)


# --- On the way ----------------------------------------------------------------------


@pytest.fixture
def near(listener: Listener, settings: Any) -> Project:
    """A project whose Ampersand is a server on this machine, with another's address."""
    settings.API_HOSTS = [*settings.API_HOSTS, ("127.0.0.1", listener.port)]
    return make_project(write_url=f"{listener.url}/v1", api_url=f"{listener.url}/v1")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_no_key_along(
    status: int, near: Project, listener: Listener
) -> None:
    with listening() as other:
        listener.status = status
        listener.headers = {"Location": f"{other.url}/v1/projects"}
        assert not try_connection(near).works
        with pytest.raises(Exception, match="."):
            asyncio.run(near.reader().get_operation(project="demo", operation_id="1"))
        assert len(listener.keys) >= 2
        assert other.heard == []


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_no_proxy_hears_a_key_in_plain_text(
    name: str, near: Project, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy:
        for each in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(each, raising=False)
        monkeypatch.setenv(name, proxy.url)
        forget_clients()
        assert try_connection(near).works
        assert listener.keys
        assert proxy.heard == []


@pytest.mark.parametrize(
    ("found", "allowed"),
    [
        (["142.250.1.1"], True),
        (["10.0.0.7"], False),
        (["142.250.1.1", "169.254.169.254"], False),
        (["::ffff:127.0.0.1"], False),
    ],
)
def test_a_file_is_put_at_no_address_inside(
    monkeypatch: pytest.MonkeyPatch, found: list[str], allowed: bool
) -> None:
    monkeypatch.setattr(clients, "resolved", lambda host, port: found)
    if allowed:
        assert clients.addresses_for_uploads("storage.googleapis.com", 443) == found
        return
    with pytest.raises(OSError, match="inside"):
        clients.addresses_for_uploads("storage.googleapis.com", 443)


@pytest.mark.parametrize(
    "url", ["http://search.withampersand.com/v1", "https://a@b.example/v1"]
)
def test_a_search_address_is_none_or_one_for_keys(url: str, project: Project) -> None:
    Project.objects.update(search_url="")
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.update(search_url=url)
