"""The pages for requests that end in an error."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.test import RequestFactory

from console.access.roles import Role
from console.models import AuditEvent, Project
from console.views import errors
from tests.answers import Shown
from tests.texts import words

pytestmark = pytest.mark.pages


def test_not_found_signed_in_and_out(
    client: Browser, sign_in: Callable[..., Browser]
) -> None:
    for browser, way_out in ((client, "Sign in"), (sign_in(), "Operations")):
        answer = browser.get("/there-is-nothing")
        html = answer.content.decode()
        assert answer.status_code == 404
        assert answer.context["title"] in html
        assert html.count("<h1>") == 1
        assert way_out in html
        assert answer["X-Request-ID"] in html


def test_a_form_without_its_token_says_what_to_do(
    sign_in: Callable[..., Browser],
) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies = sign_in(Role.ADMIN).cookies
    for browser in (strict, Browser(enforce_csrf_checks=True)):
        answer = browser.post("/login/", {"username": "eve", "password": "eve"})
        assert answer.status_code == 403
        # It is no matter of roles, and nobody tried to sign in.
        assert "roles" not in answer.context
        assert answer.context["title"] in answer.text
    assert not AuditEvent.objects.filter(action="user.sign_in_failed").exists()


def test_a_refusal_tells_the_roles_one_has_and_leads_back(
    sign_in: Callable[..., Browser],
) -> None:
    browser = sign_in(Role.VIEWER, test=Role.OPERATOR, production=Role.NONE)
    here = {"Referer": "http://testserver/connections/?x=1"}
    answer = browser.get("/connections/new/", headers=here)
    assert answer.status_code == 403
    roles = [(word.value, role) for word, role in answer.context["roles"]]
    assert roles == [
        ("sandbox", "viewer"),
        ("test", "operator"),
        ("production", "none"),
    ]
    assert "your-roles" in Shown(answer).ids
    assert 'href="/connections/?x=1"' in answer.text
    elsewhere = {"Referer": "http://elsewhere.example/"}
    answer = browser.get("/connections/new/", headers=elsewhere)
    assert "elsewhere.example" not in answer.text


def test_a_refusal_names_the_role(sign_in: Callable[..., Browser]) -> None:
    answer = sign_in(Role.VIEWER).get("/connections/new/")
    assert answer.status_code == 403
    assert "admin" in words(answer.context["text"])


def test_a_mistake_of_ours_says_what_it_means_for_the_data(
    sign_in: Callable[..., Browser],
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(self: Project) -> None:
        raise RuntimeError

    monkeypatch.setattr(Project, "active_key", fail)
    browser = sign_in()
    browser.raise_request_exception = False
    answer = browser.get(project.get_absolute_url())
    assert answer.status_code == 500
    assert "Operations" in words(answer.context["text"])
    assert 'href="/operations/"' in answer.text


def test_the_500_page_needs_no_database() -> None:
    answer = errors.server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert b"Something went wrong" in answer.content
