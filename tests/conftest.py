"""The cast and the stage of the tests: people with roles, a project, a sandbox."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.signals import connection_created
from django.test import Client as Browser
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from ampersand import AsyncReader, Client, SecretStr
from console import audit_guard, clients, redaction
from console.access.roles import Role
from console.actor import Actor
from console.environments import Environment
from console.health import pulse
from console.models import (
    ApiKey,
    ApiToken,
    FirstPassword,
    Grant,
    Group,
    Integration,
    Project,
    WriteObject,
)
from console.models.api_token import Scope
from operations.models import Operation
from sandbox.app import Sandbox
from tests import migrated
from tests.audit_watch import watching

# In the background of a shell tests are deaf to Ctrl-C, and so is what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# No test of ours is about speed, and a busy machine must not fail one.
hypothesis_settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("unhurried")

ON_POSTGRES = os.environ.get("TEST_DATABASE_URL", "").startswith("postgres")
SANDBOX_KEY = "SANDBOX-KEY"
OBJECTS = (
    "account",
    "contact",
    "lead",
    "opportunity",
    "touchpoints__c",
    "tactics__c",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Have tests that empty the database go last, however the others are shuffled.

    They take what migrations put there with them.
    """
    rest = [item for item in items if not _belongs_here(item)]
    if rest:
        items[:] = [item for item in items if _belongs_here(item)]
        config.hook.pytest_deselected(items=rest)
    items.sort(key=_empties_the_database)


def _belongs_here(item: pytest.Item) -> bool:
    """Tell whether a test runs on the database at hand.

    SQLite has all but what is about PostgreSQL. There a test runs once more that asks
    the database for something.
    """
    if item.get_closest_marker("postgres"):
        return ON_POSTGRES
    if item.get_closest_marker("sqlite"):
        return not ON_POSTGRES
    if item.get_closest_marker("pages") and not item.get_closest_marker("hostile"):
        return not ON_POSTGRES
    return not ON_POSTGRES or _needs_database(item)


def _needs_database(item: pytest.Item) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    return "django_db" in item.keywords or "db" in fixtures


