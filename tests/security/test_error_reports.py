"""SENTRY_DSN: an error is reported, and no key, cell or cookie is in the report."""

import gzip
import json
import logging
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sentry_sdk
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser

from console import error_reports
from console.models import Project
from console.views import health
from tests.conftest import SANDBOX_KEY

pytestmark = pytest.mark.django_db

CELL = "canary-cell-of-a-customer"
COOKIE = "canary-cookie"
QUERY = "canary-query"


class Sink(BaseHTTPRequestHandler):
    """A server for reports that keeps what it gets."""

    got: list[bytes] = []  # noqa: RUF012 - emptied for each test

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        head = str(self.headers).encode()
        self.got.append(self.path.encode() + b"\n" + head + body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def reports() -> Iterator[list[bytes]]:
    """All that reaches the server; call `sent` before looking."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Sink.got = []
    error_reports.start(f"http://public@127.0.0.1:{server.server_port}/7")
    yield Sink.got
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    server.shutdown()
    server.server_close()


def sent(reports: list[bytes]) -> str:
    """Return all that was sent, as one text."""
    sentry_sdk.flush(60)
    return b"\n".join(reports).decode()


def told(text: str) -> list[dict[str, Any]]:
    """Return the reports in it."""
    lines = [line for line in text.splitlines() if line.startswith('{"event_id"')]
    found = [json.loads(line) for line in lines]
    return [each for each in found if "exception" in each]


def test_an_error_of_a_page_is_reported_without_what_was_in_it(
    reports: list[bytes],
    project: Project,
    olga: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = Browser(raise_request_exception=False)
    browser.force_login(olga)
    browser.cookies["theme"] = COOKIE
    session = browser.cookies[settings.SESSION_COOKIE_NAME].value
    key = project.api_keys.get().value.reveal()
    assert key == SANDBOX_KEY

    def fail(*_: Any) -> None:
        record = {"Name": CELL, "key": key}
        raise ValueError(f"{record} came with {key}")

    monkeypatch.setattr(health, "disk_trouble", fail)
    response = browser.get(f"/healthz?q={QUERY}", headers={"authorization": key})
    assert response.status_code == 500
    text = sent(reports)
    (report,) = told(text)
    (error,) = report["exception"]["values"]
    assert error["type"] == "ValueError"
    # Where it was, as far as our code goes, and by what the log is found.
    functions = [frame["function"] for frame in error["stacktrace"]["frames"]]
    assert functions[-2:] == ["healthz", "fail"]
    assert report["tags"]["request_id"] == response["X-Request-ID"]
    for secret in (key, CELL, COOKIE, QUERY, session, "olga", "127.0.0.1:8"):
        assert secret not in text, secret


def test_an_error_in_the_log_is_reported_without_what_was_put_into_its_words(
    reports: list[bytes], project: Project
) -> None:
    key = project.api_keys.get().value.reveal()
    log = logging.getLogger("writes.worker.send")
    log.error("Operation %s: %s", 7, CELL)
    log.error("Somebody wrote the key into the words: " + key)  # noqa: G003
    log.warning("This is none: %s", CELL)
    text = sent(reports)
    words = [each["logentry"]["message"] for each in told(text)]
    assert words[0] == "Operation %s: %s"
    assert len(words) == 2
    assert CELL not in text
    assert key not in text


def test_a_line_that_was_masked_is_reported_without_what_was_put_into_it(
    reports: list[bytes],
) -> None:
    """A token is taken out of a line of the log; the rest of the line stays there."""
    log = logging.getLogger("writes.worker.send")
    log.error("Operation %s: %s", 7, f"{CELL} {'t' * 43}")
    text = sent(reports)
    (report,) = told(text)
    assert report["logentry"]["message"] == "Operation %s: %s"
    assert CELL not in text


def test_nothing_but_what_is_listed_is_ever_sent() -> None:
    """Whatever the library learns to add: a report is made anew."""
    frame = {"function": "f", "vars": {"cell": CELL}, "context_line": CELL}
    error = {"type": "E", "value": CELL, "stacktrace": {"frames": [frame]}}
    event = {
        "event_id": "1",
        "request": {"cookies": CELL, "data": CELL, "url": CELL},
        "user": {"username": CELL},
        "breadcrumbs": {"values": [{"message": CELL}]},
        "extra": {"x": CELL},
        "contexts": {"trace": CELL},
        "logentry": {"message": "words", "params": [CELL], "formatted": CELL},
        "exception": {"values": [error]},
        "anything": CELL,
    }
    thinned = json.dumps(error_reports.thin(event, {}))
    assert CELL not in thinned
    assert re.search('"type": "E"', thinned)


def test_without_a_dsn_nothing_is_loaded() -> None:
    assert not sentry_sdk.get_client().is_active()
