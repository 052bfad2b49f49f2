"""Addresses that people type lead nobody inside, whatever the environment."""

import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from console.access.roles import Role
from files.remote.guard import NotLooked
from files.remote.looking import look
from tests.answers import codes
from tests.conftest import make_user
from tests.hosts import EVERY_HOST
from tests.security.listening import Listener, listening
from tests.writes.conftest import _stored_in_a_folder_of_its_own  # noqa: F401
from writes.models import Write

pytestmark = pytest.mark.django_db

SECRET = b"AKIA-canary-of-another-service"


@pytest.fixture(autouse=True)
def _no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each name that ends in `.inside` an address inside; others are unknown."""
    really = socket.getaddrinfo

    def addresses(host: Any, port: Any, *args: Any, **values: Any) -> Any:
        if host in ("127.0.0.1", "localhost", "::1"):
            return really(host, port, *args, **values)
        if str(host).endswith(".inside.example"):
            return really("127.0.0.1", port, *args, **values)
        raise socket.gaierror("There is no network.")

    monkeypatch.setattr(socket, "getaddrinfo", addresses)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A service of this network that was not meant for anybody outside."""
    with listening() as server:
        server.status, server.content = 200, SECRET
        yield server


@pytest.fixture
def eve() -> Browser:
    """A browser of an operator of the sandbox environment."""
    browser = Browser()
    browser.force_login(make_user("eve", Role.NONE, sandbox=Role.OPERATOR))
    return browser


def give(browser: Browser, target: dict[str, Any], url: str, key: str = "id") -> Any:
    """Post the form of a URL write, and return the page that follows."""
    form = {**target, "token": str(uuid.uuid4()), "primary_key": key, "url": url}
    return browser.post("/writes/url/", form, follow=True)


@pytest.mark.parametrize(
    "spelled",
    [
        "http://127.0.0.1:{port}/secret",
        "http://localhost:{port}/secret",
        "http://127.1:{port}/secret",
        "http://2130706433:{port}/secret",
        "http://0x7f000001:{port}/secret",
        "http://0177.0.0.1:{port}/secret",
        "http://[::ffff:127.0.0.1]:{port}/secret",
        "http://[::ffff:7f00:1]:{port}/secret",
        "http://[0:0:0:0:0:ffff:7f00:0001]:{port}/secret",
        "http://１２７.0.0.1:{port}/secret",
        "http://127。0。0。1:{port}/secret",
        "http://db.inside.example:{port}/secret",
    ],
)
def test_nothing_inside_is_asked_or_shown(
    spelled: str, eve: Browser, target: dict[str, Any], listener: Listener
) -> None:
    answer = give(eve, target, spelled.format(port=listener.port))
    assert listener.heard == []
    assert SECRET.decode() not in answer.text
    for write in Write.objects.all():
        assert write.remote_file == {}


def test_what_a_setting_names_is_that_port_alone(
    eve: Browser, target: dict[str, Any], listener: Listener, settings: Any
) -> None:
    with listening() as other:
        other.content = b"id,Name\n1,Berg\n"
        other.status = 200
        settings.PRIVATE_HOSTS = [("127.0.0.1", other.port)]
        give(eve, target, f"{other.url}/a.csv")
        assert other.heard
        answer = give(eve, target, f"{listener.url}/secret")
        assert codes(answer.context["form"]) == {"url": ["private"]}
        # Nor by a detour.
        other.status = 302
        for inside in (listener.url, f"http://localhost:{listener.port}"):
            other.headers = {"Location": f"{inside}/secret"}
            answer = give(eve, target, f"{other.url}/a.csv")
            assert SECRET.decode() not in answer.text
    assert listener.heard == []


@pytest.mark.parametrize(
    "content",
    [
        SECRET,
        SECRET + b"\n" + SECRET,
        b'{"user": "root", "password": "AKIA-canary-of-another-service"}',
        b'{\n  "user": "root",\n  "key": "AKIA-canary-of-another-service"\n}\n',
        b"root:x:0:0:AKIA-canary-of-another-service:/root:/bin/sh\nbin:x:1:1::/:/bin/sh\n",
        b"key = AKIA-canary-of-another-service, other\n[part]\n",
        b"<html><body>AKIA-canary-of-another-service</body></html>",
        b"AKIA-canary-of-another-service;a;b\nno table\n",
    ],
)
def test_what_is_no_csv_is_not_shown(
    content: bytes,
    eve: Browser,
    target: dict[str, Any],
    listener: Listener,
    settings: Any,
) -> None:
    settings.PRIVATE_HOSTS = [("127.0.0.1", listener.port)]
    listener.content = content
    answer = give(eve, target, f"{listener.url}/secret")
    assert listener.heard
    assert "canary" not in answer.text
    write = Write.objects.get()
    assert not write.is_ready
    assert "canary" not in str(write.remote_file)


def test_a_csv_without_the_key_is_shown(
    eve: Browser, target: dict[str, Any], listener: Listener, settings: Any
) -> None:
    settings.PRIVATE_HOSTS = [("127.0.0.1", listener.port)]
    listener.content = b"Nr,Name\n1,Berg\n"
    give(eve, target, f"{listener.url}/a.csv")
    assert Write.objects.get().remote_file["header"] == ["Nr", "Name"]


def _look(port: int, resolve: Any, network_allows: Any) -> str:
    """Return what is said of a host of somebody's choice."""
    with pytest.raises(NotLooked) as caught:
        look(
            f"http://db.example:{port}/",
            key="id",
            private_hosts=network_allows,
            timeout=0.3,
            resolve=resolve,
        )
    return f"{caught.value.code} {caught.value}"


def test_closed_silent_refused_and_unknown_are_told_in_the_same_words() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror

    def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    with socket.create_server(("127.0.0.1", 0)) as closed:
        closed_port = closed.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        said = [
            _look(closed_port, here, EVERY_HOST),
            _look(port, here, EVERY_HOST),
            _look(port, here, ()),
            _look(closed_port, here, ()),
            _look(port, unknown, ()),
            _look(port, lambda host, port: ["169.254.169.254"], EVERY_HOST),
        ]
    assert len(set(said)) == 1