def _empties_the_database(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return marker is not None and bool(marker.kwargs.get("transaction"))


@contextmanager
def sandboxed(clock: Callable[[], float] = time.time) -> Iterator[Sandbox]:
    """Give a fresh sandbox that every project's client speaks to, without a socket."""
    app = Sandbox(clock=clock, bulk_seconds=0)
    transport = httpx.WSGITransport(app=app)
    with pytest.MonkeyPatch.context() as patch:
        speak_over(patch, transport, InLoop(transport))
        yield app
    forget_clients()


class InLoop(httpx.AsyncBaseTransport):
    """A transport that answers at once, for readers."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._transport.handle_request(request)
        headers = answer.headers
        return httpx.Response(
            answer.status_code, headers=headers, content=answer.read()
        )


def speak_over(
    monkeypatch: pytest.MonkeyPatch,
    transport: httpx.BaseTransport,
    async_transport: httpx.AsyncBaseTransport,
) -> None:
    """Have every project's client and reader use these, and wait for nothing."""
    client = partial(Client, transport=transport, sleep=lambda seconds: None)
    reader = partial(AsyncReader, transport=async_transport, sleep=_no_pause)
    monkeypatch.setattr(clients, "Client", client)
    monkeypatch.setattr(clients, "AsyncReader", reader)
    forget_clients()


def forget_clients() -> None:
    """Have the next call open a client or a reader of its own."""
    clients.client_for.cache_clear()
    clients.reader_for.cache_clear()


async def _no_pause(seconds: float) -> None:
    pass


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> None:
    """Have SQLite's database of the tests begin with all migrations."""
    connection_created.connect(_begin_migrated)


def _begin_migrated(connection: Any, **_: Any) -> None:
    if (
        connection.vendor != "sqlite"
        or "memorydb" not in connection.settings_dict["NAME"]
    ):
        return
    database = connection.connection
    if not database.execute("SELECT 1 FROM sqlite_master").fetchone():
        migrated.fill(database)


@pytest.fixture(autouse=True, scope="session")
def _databases_can_be_emptied() -> Iterator[None]:
    """Have a test with transactions empty the audit trail, as nobody else can."""
    emptied = BaseDatabaseOperations.execute_sql_flush

    def flush(operations: BaseDatabaseOperations, sql_list: list[str]) -> None:
        with unguarded():
            emptied(operations, sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush)
        yield


@pytest.fixture(autouse=True, scope="session")
def _every_act_is_told() -> Iterator[None]:
    """Have each POST of each test looked at: see `tests.audit_watch`."""
    with watching():
        yield


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the triggers of the audit trail away, as who owns the database can."""
    audit_guard.remove(connection)
    try:
        yield
    finally:
        audit_guard.install(connection)


def new_process() -> None:
    """Have this process know as little of the database as one just started does."""
    pulse._Seen.number = 0
    # A key of one letter would mask ids in what later tests log.
    redaction._seen.clear()


@pytest.fixture(autouse=True)
def _no_pulse_is_noted(settings: Any) -> Iterator[None]:
    """Leave no note of a database for the next test, whose database it is not."""
    yield
    new_process()
    for name in ("pulse", "audit-head"):
        (Path(settings.DATA_DIR) / name).unlink(missing_ok=True)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox: see `sandboxed`."""
    with sandboxed() as app:
        yield app


def browser_of(user: User) -> Browser:
    """Return a browser in which `user` is signed in."""
    browser = Browser()
    browser.force_login(user)
    return browser


def make_user(name: str, role: Role = Role.NONE, **roles: Role) -> User:
    """Return a new user; the password is the name, and they chose it.

    The role counts in every environment but those given by name, as `test=Role.NONE`.
    """
    user = User.objects.create_user(username=name, password=name)
    FirstPassword.objects.filter(user=user).delete()
    roles = dict.fromkeys(Environment.values, role) | roles
    # Most tests make somebody, and `give` asks first what there is.
    Grant.objects.bulk_create(
        Grant(user=user, environment=word, role=role.word)
        for word, role in roles.items()
        if role
    )
    return user


def make_token(user: User, *scopes: str, **values: Any) -> str:
    """Return the text of a new API token of `user`: with all scopes unless some are."""
    text = ApiToken.new_text()
    ApiToken.objects.create(
        **{
            "user": user,
            "name": "Warehouse",
            "prefix": text[:9],
            "token_sha256": ApiToken.digest(text),
            "scopes": list(scopes or Scope.values),
            **values,
        }
    )
    return text


def actor(user: User) -> Actor:
    """Return `user` as the one who does something, without a request."""
    return Actor(user=user, name=user.get_username())


@pytest.fixture
def sign_in(db: None) -> Callable[..., Browser]:
    """A function that returns a browser signed in as a new person with a role."""

    def signed_in(role: Role = Role.OPERATOR, name: str = "", **roles: Role) -> Browser:
        browser = Browser()
        browser.force_login(make_user(name or role.word, role, **roles))
        return browser

    return signed_in


def make_project(name: str = "Demo", **values: Any) -> Project:
    """Return a new project like the demo workspace's, with key, objects and a group."""
    project = Project.objects.create(
        **{
            "name": name,
            "remote_id": "demo",
            "environment": "sandbox",
            "write_url": "https://sandbox.invalid/v1",
            "api_url": "https://sandbox.invalid/v1",
            "search_url": values.get("api_url", "https://sandbox.invalid/v1"),
            # Tests send faster than people; those of the pace set their own.
            "max_per_second": 1000,
            **values,
        }
    )
    ApiKey.objects.create(project=project, label="Main", value=SecretStr(SANDBOX_KEY))
    integration = Integration.objects.create(
        project=project, name="salesforce", remote_id="salesforce"
    )
    for object_name in OBJECTS:
        WriteObject.objects.create(integration=integration, name=object_name)
    Group.objects.create(
        integration=integration, group_ref="demo-group-id", name="Demo customer"
    )
    return project


def stored_operation(**values: Any) -> Operation:
    """Return a stored operation in any state, as if it had come there.

    The transitions that it came by are left out: the ledger knows no such beginning.
    """
    operation = Operation(**values)
    if operation.state in ("held", "waiting") or operation.action == "follow":
        operation.save()
    else:
        operation.environment = operation.project.environment
        Operation.objects.bulk_create([operation])
    return operation


def move_projects(**values: str) -> None:
    """Change addresses or environment of every project, and of the keys with them."""
    Project.objects.update(**values)
    ApiKey.objects.update(**values)
    if "environment" in values:
        Operation.objects.update(environment=values["environment"])


@pytest.fixture
def project(db: None) -> Project:
    """The demo project."""
    return make_project()


@pytest.fixture
def integration(project: Project) -> Integration:
    """The demo project's integration."""
    return project.integrations.get()
