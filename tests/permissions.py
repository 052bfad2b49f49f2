"""Who may do what: every address, as everybody, set beside the table in the docs.

`make permissions` prints it; tests/test_permissions.py holds the console to it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client as Browser
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from console.access.roles import Role
from console.environments import Environment
from console.models import ApprovalRule, AuditEvent, Heartbeat
from operations.models import Operation, SavedView
from tests.conftest import (
    actor,
    make_project,
    make_token,
    make_user,
    sandboxed,
    stored_operation,
)
from tests.permission_table import Row
from tests.writes.making import check_draft, confirm, make_draft, work_off
from writes.actions import approve
from writes.models import Approval, SharedAddress, Write
from writes.recipe import recipe_as_json, without_rows

METHODS = ("GET", "POST")
HERE, ELSEWHERE = Environment.SANDBOX, Environment.PRODUCTION
# In everything that lies in HERE: who has no role there must read it nowhere.
CANARY = "canary"

CSV = b"external_id__c,LastName\nk-1,Name 1\nk-2,\nk-3,Name 3\n"


# --- Something of everything, in an environment --------------------------------------


class World:
    """One of each thing in one environment: `pk_of` gives what an address takes."""

    def __init__(self, environment: Environment, owner: User) -> None:
        name = f"{CANARY} {environment}"
        self.environment, self.owner = environment, owner
        self.project = make_project(name, environment=environment)
        self.integration = self.project.integrations.get()
        self.integration.groups.update(name=f"{CANARY} group")
        self.draft = self._draft(owner)
        self.write = self._write(owner)
        self.operation = self._operation()
        self.unknown = self._unknown(owner)
        self.run = self._run(owner)
        self.approval = self._approval(owner)
        self.token = SharedAddress.new_token()
        SharedAddress.objects.create(
            batch=self.write.batches.get(),
            token_sha256=SharedAddress.digest(self.token),
            expires_at=timezone.now() + timezone.timedelta(hours=1),
        )
        self.view = SavedView.objects.create(
            owner=owner, name=name, query="group=canary", environment=environment
        )
        self.event = AuditEvent.record(action="a.b", subject=CANARY, about=self.project)

    def _draft(self, owner: User) -> Write:
        """Return a file that could be sent, with a row that is held back."""
        csv = CSV + b",No key\n"
        values = {"csv": csv, "primary_key": "external_id__c", "faulty": True}
        draft = make_draft(self.integration, owner, **values)
        recipe = without_rows(draft.recipe, [5])
        draft.revise(is_ready=False, recipe_json=recipe_as_json(recipe))
        check_draft(draft)
        assert draft.is_ready
        Write.objects.filter(pk=draft.pk).update(file_name=f"{CANARY}.csv")
        return draft

    def _approval(self, owner: User) -> Approval:
        """Return a file that waits for the approval of another person."""
        self.rule = ApprovalRule.objects.create(
            environment=self.environment, object_name="lead"
        )
        key = "external_id__c"
        draft = make_draft(
            self.integration, owner, object_name="lead", csv=CSV, primary_key=key
        )
        return approve.ask(draft, actor(owner))

    def _write(self, owner: User) -> Write:
        """Return a file that was sent, and of which a row failed."""
        write = make_draft(
            self.integration, owner, csv=CSV, primary_key="external_id__c"
        )
        confirm(write, owner)
        work_off()
        write.refresh_from_db()
        assert write.rows_totals
        assert write.rows_totals.failed
        return write

    def _operation(self) -> Operation:
        return stored_operation(
            project=self.project,
            integration=self.integration,
            action="upsert",
            object_name=f"{CANARY}__c",
            group_ref="demo-group-id",
            started_by_name=CANARY,
            state="unknown",
            sent_at=timezone.now(),
        )

    def log_entry(self) -> tuple[int, int]:
        """Return what the address of the first entry of its log takes."""
        given = {"raw": {}, "text": CANARY, "fingerprint": CANARY}
        made, _ = self.operation.log_entries.get_or_create(sequence=1, defaults=given)
        return self.operation.pk, made.sequence

    def failure(self) -> str:
        """Return what the address of an error that only this world has takes."""
        digest = f"{CANARY}-{self.environment}"[:16]
        given = {"message": CANARY, "rows": 1}
        self.operation.failures.get_or_create(digest=digest, defaults=given)
        return digest

    def _unknown(self, owner: User) -> Operation:
        """Return what was sent, and nobody knows what became of it."""
        operation = confirm(make_draft(self.integration, owner), owner)
        operation.change(
            only_from=("waiting",), state="sending", sent_at=timezone.now()
        )
        operation.change(only_from=("sending",), state="unknown", due_at=None)
        return operation

    def _run(self, owner: User) -> Write:
        """Return a run of which nothing has left."""
        project = make_project(
            f"{CANARY} today",
            environment=self.environment,
            remote_id="demo-c",
            generation="C",
        )
        draft = make_draft(
            project.integrations.get(), owner, csv=b"LastName\nx\n", action="create"
        )
        confirm(draft, owner)
        return draft

    def arguments(self, of: str) -> list[object]:
        """Return what the address of a thing of this kind takes."""
        if not of:
            return []
        named = KINDS[of](self)
        return list(named) if isinstance(named, tuple) else [named]


# What an address can be of, and how this thing of the world is named in it.
KINDS: dict[str, Callable[[World], object]] = {
    "project": lambda world: world.project.pk,
    "key": lambda world: world.project.api_keys.defer("value").get().pk,
    "integration": lambda world: world.integration.pk,
    "object": lambda world: world.integration.write_objects.all()[0].pk,
    "group": lambda world: world.integration.groups.get().pk,
    "operation": lambda world: world.operation.pk,
    "view": lambda world: world.view.pk,
    "log entry": lambda world: world.log_entry(),
    "unknown": lambda world: world.unknown.pk,
    "error": lambda world: world.failure(),
    "two operations": lambda world: (world.operation.pk, world.unknown.pk),
    "draft": lambda world: world.draft.pk,
    "approval": lambda world: world.approval.pk,
    "approval row": lambda world: (world.approval.pk, 2),
    "rule": lambda world: world.rule.pk,
    "row": lambda world: (world.draft.pk, 2),
    "write": lambda world: world.write.pk,
    "run": lambda world: world.run.pk,
    "call": lambda world: (world.run.pk, 1),
    "token": lambda world: world.token,
    "event": lambda world: world.event.pk,
    "person": lambda world: world.owner.pk,
    "invitation": lambda world: ("MQ", "no-token"),
    "environment": lambda world: world.environment.value,
}


# --- People who ask for it ----------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Who walks: their roles in HERE and ELSEWHERE; None is not signed in."""

    name: str
    here: Role = Role.NONE
    elsewhere: Role = Role.NONE
    is_super: bool = False
    is_anonymous: bool = False


