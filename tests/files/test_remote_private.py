"""Looking at an address: where nobody is led."""

from ipaddress import ip_address
from typing import Any

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.remote.addresses import is_forbidden, is_private, is_private_host, parsed
from files.remote.looking import (
    NotLooked,
    look,
)
from tests.files.remote_web import (
    PUBLIC,
    Detour,
    Web,
    names,
    refused,
)
from tests.hosts import EVERY_HOST

PRIVATE_HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.1",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::808:808]",
    "[2002:7f00:1::]",
    "[2001:0:0:0:0:0:0:1]",
    "[2001:db8::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[fe80::1%eth0]",
    "[fec0::1]",
    "[ff02::1]",
    "[5f00::1]",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "printer.local",
    "db.internal",
    "nas.home.arpa",
    "intranet",
    "",
]
PUBLIC_HOSTS = [
    PUBLIC,
    "8.8.8.8",
    "0x08080808",
    "168.63.129.17",
    "[2606:4700::1111]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::808:808]",
    "example.com",
    "example.com.",
    "internal.example.com",
    "127.0.0.1.example.com",
    "bücher.example",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_a_private_host_is_known_in_any_spelling(host: str) -> None:
    assert is_private_host(host)


@pytest.mark.parametrize("host", PUBLIC_HOSTS)
def test_a_public_host_is_not_private(host: str) -> None:
    assert not is_private_host(host)


@given(st.ip_addresses(v=4))
@settings(max_examples=300)
def test_ipv6_forms_are_as_private_as_what_they_hold(address: Any) -> None:
    number = int(address)
    forms = [f"::ffff:{address}", f"64:ff9b::{address}", f"::{address}"]
    forms.append(f"2002:{number >> 16:x}:{number & 0xFFFF:x}::")
    for form in forms:
        # “::” and “::1” are IPv6's own.
        if number > 1:
            assert is_private(ip_address(form)) == is_private(address)
            assert is_forbidden(ip_address(form)) == is_forbidden(address)


@given(st.ip_addresses(v=4))
@settings(max_examples=300)
def test_numbers_are_read_as_c_libraries_read_them(address: Any) -> None:
    a, b, c, d = address.packed
    for text in (f"{int(address)}", f"{a:#x}.{(b << 16) + (c << 8) + d}", f"{address}"):
        assert parsed(text) == address


@given(st.text(max_size=20))
@settings(max_examples=300)
def test_any_host_has_an_answer(host: str) -> None:
    assert is_private_host(host) in (True, False)


@pytest.mark.parametrize("host", [host for host in PRIVATE_HOSTS if host])
def test_a_private_host_is_not_connected_to(host: str, web: Web) -> None:
    network = Detour(web.port)
    with pytest.raises(NotLooked):
        look(f"http://{host}/a.csv", key="id", private_hosts=(), network=network)
    assert network.connected == []


def test_a_local_server_is_refused_unless_private_addresses_are_allowed(
    web: Web,
) -> None:
    with refused("private"):
        look(web.at("/a.csv"), key="id", private_hosts=())
    assert web.asked == []
    assert look(web.at("/a.csv"), key="id", private_hosts=EVERY_HOST).findings == []


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        [PUBLIC, "127.0.0.1"],
        ["10.1.2.3"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["fe80::1%eth0"],
        ["2606:4700::1111", "fd00::1"],
    ],
)
def test_a_public_name_that_leads_inside_is_refused(found: list[str], web: Web) -> None:
    network = Detour(web.port)
    with refused("unreachable"):
        look(
            "http://files.example.com/a.csv",
            key="id",
            private_hosts=(),
            resolve=names(found),
            network=network,
        )
    assert network.connected == []


def test_the_address_that_was_checked_is_the_one_connected_to(web: Web) -> None:
    network = Detour(web.port)
    file = look(
        "http://files.example.com/a.csv",
        key="id",
        private_hosts=(),
        resolve=names([PUBLIC]),
        network=network,
    )
    assert file.findings == []
    # Never a name, which would be looked up again.
    assert set(network.connected) == {PUBLIC}
    assert {headers["Host"] for _, _, headers in web.asked} == {"files.example.com"}


def test_a_name_that_leads_elsewhere_the_second_time_is_refused_then(web: Web) -> None:
    network = Detour(web.port)
    with refused("unreachable"):
        look(
            "http://rebinding.example.com/a.csv",
            key="id",
            private_hosts=(),
            resolve=names([PUBLIC], ["127.0.0.1"]),
            network=network,
        )
    assert network.connected == [PUBLIC]
    assert [method for method, _, _ in web.asked] == ["HEAD"]


def test_the_next_address_is_tried_where_one_takes_no_connection(web: Web) -> None:
    class Half(Detour):
        def connect_tcp(self, host: str, *rest: Any) -> httpcore.NetworkStream:
            if host == PUBLIC:
                raise httpcore.ConnectError
            return super().connect_tcp(host, *rest)

    file = look(
        "http://files.example.com/a.csv",
        key="id",
        private_hosts=(),
        resolve=names([PUBLIC, "8.8.8.8"]),
        network=Half(web.port),
    )
    assert file.findings == []


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "168.63.129.16", "224.0.0.1", "0xa9fea9fe"]
)
def test_metadata_is_out_of_reach_whatever_a_setting_names(host: str, web: Web) -> None:
    network = Detour(web.port)
    with refused("forbidden"):
        look(
            f"http://{host}/a.csv", key="id", private_hosts=EVERY_HOST, network=network
        )
    with refused("unreachable"):
        look(
            "http://a.example/x",
            key="id",
            private_hosts=EVERY_HOST,
            resolve=names([str(parsed(host))]),
            network=network,
        )
    assert network.connected == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.csv",
        "ftp://example.com/a.csv",
        "file:///etc/passwd",
        "gopher://example.com/",
        "//example.com/a.csv",
        "http://",
        "http:///a.csv",
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://example.com@127.0.0.1/",
        "http://example.com:80@127.0.0.1/",
        "http://@example.com/",
        "http://good.example\\@evil.example/",
        "http://good.example\\.evil.example/",
        "http://exa mple.com/",
        "http://example.com/a b",
        "http://example.com/a\nHost: b",
        "http://example.com/\x00",
        "http://example.com\t/",
        "http://example.com:99999/",
        "http://example.com:x/",
        "http://[::1/",
        "http://[example.com]/",
        "http://exa%6dple.com/",
        "http://\ud800/",
        "http://" + "a" * 300 + ".com/",
    ],
)
def test_what_is_no_plain_address_is_refused(url: str, web: Web) -> None:
    network = Detour(web.port)
    with pytest.raises(NotLooked) as caught:
        look(url, key="id", private_hosts=(), network=network, resolve=names([]))
    assert network.connected == []
    assert "secret" not in str(caught.value)


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_address_is_worse_than_not_looked(rest: str) -> None:
    with pytest.raises(NotLooked):
        look(f"http://{rest}", key="id", private_hosts=(), resolve=names([]))
