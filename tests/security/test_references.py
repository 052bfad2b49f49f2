"""What is sent was looked at, what is stored is one line, and no log tells a token."""

import datetime
import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse
from gunicorn.config import Config
from gunicorn.glogging import Logger
from hypothesis import given
from hypothesis import strategies as st

from console.access.roles import Role
from console.models import ApiKey, Group, Integration, Project
from operations.models import Operation
from tests.answers import Shown, codes
from tests.writes.conftest import _stored_in_a_folder_of_its_own  # noqa: F401
from tests.writes.making import confirm, make_draft
from writes.models import SharedAddress, Write
from writes.token_filter import masked
from writes.worker import share_file

pytestmark = pytest.mark.django_db


# --- Sending without a look ----------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"reviewed": ""},
        {"reviewed": " "},
        {"reviewed": "0" * 64},
        {"Reviewed": "0" * 64},
        {"reason": "CASE-1", "repeats": "1"},
    ],
)
@pytest.mark.parametrize(
    "content",
    [{"record": {"LastName": "Berg"}}, {"csv": b"id\n1\n", "primary_key": "id"}],
)
def test_nothing_is_sent_that_was_not_looked_at(
    content: dict[str, Any],
    said: dict[str, str],
    browser: Browser,
    olga: User,
    integration: Integration,
) -> None:
    draft = make_draft(integration, olga, **content)
    answer = browser.post(f"/writes/{draft.pk}/send/", said)
    assert answer.status_code == 422
    assert "problem" in Shown(answer).ids
    draft.refresh_from_db()
    assert draft.is_draft
    assert not Operation.objects.exists()


def test_the_look_at_another_draft_does_not_count(
    browser: Browser, olga: User, integration: Integration
) -> None:
    first, second = (
        make_draft(integration, olga, record={"LastName": name}) for name in "AB"
    )
    said = {"reviewed": browser.get(f"/writes/{first.pk}/").context["reviewed"]}
    assert browser.post(f"/writes/{second.pk}/send/", said).status_code == 422
    assert browser.post(f"/writes/{first.pk}/send/", said).status_code == 302
    # Once more it finds what was sent, with the look or without.
    assert browser.post(f"/writes/{first.pk}/send/").status_code == 302
    assert Operation.objects.count() == 1


# --- Tokens in logs ------------------------------------------------------------------


@pytest.fixture
def token(olga: User, integration: Integration, settings: Any) -> str:
    """The token of a shared address that gives its file."""
    settings.PUBLIC_URL = "http://testserver"
    write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
    confirm(write, olga)
    Write.objects.update(delivery="console")
    write.refresh_from_db()
    token = share_file.share(write.batches.get()).rstrip("/").rpartition("/")[2]
    assert SharedAddress.objects.filter(token_sha256=SharedAddress.digest(token))
    return token