PEOPLE = [
    Person("anonymous", is_anonymous=True),
    Person("none"),
    Person("viewer", Role.VIEWER),
    Person("operator", Role.OPERATOR),
    Person("admin", Role.ADMIN),
    Person("superuser", Role.ADMIN, Role.ADMIN, is_super=True),
    # What is walked lies in HERE: these have their role in another environment.
    Person("foreign viewer", elsewhere=Role.VIEWER),
    Person("foreign operator", elsewhere=Role.OPERATOR),
    Person("foreign admin", elsewhere=Role.ADMIN),
    Person("viewer, operator elsewhere", Role.VIEWER, Role.OPERATOR),
    Person("viewer, admin elsewhere", Role.VIEWER, Role.ADMIN),
]


@dataclass(frozen=True)
class Guest:
    """A person who is signed in, if they are, and has a token with all scopes."""

    person: Person
    user: User | None
    session: str
    token: str = ""

    @classmethod
    def sign_in(cls, person: Person) -> "Guest":
        """Make a user with the roles of `person`, and sign them in."""
        if person.is_anonymous:
            return cls(person, None, "")
        name = re.sub(r"\W+", "-", person.name)
        if person.is_super:
            user = User.objects.create_superuser(name)
        else:
            roles = {HERE.value: person.here, ELSEWHERE.value: person.elsewhere}
            user = make_user(name, **roles)
        browser = Browser()
        browser.force_login(user)
        session = browser.cookies[settings.SESSION_COOKIE_NAME].value
        return cls(person, user, session, make_token(user))

    def ask(self, method: str, address: str) -> Any:
        """Return the answer, with its whole content read."""
        browser = Browser(raise_request_exception=False)
        if self.session:
            browser.cookies[settings.SESSION_COOKIE_NAME] = self.session
        is_api = self.token and address.startswith("/api/")
        headers = {"Authorization": f"Bearer {self.token}"} if is_api else {}
        response = browser.generic(method, address, headers=headers)
        response.all_text = b"".join(response).decode(errors="replace")
        return response


