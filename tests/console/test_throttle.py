"""Guessing passwords: how often, and what is said and kept about it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser

from console.access.roles import Role
from console.models import AuditEvent, SignInAttempt
from console.sign_in import throttle
from console.sign_in.throttle import Locked, begin, forget_old
from tests.answers import Shown
from tests.conftest import make_user
from tests.console.conftest import Clock
from tests.texts import numbers

WINDOW = throttle.WINDOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def eve() -> User:
    """A person whose password is her name."""
    return make_user("eve", Role.VIEWER)


def sign_in(name: str = "eve", password: str = "wrong", address: str = "") -> Any:
    """Return the answer to a try from `address`."""
    browser = Browser(REMOTE_ADDR=address or "192.0.2.1")
    return browser.post("/login/", {"username": name, "password": password})


def try_often(count: int, **values: Any) -> None:
    for _ in range(count):
        assert sign_in(**values).status_code == 200


def locks() -> list[str]:
    rows = AuditEvent.objects.filter(action="user.sign_in_locked")
    return list(rows.values_list("subject", flat=True))


def test_after_five_tries_even_the_right_password_is_refused(eve: User) -> None:
    try_often(5)
    answer = sign_in(password="eve")
    assert answer.status_code == 429
    assert numbers(Shown(answer).texts["locked"]) == [15]
    assert 800 < int(answer["Retry-After"]) <= 900
    assert 'value="eve"' in answer.text
    assert "_auth_user_id" not in answer.client.session


def test_a_name_that_nobody_has_is_met_the_same(eve: User) -> None:
    try_often(5)
    try_often(5, name="nobody", address="192.0.2.2")
    known, unknown = sign_in(), sign_in("nobody", address="192.0.2.2")
    assert unknown.status_code == known.status_code == 429
    varies = re.compile(r'(value|nonce)="[^"]+"')
    assert varies.sub("", unknown.text) == varies.sub("", known.text)


def test_others_sign_in_meanwhile_and_eve_from_elsewhere(eve: User) -> None:
    make_user("tom", Role.VIEWER)
    try_often(5)
    assert sign_in("tom", "tom").status_code == 302
    assert sign_in("eve", "eve", address="192.0.2.9").status_code == 302
    # The spelling of a name makes no new one.
    assert sign_in("EVE").status_code == 429


def test_it_ends_by_itself(eve: User, clock: Clock) -> None:
    try_often(5)
    clock.now += WINDOW - timedelta(seconds=61)
    answer = sign_in(password="eve")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "61"
    assert numbers(Shown(answer).texts["locked"]) == [2]
    clock.now += timedelta(seconds=61)
    assert sign_in(password="eve").status_code == 302


def test_a_clock_that_was_set_back_locks_nobody_out_for_longer(
    eve: User, clock: Clock
) -> None:
    clock.advance(days=1)
    try_often(5)
    clock.advance(days=-1)
    assert sign_in(password="eve").status_code == 302
    # It counts as ever what is tried from then on.
    try_often(5)
    assert sign_in(password="eve").status_code == 429


def test_what_is_refused_does_not_make_it_longer(eve: User, clock: Clock) -> None:
    try_often(5)
    for _ in range(10):
        clock.now += WINDOW / 20
        assert sign_in().status_code == 429
    clock.now += WINDOW / 2
    assert sign_in(password="eve").status_code == 302


def test_the_right_password_forgets_the_wrong_ones(eve: User) -> None:
    try_often(4)
    assert sign_in(password="eve").status_code == 302
    assert not SignInAttempt.objects.exists()
    try_often(4)
    assert sign_in(password="eve").status_code == 302


def test_one_address_tries_no_more_than_twenty_times(eve: User) -> None:
    for number in range(20):
        try_often(1, name=f"name-{number}")
    assert sign_in(password="eve").status_code == 429
    # An account of one's own does not reset what was tried on others.
    assert sign_in(password="eve", address="192.0.2.9").status_code == 302
    assert sign_in(password="eve").status_code == 429


def test_one_name_is_tried_no_more_than_fifty_times(eve: User) -> None:
    for number in range(50):
        try_often(1, address=f"198.51.100.{number}")
    assert sign_in(password="eve", address="203.0.113.1").status_code == 429


def test_the_addresses_of_an_ipv6_network_count_as_one(eve: User) -> None:
    for number in range(5):
        try_often(1, address=f"2001:db8::{number + 1:x}")
    assert sign_in(address="2001:db8::ffff:1").status_code == 429
    assert sign_in(address="2001:db8:0:1::1").status_code == 200


def test_a_lock_is_audited_once(eve: User, clock: Clock) -> None:
    try_often(5)
    assert locks() == []
    for _ in range(3):
        sign_in()
    assert locks() == ["eve"]
    clock.now += WINDOW
    try_often(5)
    for _ in range(3):
        sign_in()
    assert locks() == ["eve", "eve"]
    event = AuditEvent.objects.newest_first()[0]
    assert event.actor_name == "not signed in"
    assert event.address == "192.0.2.1"
    assert AuditEvent.objects.first_broken() is None


@pytest.mark.parametrize("name", ["\0", "x" * 10_000, "", "ẞ" * 150, "\ud7ff"])
def test_a_strange_name_is_counted_like_any_other(name: str) -> None:
    for _ in range(5):
        assert sign_in(name).status_code == 200
    assert sign_in(name).status_code == 429


def test_what_counts_no_more_is_forgotten(clock: Clock) -> None:
    begin("old", "192.0.2.1")
    clock.now += WINDOW / 2
    begin("new", "192.0.2.1")
    clock.now += WINDOW / 2
    forget_old(clock.now)
    assert [attempt.name for attempt in SignInAttempt.objects.all()] == ["new"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_many_tries_at_once_no_more_than_five_are_looked_at() -> None:
    def attempt(number: int) -> bool:
        try:
            begin("eve", "192.0.2.1")
        except Locked:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(20) as pool:
        looked_at = sum(pool.map(attempt, range(40)))
    assert looked_at <= 5
