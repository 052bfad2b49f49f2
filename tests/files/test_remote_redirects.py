"""Looking at an address: redirects, and servers that do not answer well."""

import socket

import pytest

from files.remote.looking import (
    NotLooked,
    look,
)
from tests.files.remote_web import (
    PUBLIC,
    Detour,
    Reply,
    Web,
    messages,
    refused,
    rules,
    seen,
)
from tests.hosts import EVERY_HOST


def lead(web: Web, *steps: str) -> str:
    """Let one path lead on to the next, and return where it begins."""
    for number, step in enumerate(steps):
        web.replies[f"/{number}"] = Reply(status=302, headers={"Location": step})
    return web.at("/0")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_told(status: int, web: Web) -> None:
    reply = Reply(status=status, headers={"Location": "a.csv#top"})
    web.replies["/0"] = reply
    file = look(web.at("/0"), key="id", private_hosts=EVERY_HOST)
    assert file.final_url == web.at("/a.csv")
    assert rules(file) == [("warns", "redirected")]


def test_three_redirects_are_followed_and_no_more(web: Web) -> None:
    assert look(
        lead(web, "/1", "/2", "/a.csv"), key="id", private_hosts=EVERY_HOST
    ).size
    url = lead(web, "/1", "/2", "/3", "/a.csv")
    with refused("redirects"):
        look(url, key="id", private_hosts=EVERY_HOST)


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/a.csv",
        "//127.1/a.csv",
        "http://[::ffff:127.0.0.1]/a.csv",
        "http://inside.example.com/a.csv",
        "http://user:canary@files.example.com/a.csv",
        "http://[broken/a.csv",
        "file:///etc/passwd",
        "ftp://files.example.com/a.csv",
        "data:text/csv,id",
    ],
)
def test_a_redirect_is_checked_like_the_first_address(location: str, web: Web) -> None:
    web.replies["/0"] = Reply(status=302, headers={"Location": location})
    network = Detour(web.port)

    def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1"] if host.startswith("inside") else [PUBLIC]

    with pytest.raises(NotLooked) as caught:
        look(
            "http://files.example.com/0",
            key="id",
            private_hosts=(),
            resolve=resolve,
            network=network,
        )
    assert set(network.connected) == {PUBLIC}
    assert {path for _, path, _ in web.asked} == {"/0"}
    assert "canary" not in str(caught.value)


def test_a_redirect_without_an_address_is_a_refusal(web: Web) -> None:
    file = seen(web, Reply(status=302))
    assert rules(file) == [("blocks", "status")]


def test_the_finding_of_a_redirect_does_not_quote_its_query(web: Web) -> None:
    file = look(lead(web, "/a.csv?sig=canary"), key="id", private_hosts=EVERY_HOST)
    assert "canary" in file.final_url
    assert "canary" not in messages(file)


# ── limits ─────────────────────────────────────────────────────────────────────────


def test_a_server_that_drips_is_left(web: Web) -> None:
    web.replies["*"] = Reply(drip=True)
    with refused("unreachable"):
        look(web.at("/a.csv"), key="id", private_hosts=EVERY_HOST, timeout=0.5)


def test_a_server_that_says_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with refused("unreachable"):
            look(url, key="id", private_hosts=EVERY_HOST, timeout=0.5)


def test_a_port_that_nobody_listens_on_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with refused("unreachable"):
        look(f"http://127.0.0.1:{port}/", key="id", private_hosts=EVERY_HOST)


def test_a_name_that_nobody_knows_is_told() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror

    with refused("unreachable"):
        look("http://gone.example/", key="id", private_hosts=(), resolve=resolve)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "x"},
        {"Content-Length": "500"},
        {"Transfer-Encoding": "chunked"},
        {"X-Long": "x" * 200_000},
    ],
    ids=["no length", "too short", "not chunked", "long header"],
)
def test_an_answer_that_cannot_be_read_is_told(
    headers: dict[str, str], web: Web
) -> None:
    with refused("broken-answer"):
        seen(web, Reply(ranges=False, headers=headers))
