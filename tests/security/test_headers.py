"""Attacks by what a browser keeps, and by what a request says of itself."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role
from console.models import AuditEvent, Project
from tests.conftest import make_user
from tests.permission_table import rows
from tests.permissions import Guest, Person, Stage, stage

pytestmark = [pytest.mark.django_db, pytest.mark.pages]

# What one types a write into: Back must find it in the browser's cache.
TYPED_INTO = {"writes:record", "writes:csv", "writes:url"}


def test_signing_out_clears_what_the_browser_has_of_the_pages() -> None:
    make_user("eve", Role.ADMIN)
    for way in ("/logout/", "/account/sign-out-everywhere/"):
        browser = Browser()
        browser.post("/login/", {"username": "eve", "password": "eve"})
        cleared = browser.post(way)["Clear-Site-Data"]
        assert {'"cache"', '"storage"'} <= set(cleared.split(", "))
        # The theme is a cookie, and stays.
        assert "cookies" not in cleared
        assert "*" not in cleared


def test_no_answer_is_kept_by_the_browser() -> None:
    """Every address by GET: pages, fragments, downloads, redirects."""
    with stage() as everything:
        _walk(everything)


def _walk(everything: Stage) -> None:
    guest = Guest.sign_in(Person("keeper", Role.ADMIN, Role.ADMIN))
    kept = set()
    for row in rows().values():
        if row.needs["GET"] == "–":
            continue
        address = reverse(row.name, args=everything.world.arguments(row.of))
        answer = guest.ask("GET", address)
        cache = answer.get("Cache-Control", "")
        if "no-store" not in cache:
            kept.add(row.name)
            assert "private" in cache, row.name
    assert kept == TYPED_INTO


def test_the_pages_of_users_and_of_errors_are_not_kept_either(
    sign_in: Callable[..., Browser],
) -> None:
    browser = sign_in(Role.ADMIN)
    for page in ("/users/", "/users/new/", "/nothing/here/"):
        assert "no-store" in browser.get(page)["Cache-Control"]


@pytest.mark.parametrize(
    "page",
    [
        "http://testserver//evil.example/x",
        "http://testserver/\\evil.example",
        "http://testserver/\\/evil.example",
        "http://testserver///evil.example",
        "http://testserver/\t/evil.example",
        "http://testserver//evil.example?a=b",
        "http://testserver/\\\\evil.example",
    ],
)
def test_back_stays_on_the_site(page: str, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in(Role.VIEWER)
    answer = browser.get("/connections/new/", headers={"Referer": page})
    assert answer.status_code == 403
    assert answer.context["back"] == ""
    assert "evil.example" not in answer.text


@pytest.mark.parametrize("given", ["a" * 32, "../../etc", "12345678", "x y\r\nz"])
def test_the_id_of_a_request_is_ours(
    given: str, project: Project, sign_in: Callable[..., Browser]
) -> None:
    make_user("eve", Role.VIEWER)
    ids = set()
    for _ in range(2):
        browser = Browser(headers={"X-Request-ID": given})
        answer = browser.post("/login/", {"username": "eve", "password": "eve"})
        ids.add(answer["X-Request-ID"])
        event = AuditEvent.objects.newest_first()[0]
        assert event.correlation_id == answer["X-Request-ID"] != given
        kept = event.detail.get("client_request_id")
        assert kept == (given if given.isalnum() else None)
    assert len(ids) == 2
