"""The version is said in one place and shown everywhere."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import reverse

from console import VERSION
from console.access.roles import Role
from console.views.errors import server_error

ROOT = Path(__file__).resolve().parents[2]


def footer(response: HttpResponse) -> str:
    """Return what the one footer of a page says."""
    (text,) = re.findall(r"<footer\b[^>]*>(.*?)</footer>", response.text, re.DOTALL)
    return text


@pytest.mark.parametrize("name", ["home", "connections:list", "users:list"])
def test_every_page_shows_it(name: str, sign_in: Callable[..., Browser]) -> None:
    assert VERSION in footer(sign_in(Role.ADMIN).get(reverse(name)))


@pytest.mark.django_db
def test_so_does_the_page_to_sign_in(client: Browser) -> None:
    assert VERSION in footer(client.get(reverse("login")))


def test_so_does_the_page_of_a_mistake_of_ours(rf: RequestFactory) -> None:
    assert VERSION in footer(server_error(rf.get("/")))


def test_the_changelog_begins_with_it() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (\S+)(?: - (\d{4}-\d\d-\d\d))?$", text, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    released, date = headings[1]
    assert (released, bool(date)) == (VERSION, True)
