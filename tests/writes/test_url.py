"""The form for a URL: only an address that Ampersand could fetch is taken."""

from typing import Any

import pytest
from django.test import Client as Browser

from tests.answers import Shown, codes
from tests.conftest import move_projects
from tests.texts import numbers
from tests.writes.pages import Page
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def post(browser: Browser, target: dict[str, Any], url: str, **others: Any) -> Any:
    """Post the form with `url` and return the answer."""
    form = {**target, "primary_key": "id", "url": url}
    return browser.post("/writes/url/", form, **others)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/data.csv",
        "HTTPS://example.com:8443/a%20b.csv?signature=x&y=1",
        "https://[2606:4700:4700::1111]/x",
        "http://8.8.8.8/x.csv",
        "https://пример.рф/данные.csv",
    ],
)
def test_an_address_is_kept_as_it_was_typed(
    url: str, browser: Browser, target: dict[str, Any]
) -> None:
    move_projects(environment="production")
    assert post(browser, target, url).status_code == 302
    write = Write.objects.get()
    assert (write.url, write.row_count) == (url, None)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "required"),
        ("example.com/data.csv", "full URL"),
        ("ftp://example.com/x", "full URL"),
        ("javascript:alert(1)", "full URL"),
        ("file:///etc/passwd", "full URL"),
        ("https:///x.csv", "full URL"),
        ("https://[::1/x", "not a valid URL"),
        ("https://example.com:99999/x", "not a valid URL"),
        ("https://olga:secret@example.com/x", "user name and password"),
        ("https://olga@example.com/x", "user name and password"),
        ("https://example.com/a b.csv", "%20"),
        ("https://example.com/a\u00adb.csv", "%20"),
        ("https://example.com/a\u200b.csv", "invisible"),
        ("https://example.com/a\tb.csv", "line ends"),
        ("https://example.com/x#part", "“#”"),
        ("https://example.com/" + "x" * 4000, "at most 4000"),
    ],
)
def test_what_is_no_address_is_told_and_stays_typed(
    url: str, words: str, browser: Browser, target: dict[str, Any]
) -> None:
    answer = post(browser, target, url)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    page = Page(answer)
    assert "id_url_error" in page.ids
    assert page.submits["url"] == [url]
    assert page.submits["primary_key"] == ["id"]
    assert not Write.objects.exists()


PRIVATE = [
    "http://localhost/x",
    "http://localhost.:8000/x",
    "http://data.localhost/x",
    "http://printer.local/x",
    "http://db.internal/x",
    "http://intranet/x",
    "http://127.0.0.1/x",
    "http://10.0.0.1/x",
    "http://192.168.1.1/x",
    "http://169.254.169.254/latest",
    "http://[::1]/x",
    "http://[fd00::1]/x",
    "http://[::ffff:10.0.0.1]/x",
    "http://2130706433/x",
    "http://0.0.0.0/x",
]


@pytest.mark.parametrize("environment", ["sandbox", "test", "production"])
@pytest.mark.parametrize("url", PRIVATE)
def test_a_private_address_is_refused(
    url: str, environment: str, browser: Browser, target: dict[str, Any]
) -> None:
    move_projects(environment=environment)
    answer = post(browser, target, url)
    assert answer.status_code == 422
    assert codes(answer.context["form"]) == {"url": ["private"]}


@pytest.mark.parametrize(
    ("url", "other", "allowed"),
    [
        ("http://127.0.0.1:1/x", "http://127.0.0.1:2/x", ("127.0.0.1", 1)),
        ("http://[::1]/x", "https://[::1]/x", ("::1", 80)),
        ("https://DB.internal/x", "http://db.internal/x", ("db.internal", 443)),
    ],
)
def test_a_private_address_is_taken_where_a_setting_names_it(
    url: str,
    other: str,
    allowed: tuple[str, int],
    browser: Browser,
    target: dict[str, Any],
    settings: Any,
) -> None:
    settings.PRIVATE_HOSTS = [allowed]
    assert post(browser, target, url).status_code == 302
    assert post(browser, target, other).status_code == 422


def test_the_review_says_who_fetches_it_when_and_how_much(
    browser: Browser, target: dict[str, Any]
) -> None:
    answer = post(browser, target, "https://example.com/x.csv", follow=True)
    said = Shown(answer).texts["fetched"]
    assert "Ampersand" in said
    assert numbers(said) == [150]  # MiB


def test_a_hostile_address_is_escaped(browser: Browser, target: dict[str, Any]) -> None:
    url = 'https://example.com/"><img/src=x/onerror=alert(1)>'
    answer = post(browser, target, url, follow=True)
    assert answer.status_code == 200
    assert "<img/src" not in answer.content.decode()
    assert Page(answer).inline == []
