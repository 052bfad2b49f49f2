"""Every page, as everybody who sees it: no link leads nowhere, no button is refused."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from console.access.roles import Role
from operations.models import Operation
from tests.conftest import actor
from tests.permissions import CSV, PEOPLE, Guest, Stage, World, stage
from tests.writes.making import check_draft, confirm, make_draft, work_off
from writes.actions import derive

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

# They end what is being looked at, or are Django's own.
ELSEWHERE = ("/login/", "/logout/", "/static/")
READERS = [
    person.name
    for person in PEOPLE
    if (person.here or person.is_super) and not person.is_anonymous
]


class Ways(HTMLParser):
    """Where a page leads: by its links, by its forms, and by what it fetches itself."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.buttons: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.add(given.get("href", ""))
        if "hx-get" in given:
            self.links.add(given["hx-get"])
        if tag == "form" and given.get("method", "get").lower() == "post":
            self.buttons.add(given.get("action", ""))


@pytest.fixture
def everything(db: None) -> Iterator[Stage]:
    """Something of everything, and what leads from one write to another."""
    with stage() as made:
        _make_family(made.world)
        yield made


def _make_family(world: World) -> None:
    """Make writes that name one another: drafts of one person, seen by others."""
    owner: User = world.owner
    # No request of ours is behind it: nothing can be found out about it.
    Operation.objects.filter(pk=world.operation.pk).update(state="succeeded")
    key = {"primary_key": "external_id__c"}
    derive.retry_failed(world.write, actor(owner))
    # A trial that was sent, of which the rest is a draft; and one that was not.
    for is_sent in (True, False):
        rest = make_draft(
            world.integration, owner, csv=CSV.replace(b"k-", b"r-"), **key
        )
        trial = derive.try_first(rest, actor(owner), 1)
        for write in (trial, rest):
            check_draft(write)
        if is_sent:
            trial.refresh_from_db()
            confirm(trial, owner)
    work_off()
    # The same twice, an update, an address.
    record: dict[str, Any] = {"record": {"LastName": "Tal"}}
    update = {**record, "action": "update", "record_id": "003A"}
    url = {"url": "https://files.example.com/x.csv", **key}
    for values in (record, record, update, url):
        draft = make_draft(world.integration, owner, **values)
        confirm(draft, owner, repeat_reason="x")
    work_off()


@pytest.mark.parametrize("reader", READERS)
def test_every_link_is_answered_and_no_button_is_refused(
    reader: str, everything: Stage
) -> None:
    guest = next(g for g in everything.guests if g.person.name == reader)
    _make_own(guest, everything.world)
    seen, wrong = {"/"}, []
    pressed: set[str] = set()
    queue = ["/"]
    while queue:
        page, answer = _follow(guest, queue.pop())
        if answer.status_code not in (200, 204):
            wrong.append(f"{page}: {answer.status_code}")
            continue
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        ways = Ways(answer.all_text)
        for address in _ours(ways.buttons, page) - pressed:
            pressed.add(address)
            if (status := _press(guest, address)) in (403, 404, 405, 500):
                wrong.append(f"{page}: the form of {address} is met with {status}")
        new = _ours(ways.links, page) - seen
        seen |= new
        queue += sorted(new)
    assert wrong == []
    # It went a long way.
    assert len(seen) > 40
    has_role = guest.person.here >= Role.OPERATOR
    assert any(a.endswith("/send/") for a in pressed) == has_role


def _make_own(guest: Guest, world: World) -> None:
    """Give who may write here a draft of their own, which Home shows them."""
    if guest.person.here >= Role.OPERATOR and guest.user is not None:
        make_draft(
            world.integration, guest.user, record={"LastName": guest.person.name}
        )


def _ours(addresses: set[str], page: str) -> set[str]:
    whole = {urljoin(page, address).partition("#")[0] for address in addresses}
    return {a for a in whole if a.startswith("/") and not a.startswith(ELSEWHERE)}


def _follow(guest: Guest, address: str) -> tuple[str, Any]:
    """Return where an address leads in the end, and the answer there."""
    answer = guest.ask("GET", address)
    for _ in range(3):
        if answer.status_code == 302:
            address = urljoin(address, answer["Location"])
            answer = guest.ask("GET", address)
    return address, answer


def _press(guest: Guest, address: str) -> int:
    """Send a form without anything in it, say how it was met, and undo what it did."""
    with transaction.atomic():
        status: int = guest.ask("POST", address).status_code
        transaction.set_rollback(True)
    return status