@dataclass(frozen=True)
class Stage:
    """Something of everything in HERE, and people who ask for it."""

    world: World
    guests: list[Guest]


@contextmanager
def stage() -> Iterator[Stage]:
    """Give a stage in the database of the tests."""
    with (
        TemporaryDirectory() as folder,
        stored_in(folder),
        override_settings(METRICS_TOKEN="of-monitors-alone"),
        sandboxed(),
        # With the tests' task engine a clock is all that /readyz wants, however long
        # the walk takes.
        patch.object(Heartbeat, "PATIENCE", timedelta(days=1)),
    ):
        Heartbeat.beat()
        world = World(HERE, make_user("owner", Role.ADMIN))
        yield Stage(world, [Guest.sign_in(person) for person in PEOPLE])


def stored_in(folder: str) -> override_settings:
    """Have files stored in `folder`."""
    default = {**settings.STORAGES["default"], "OPTIONS": {"location": folder}}
    return override_settings(STORAGES={**settings.STORAGES, "default": default})


# --- Walking ------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One address by one method: what each person gets, and what they should."""

    name: str
    method: str
    met: dict[str, str]
    told: dict[str, str]

    @property
    def gaps(self) -> list[str]:
        """What is not as the table says."""
        return [
            f"{self.method} {self.name} as {who}: {met}, and the table says "
            f"{self.told[who]}"
            for who, met in self.met.items()
            if met != self.told[who]
        ]


def walk(row: Row, stage: Stage) -> list[Line]:
    """Ask for an address as everybody, by each method."""
    return [
        Line(
            row.name,
            method,
            {g.person.name: _met(g, method, row, stage) for g in stage.guests},
            {g.person.name: expected(row, method, g.person) for g in stage.guests},
        )
        for method in METHODS
    ]


def expected(row: Row, method: str, person: Person) -> str:
    """Return what the table says this person gets, in the words of `classify`."""
    need = row.needs[method]
    if "monitoring" in row.needs.values():
        # None of these people has its token.
        return "405" if need == "–" else "sign in"
    if person.is_anonymous and "anyone" not in row.needs.values():
        return "sign in"
    if need == "–":
        return "405"
    if need in ("anyone", "signed in") or person.is_super:
        return "in"
    if need == "admin everywhere":
        return "403"
    role = Role[need.upper()]
    highest = max(person.here, person.elsewhere)
    if (person.here if row.of else highest) >= role:
        return "in"
    is_let_through = highest >= min(row.least)
    return row.stranger if row.of and is_let_through and not person.here else "403"


def _met(guest: Guest, method: str, row: Row, stage: Stage) -> str:
    """Make one request, say how it was met, and undo what it did.

    A draft and a view are the guest's own, so that their role alone decides.
    """
    with transaction.atomic():
        Write.objects.filter(pk=stage.world.draft.pk).update(started_by=guest.user)
        if guest.user:
            views = SavedView.objects.filter(pk=stage.world.view.pk)
            views.update(owner=guest.user)
        address = reverse(row.name, args=stage.world.arguments(row.of))
        response = guest.ask(method, address)
        met = classify(response)
        if CANARY in response.all_text and not guest.person.here and not row.of:
            met = "reads it"
        transaction.set_rollback(True)
    return met


def classify(response: Any) -> str:
    """Say in a word how a request was met."""
    status = response.status_code
    if status == 302 and response["Location"].startswith("/login/?"):
        return "sign in"
    if status == 401 and "WWW-Authenticate" in response.headers:
        # A token is asked for instead.
        return "sign in"
    if status in (403, 404, 405):
        return str(status)
    return "in" if status < 500 else f"error {status}"


def told(lines: list[Line]) -> str:
    """Return the matrix as a table, a line for each address and method."""
    people = [person.name for person in PEOPLE]
    head = ["address", "", *people]
    body = [[line.name, line.method, *(line.met[p] for p in people)] for line in lines]
    widths = [max(len(row[n]) for row in (head, *body)) for n in range(len(head))]
    form = "  ".join(f"{{:{width}}}" for width in widths)
    return "\n".join(form.format(*row).rstrip() for row in (head, *body))