PATHS = [
    "/files/{}/",
    "/files/{}",
    "/FILES/{}/",
    "/Files/{}",
    "//files//{}/",
    "/files//{}/",
    "/%66iles/{}/",
    "/files%2F{}/",
    "/files%2f{}",
    "/%2566iles%252f{}/",
    "/files/{}.csv",
    "/files/{}/x",
    "/files/ {}/",
    "/file/{}/",
    "/console/files/{}/",
    "/{}",
    "/login/?next=/FILES/{}/",
    "/files;v=1/{}/",
    "\\files\\{}",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_log_tells_the_token(
    method: str,
    path: str,
    token: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = Browser(enforce_csrf_checks=True)
    browser.generic(
        method,
        path.format(token),
        headers={
            "Range": "bytes=9999-",
            "Referer": f"http://a.example{path.format(token)}",
        },
    )
    assert token not in caplog.text
    logging.getLogger("anything").warning("Bad: %(path)s", {"path": path.format(token)})
    assert "Bad: " in caplog.text
    assert token not in caplog.text


def test_a_refused_origin_tells_no_token(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(enforce_csrf_checks=True)
    where = f"https://a.example/FILES/{token}/"
    answer = browser.post("/login/", secure=True, headers={"Referer": where})
    assert answer.status_code == 403
    assert caplog.records
    assert token not in caplog.text


@pytest.mark.parametrize("path", PATHS)
def test_the_web_server_s_logs_tell_no_token(
    path: str, token: str, tmp_path: Path
) -> None:
    config = Config()
    for name in ("accesslog", "errorlog"):
        config.set(name, str(tmp_path / name))
    logger = Logger(config)
    target = path.format(token)
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": target,
        "PATH_INFO": target,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_REFERER": f"https://a.example{target}",
    }
    answer = SimpleNamespace(status="404 Not Found", sent=1, headers=[])
    request = SimpleNamespace(headers=[])
    logger.access(answer, request, environ, datetime.timedelta(seconds=1))
    logger.error("Error handling request %s", target)
    for name in ("access", "error"):
        log = logging.getLogger(f"gunicorn.{name}")
        for handler in list(log.handlers):
            log.removeHandler(handler)
            handler.close()
        said = (tmp_path / f"{name}log").read_text()
        assert said
        assert token not in said


@given(st.text(), st.text())
def test_what_holds_no_token_is_logged_as_it_is(before: str, after: str) -> None:
    text = f"{before} GET /operations/12/ 200 {after}"
    if len(before) < 40 and len(after) < 40 and "files" not in text.lower():
        assert masked(text) == text
    token = SharedAddress.new_token()
    assert token not in masked(f"{before}/files/{token}/{after}")


# --- References ----------------------------------------------------------------------

NOT_ONE_LINE = [
    "a\r\nb",
    "a\nb",
    "a\rb",
    "a\x0bb",
    "a\x0cb",
    "a\x00b",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
    "a\u202eb",
    "a\u2066b",
    "a\u200fb",
    "a\u200bb",
    "a\ufeffb",
    "a\U000e0041b",
]


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of an admin."""
    return sign_in(Role.ADMIN, "ada")


def _forms(project: Project) -> dict[str, tuple[str, dict[str, Any]]]:
    integration = project.integrations.get()
    key = project.api_keys.defer("value").get()
    group = integration.groups.get()

    def at(name: str, pk: int) -> str:
        return reverse(f"connections:{name}", args=[pk])

    return {
        "group_ref": (at("group_new", integration.pk), {"name": "x"}),
        "group_ref again": (at("group_edit", group.pk), {"name": "x"}),
        "name": (at("group_new", integration.pk), {"group_ref": "x"}),
        "label": (at("key_new", project.pk), {"value": "another-key"}),
        "name of integration": (
            at("integration_new", project.pk),
            {"remote_id": "x", "provider": "x"},
        ),
        "provider": (
            at("integration_new", project.pk),
            {"remote_id": "x", "name": "x"},
        ),
        "remote_id": (
            at("integration_new", project.pk),
            {"provider": "x", "name": "x"},
        ),
        "name of project": (
            at("project_edit", project.pk),
            {"remote_id": "x", "environment": "sandbox"},
        ),
        "value": (at("key_rotate", key.pk), {}),
    }


@pytest.mark.parametrize("text", NOT_ONE_LINE)
@pytest.mark.parametrize(
    "field",
    [
        "group_ref",
        "group_ref again",
        "name",
        "label",
        "name of integration",
        "provider",
        "remote_id",
        "name of project",
        "value",
    ],
)
def test_a_connection_holds_nothing_but_lines(
    field: str, text: str, admin: Browser, project: Project
) -> None:
    address, others = _forms(project)[field]
    name = field.partition(" ")[0]
    answer = admin.post(address, {**others, name: text})
    assert answer.status_code == 422
    assert name in codes(answer.context["form"])
    for rows in (Group, Integration, Project, ApiKey):
        for row in rows.objects.all():
            assert text not in {str(value) for value in vars(row).values()}


@pytest.mark.parametrize("text", ["Müller & Söhne", "می‌خواهم", "👩‍💻 GmbH", "株式会社"])
def test_names_of_people_and_firms_are_taken(
    text: str, admin: Browser, integration: Integration
) -> None:
    address = reverse("connections:group_new", args=[integration.pk])
    answer = admin.post(address, {"group_ref": "org-1", "name": text})
    assert answer.status_code == 302
    assert Group.objects.filter(name=text).exists()


@pytest.mark.parametrize("text", NOT_ONE_LINE)
@pytest.mark.parametrize("field", ["primary_key", "url", "record_id"])
def test_a_write_holds_nothing_but_lines(
    field: str, text: str, browser: Browser, target: dict[str, Any]
) -> None:
    form = {
        **target,
        "primary_key": "id",
        "url": "https://nowhere.invalid/a.csv",
        "action": "update",
        "record_id": "003A",
        "mode": "json",
        "record": '{"LastName": "Berg"}',
    }
    value = f"https://nowhere.invalid/{text}" if field == "url" else text
    page = "record" if field == "record_id" else "url"
    answer = browser.post(f"/writes/{page}/", {**form, field: value})
    assert answer.status_code == 422
    assert field in codes(answer.context["form"])
    assert not Write.objects.exists()


@pytest.mark.parametrize("text", NOT_ONE_LINE)
def test_a_reason_is_one_line(
    text: str, browser: Browser, olga: User, integration: Integration
) -> None:
    draft = make_draft(integration, olga)
    reviewed = browser.get(f"/writes/{draft.pk}/").context["reviewed"]
    said = {"reviewed": reviewed, "reason": text}
    answer = browser.post(f"/writes/{draft.pk}/send/", said)
    assert answer.status_code == 422
    assert "reason" in codes(answer.context["form"])
    assert not Operation.objects.exists()
