"""Nobody fills the disk or the memory with what no page asked for."""

import re
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver

from console import uploads
from console.access.roles import Role
from console.environments import Environment
from console.models import Project, WriteObject
from console.uploads import LARGEST_FILE
from console.web.limits import SMALL_BODY
from tests.conftest import make_user
from writes.actions import derive
from writes.actions.quota import kept_by
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

MIB = 1024 * 1024
FORM = "multipart/form-data; boundary=x"
KINDS = [FORM, "application/x-www-form-urlencoded", "text/plain", "multipart/mixed"]
# Whatever pk they are asked for.
TAKE_FILES = {
    "/writes/csv/": LARGEST_FILE,
    "/connections/objects/1/fields/import/": 20 * MIB,
    "/connections/1/manifest/": MIB,
}


class Body:
    """A body that notes how much of it was read, and what lay on disk meanwhile."""

    def __init__(self, head: bytes, length: int) -> None:
        self.head, self.left = head, length - len(head)
        self.read_bytes, self.seen = 0, set[str]()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        self.seen |= {
            path.name for path in Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()
        }
        size = len(self.head) + self.left if size < 0 else size
        data, self.head = self.head[:size], self.head[size:]
        more = min(size - len(data), self.left)
        self.left -= more
        self.read_bytes += len(data) + more
        return data + b"a" * more

    readline = read


def part(name: str, *, file: str = "") -> bytes:
    """Return the beginning of a part of a form."""
    given = f'; filename="{file}"' if file else ""
    said = f'--x\r\nContent-Disposition: form-data; name="{name}"{given}\r\n\r\n'
    return said.encode()


def post(
    browser: Browser,
    path: str,
    head: bytes,
    length: int,
    kind: str = FORM,
    **environ: Any,
) -> tuple[Any, Body]:
    """Post a body of some length that begins with `head`; return it with the answer."""
    body = Body(head, length)
    given = {"wsgi.input": body, "CONTENT_LENGTH": str(length)} | environ
    browser.raise_request_exception = False
    return browser.generic("POST", path, b"-", kind, **given), body


@pytest.fixture(autouse=True)
def _uploads_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    storage = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": storage}


def browser_of(user: User | None) -> Browser:
    """Return a browser whose forms' tokens are checked, as in real ones.

    It has the cookie that they are compared with: without one no body is looked at.
    """
    browser = Browser(enforce_csrf_checks=True)
    browser.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    if user is not None:
        browser.force_login(user)
    return browser


def paths(resolver: URLResolver | None = None, before: str = "/") -> Iterator[str]:
    """Yield every address, with 1 for whatever it is about."""
    for pattern in (resolver or get_resolver()).url_patterns:
        path = before + re.sub(r"<(\w+):\w+>", "1", str(pattern.pattern))
        path = re.sub(r"[\^$]|\\Z|\(\?P<\w+>.*\)", "", path)
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from paths(pattern, path)


PATHS = sorted({*paths(), "/no/such/page/", "/static/none.css", "/favicon.ico"})


def test_the_addresses_are_all_of_them() -> None:
    assert len(PATHS) > 80
    assert set(TAKE_FILES) < set(PATHS)


@pytest.mark.parametrize(
    ("role", "kind"),
    [*((None, kind) for kind in KINDS), (Role.NONE, FORM), (Role.ADMIN, FORM)],
)
def test_more_than_a_page_takes_is_not_read(role: Role | None, kind: str) -> None:
    user = None if role is None else make_user("wanda", role)
    for path in PATHS:
        if path in TAKE_FILES:
            continue
        head = part("file", file="a.csv") if "multipart" in kind else b"username="
        answer, body = post(browser_of(user), path, head, SMALL_BODY + 1, kind)
        assert (body.read_bytes, body.seen) == (0, set()), path
        assert answer.status_code in (404, 413), path


@pytest.mark.parametrize("role", [None, Role.NONE, Role.VIEWER, Role.OPERATOR])
def test_files_reach_no_disk_where_none_is_taken(role: Role | None) -> None:
    user = None if role is None else make_user("wanda", role)
    browser = browser_of(user)
    were_read = 0
    for path in PATHS:
        if path in TAKE_FILES and role == Role.OPERATOR:
            continue
        head = part("a") + b"1\r\n" + part("file", file="a.csv") + b"a" * 100_000
        head += b"\r\n" + part("b", file="../../b") + b"a" * 100_000
        answer, body = post(browser, path, head, 1_000_000)
        assert body.seen == set(), path
        assert answer.status_code < 500, path
        were_read += bool(body.read_bytes)
    assert were_read > 50


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("/writes/csv/", Role.NONE),
        ("/writes/csv/", Role.VIEWER),
        ("/connections/objects/1/fields/import/", Role.OPERATOR),
        ("/connections/1/manifest/", Role.OPERATOR),
    ],
)
def test_the_role_is_asked_for_before_a_byte_is_read(path: str, role: Role) -> None:
    browser = browser_of(make_user("wanda", role))
    answer, body = post(browser, path, part("file", file="a"), MIB)
    assert (answer.status_code, body.read_bytes) == (403, 0)


@pytest.mark.parametrize("path", TAKE_FILES)
@pytest.mark.parametrize("length", [SMALL_BODY + 1, 10 * SMALL_BODY, 2**40])
def test_of_a_large_file_of_nobody_only_the_form_is_read(
    path: str, length: int
) -> None:
    answer, body = post(browser_of(None), path, part("file", file="a.csv"), length)
    assert answer.status_code in (302, 413)
    assert body.read_bytes <= MIB
    assert body.seen == set()


