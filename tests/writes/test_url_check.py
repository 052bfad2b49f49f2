"""The address of a URL write is looked at for the review, and again before sending."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from operations.models import Operation
from sandbox.app import Sandbox
from tests.answers import Shown, levels
from tests.conftest import move_projects
from tests.texts import quoted
from tests.writes.making import confirm, press_send, received, records, work_off
from tests.writes.pages import Page
from writes.models import Write
from writes.worker import send

State = Operation.State
KEY = "external_id__c"
CSV = b"external_id__c,LastName\nk-1,Berg\nk-2,Tal\n"

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


class Web(http.server.ThreadingHTTPServer):
    """A server with one file, which may change."""

    daemon_threads = True
    content = CSV
    status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/data.csv"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.server.content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web(settings: Any) -> Iterator[Web]:
    with Web(("127.0.0.1", 0), Handler) as server:
        settings.PRIVATE_HOSTS = [("127.0.0.1", server.server_address[1])]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def review(browser: Browser, target: dict[str, Any], url: str, key: str = KEY) -> Any:
    form = {**target, "primary_key": key, "url": url}
    return browser.post("/writes/url/", form, follow=True)


def test_the_review_shows_what_the_address_gives(
    web: Web, browser: Browser, target: dict[str, Any]
) -> None:
    answer = review(browser, target, web.url)
    write = Write.objects.get()
    assert write.is_ready
    assert write.remote_file["size"] == len(CSV)
    assert write.remote_file["header"] == ["external_id__c", "LastName"]
    text = answer.content.decode()
    assert write.remote_file["sample_sha256"] in text
    assert "LastName" in text
    assert "Send" in Page(answer).buttons


@pytest.mark.parametrize(
    ("content", "key", "status"),
    [(CSV, "Nr", 200), (b"<html>no</html>", KEY, 200), (CSV, KEY, 404)],
)
def test_what_could_not_be_written_blocks_the_draft(
    content: bytes,
    key: str,
    status: int,
    web: Web,
    browser: Browser,
    target: dict[str, Any],
) -> None:
    web.content, web.status = content, status
    answer = review(browser, target, web.url, key)
    write = Write.objects.get()
    assert not write.is_ready
    assert any(f["level"] == "blocks" for f in write.remote_file["findings"])
    assert "Send" not in Page(answer).buttons
    answer = press_send(browser, write, follow=True)
    assert answer.status_code in (200, 422)
    assert "Nothing" in answer.content.decode()
    write.refresh_from_db()
    assert write.is_draft
    assert not Operation.objects.exists()


def test_reviewed_again_with_a_better_address_it_can_be_sent(
    web: Web, browser: Browser, target: dict[str, Any]
) -> None:
    review(browser, target, web.url, "Nr")
    review(browser, target, web.url)
    assert Write.objects.get().is_ready


def test_an_address_that_cannot_be_looked_at_says_so_and_may_be_sent(
    browser: Browser, target: dict[str, Any]
) -> None:
    answer = review(browser, target, "https://nowhere.example/x.csv")
    assert levels(answer) == ["warning"]
    write = Write.objects.get()
    assert (write.is_ready, write.remote_file) == (True, {})


@pytest.mark.parametrize("environment", ["sandbox", "test", "production"])
def test_a_name_that_leads_inside_is_not_looked_at(
    environment: str, web: Web, browser: Browser, target: dict[str, Any]
) -> None:
    """A public name may lead to a private address."""
    move_projects(environment=environment)
    url = web.url.replace("127.0.0.1", "127.0.0.1.example.com")
    review(browser, target, url)
    assert Write.objects.get().remote_file == {}


def test_what_is_as_it_was_is_sent(
    sandbox: Sandbox, web: Web, browser: Browser, olga: User, target: dict[str, Any]
) -> None:
    review(browser, target, web.url)
    confirm(Write.objects.get(), olga)
    work_off()
    assert len(records(sandbox, "contact")) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"content": CSV + b"k-3,Lau\n"},
        {"content": CSV.replace(b"Berg", b"Burg")},
        {"status": 404},
        {"status": 500},
    ],
)
def test_what_changed_since_is_not_sent(
    change: dict[str, Any],
    sandbox: Sandbox,
    web: Web,
    browser: Browser,
    olga: User,
    target: dict[str, Any],
) -> None:
    review(browser, target, web.url)
    operation = confirm(Write.objects.get(), olga)
    for name, value in change.items():
        setattr(web, name, value)
    send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.CANCELLED
    assert operation.reason
    assert received(sandbox) == []


def away(web: Web, settings: Any) -> None:
    web.shutdown()
    web.server_close()


def not_allowed(web: Web, settings: Any) -> None:
    settings.PRIVATE_HOSTS = []


def other_port_allowed(web: Web, settings: Any) -> None:
    settings.PRIVATE_HOSTS = [("127.0.0.1", 443)]


@pytest.mark.parametrize("prevent", [away, not_allowed, other_port_allowed])
def test_an_address_that_cannot_be_looked_at_again_is_held_for_a_person(
    prevent: Any,
    sandbox: Sandbox,
    web: Web,
    browser: Browser,
    olga: User,
    target: dict[str, Any],
    settings: Any,
) -> None:
    review(browser, target, web.url)
    operation = confirm(Write.objects.get(), olga)
    prevent(web, settings)
    send.send(operation.pk)
    operation.refresh_from_db()
    assert operation.state == State.HELD
    # It names the host that could not be asked, and does not say that it changed.
    assert quoted(operation.reason) == ["127.0.0.1"]
    page = browser.get(operation.get_absolute_url())
    assert "resume" in Shown(page).ids
    work_off()
    assert received(sandbox) == []


def test_once_the_address_is_allowed_again_it_goes_on(
    sandbox: Sandbox,
    web: Web,
    browser: Browser,
    olga: User,
    target: dict[str, Any],
    settings: Any,
) -> None:
    review(browser, target, web.url)
    operation = confirm(Write.objects.get(), olga)
    allowed, settings.PRIVATE_HOSTS = settings.PRIVATE_HOSTS, []
    send.send(operation.pk)
    settings.PRIVATE_HOSTS = allowed
    work_off()
    assert received(sandbox) == []
    browser.post(f"/writes/{operation.batch.write_id}/resume/")
    send.send(operation.pk)
    assert len(received(sandbox)) == 1


def test_hostile_text_of_the_address_is_only_text(
    web: Web, browser: Browser, target: dict[str, Any]
) -> None:
    web.content = b"<img src=x onerror=alert(1)>,external_id__c\n1,2\n"
    answer = review(browser, target, web.url)
    assert "<img src=x" not in answer.content.decode()
    assert "&lt;img src=x" in answer.content.decode()
    assert Page(answer).inline == []