@pytest.mark.parametrize(("path", "most"), TAKE_FILES.items())
def test_more_than_the_largest_file_is_not_read(path: str, most: int) -> None:
    browser = browser_of(make_user("anna", Role.ADMIN))
    head = part("file", file="a.csv")
    answer, body = post(browser, path, head, most + SMALL_BODY + 1)
    assert (answer.status_code, body.read_bytes) == (413, 0)


@pytest.mark.parametrize("length", ["", "-1", "x", "1e9", "²", "٣٣٣٣٣٣٣", " 9"])
def test_a_length_that_is_none_lets_nothing_in(length: str) -> None:
    browser = browser_of(None)
    head = part("file", file="a.csv")
    answer, body = post(browser, "/login/", head, 2**30, CONTENT_LENGTH=length)
    assert answer.status_code < 500
    assert body.seen == set()
    assert body.read_bytes <= SMALL_BODY


def test_a_body_without_a_length_is_not_read() -> None:
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    answer, body = post(browser_of(None), "/login/", part("a"), 2**30, **environ)
    assert (answer.status_code < 500, body.read_bytes) == (True, 0)


@pytest.mark.parametrize("fields", [1, 100])
def test_fields_cannot_be_larger_than_the_small_limit(fields: int) -> None:
    """A form with a file is longer, but its fields must not be."""
    browser = Browser()
    browser.force_login(make_user("olga", Role.OPERATOR))
    head = b"".join(
        part(f"f{number}") + b"a" * (2 * SMALL_BODY // fields) + b"\r\n"
        for number in range(fields)
    )
    answer, body = post(browser, "/writes/csv/", head, len(head) + MIB)
    assert answer.status_code == 400
    assert body.seen == set()


# --- Room on the disk -----------------------------------------------------------------

Usage = namedtuple("Usage", "total used free")


def csv_form(target: dict[str, Any], data: bytes) -> bytes:
    """Return the form with a file."""
    fields = {
        **target,
        "primary_key": "id",
    }
    given = b"".join(
        part(name) + f"{value}\r\n".encode() for name, value in fields.items()
    )
    return given + part("file", file="a.csv") + data + b"\r\n--x--\r\n"


def send(user: User, path: str, form: bytes) -> tuple[Any, Body]:
    """Post a form without a check of its token."""
    browser = Browser()
    browser.force_login(user)
    return post(browser, path, form, len(form))


@pytest.mark.parametrize("free", [0, MIB, 500 * MIB - 1])
def test_uploads_leave_the_room_that_is_kept(
    free: int,
    olga: User,
    project: Project,
    target: dict[str, Any],
    settings: Any,
    monkeypatch: Any,
) -> None:
    settings.KEEP_FREE_MIB = 500
    usage = Usage(2**40, 2**40 - free, free)
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda path: usage)
    answer, body = send(olga, "/writes/csv/", csv_form(target, b"id\n1\n"))
    assert (answer.status_code, body.read_bytes) == (503, 0)
    assert "Retry-After" in answer
    assert not Write.objects.exists()
    anna = make_user("anna", Role.ADMIN)
    pk = WriteObject.objects.values_list("pk", flat=True)[0]
    for path in (
        f"/connections/objects/{pk}/fields/import/",
        f"/connections/{project.pk}/manifest/",
    ):
        answer, body = send(anna, path, part("file", file="a") + b"a\r\n--x--\r\n")
        assert (answer.status_code, body.read_bytes) == (503, 0), path
    health = Browser().get("/healthz")
    assert (health.status_code, health.json()["disk"]) == (200, "low")
    # Pages, and what else is done, go on.
    browser = Browser()
    browser.force_login(olga)
    assert browser.get("/writes/csv/").status_code == 200
    assert browser.post("/theme/", {"theme": "dark"}).status_code == 302


def test_an_upload_stops_where_others_took_the_room_meanwhile(
    olga: User, target: dict[str, Any], settings: Any, monkeypatch: Any
) -> None:
    settings.KEEP_FREE_MIB = 500
    free = iter([2**40, 2**40, *[MIB] * 1000])
    usage = lambda path: Usage(2**40, 0, next(free))  # noqa: E731
    monkeypatch.setattr(uploads.shutil, "disk_usage", usage)
    form = csv_form(target, b"id\n" + b"1\n" * 200_000)
    answer, _ = send(olga, "/writes/csv/", form)
    assert answer.status_code == 503
    assert not Write.objects.exists()
    assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []


def test_one_persons_drafts_keep_no_more_than_the_quota(
    olga: User, target: dict[str, Any], settings: Any, sandbox: Any
) -> None:
    settings.DRAFTS_MIB = 1
    form = csv_form(target, b"id,LastName\n" + b"1,Berg\n" * 1_000)
    answer, _ = send(olga, "/writes/csv/", form)
    assert answer.status_code == 302, answer.content.decode()
    assert 2 * 7_000 < kept_by(olga) < MIB
    for _ in range(2):
        form = csv_form(target, b"id\n" + b"1\n" * 500_000)
        answer, body = send(olga, "/writes/csv/", form)
        assert (answer.status_code, body.read_bytes) == (413, 0)
        assert 'href="/writes/drafts/"' in answer.content.decode()
    assert Write.objects.count() == 1
    # It is one person's, and ends with the drafts.
    other = make_user("omar", Role.OPERATOR)
    assert kept_by(other) == 0
    derive.discard(Write.objects.get())
    assert kept_by(olga) == 0


def test_people_know_what_to_do_about_a_refusal(olga: User, project: Project) -> None:
    browser = Browser()
    browser.force_login(olga)
    answer, _ = post(browser, "/theme/", b"a=", SMALL_BODY + 1, KINDS[1])
    text = answer.content.decode()
    assert re.search(r"<p[^>]*data-error>Nothing was stored.*2\.5 MiB", text)
    assert Environment.SANDBOX in project.environment
