"""Files in a store, a real SeaweedFS: signed addresses work, and no others do."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from files.remote.stores import LONGEST_SIGNED, S3Store, StoreError, new_name
from tests.texts import numbers

SECRET = "canary-secret-key"
LONGEST_WAIT = 120
WEED = Path(sys.executable).with_name("weed")


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a store with two identities, "console" and "other"."""
    folder = tmp_path_factory.mktemp("weed")
    identities = [
        {
            "name": name,
            "credentials": [{"accessKey": name, "secretKey": secret}],
            "actions": ["Admin", "Read", "Write", "List"],
        }
        for name, secret in (("console", SECRET), ("other", "other-secret-key"))
    ]
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": identities}))
    names = [
        f"{part}.port{kind}"
        for part in ("master", "volume", "filer", "s3")
        for kind in ("", ".grpc")
    ]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    command = [
        str(WEED),
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={folder}",
        f"-filer.localSocket={folder / 'filer.sock'}",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=8",
        "-s3",
        "-s3.iam=false",
        f"-s3.config={config}",
        # Two more services with fixed ports, which two runs at once would fight for.
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    address = f"http://127.0.0.1:{ports['s3.port']}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(f"{address}/healthz", process)
            yield address
        finally:
            # It takes its time over SIGTERM, and nothing of it is kept.
            process.kill()
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + LONGEST_WAIT
    while time.monotonic() < end:
        try:
            if get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
            break
    pytest.fail("The store does not start.")


def store_at(endpoint: str, **changed: str) -> S3Store:
    settings = {
        "bucket": "console",
        "region": "us-east-1",
        "access_key": "console",
        "secret_key": SECRET,
        "prefix": "writes",
    }
    return S3Store(endpoint=endpoint, **{**settings, **changed})


@pytest.fixture
def store(endpoint: str) -> S3Store:
    return store_at(endpoint)


def get(url: str, **headers: str) -> httpx.Response:
    return httpx.get(url, headers=headers, trust_env=False, timeout=LONGEST_WAIT)


@dataclass
class Stored:
    name: str
    content: bytes
    url: str


@pytest.fixture
def stored(store: S3Store, tmp_path: Path) -> Stored:
    """A small file in the store, with an address for a minute."""
    content = b"id,a\n1,x\n"
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    name = new_name()
    store.put(path, name)
    return Stored(name, content, store.signed_get(name, 60))


def test_a_signed_address_gives_the_file_and_parts_of_it(stored: Stored) -> None:
    whole = get(stored.url)
    assert (whole.status_code, whole.content) == (200, stored.content)
    assert whole.headers["Content-Type"] == "text/csv; charset=utf-8"
    part = get(stored.url, Range="bytes=3-6")
    assert (part.status_code, part.content) == (206, stored.content[3:7])
    assert part.headers["Content-Range"] == f"bytes 3-6/{len(stored.content)}"


def test_a_large_file_arrives_whole(store: S3Store, tmp_path: Path) -> None:
    """Over 8 MiB it goes up in parts."""
    content = b"".join(b"%09d,x\n" % number for number in range(1_700_000))
    path = tmp_path / "large.csv"
    path.write_bytes(content)
    name = new_name()
    store.put(path, name)
    assert get(store.signed_get(name, 60)).content == content


def test_an_address_without_its_signature_is_refused(stored: Stored) -> None:
    assert get(stored.url.partition("?")[0]).status_code == 403


def other_digit(text: str) -> str:
    """Return the text with its last digit changed."""
    last = re.findall(r"[0-9]", text)[-1]
    before, _, after = text.rpartition(last)
    return f"{before}{(int(last) + 1) % 10}{after}"


FORGED: dict[str, Callable[[str], str]] = {
    "X-Amz-Signature": other_digit,
    "X-Amz-Expires": lambda value: value + "00",
    "X-Amz-Date": other_digit,
    "X-Amz-Credential": lambda value: value.replace("console", "other", 1),
}


@pytest.mark.parametrize("parameter", FORGED)
def test_a_forged_address_is_refused(parameter: str, stored: Stored) -> None:
    value = parse_qs(urlsplit(stored.url).query)[parameter][0]
    forged = FORGED[parameter](value)
    assert forged != value
    url = httpx.URL(stored.url).copy_set_param(parameter, forged)
    assert get(str(url)).status_code == 403


def test_the_address_of_one_file_does_not_give_another(
    store: S3Store, stored: Stored, tmp_path: Path
) -> None:
    other = new_name()
    store.put(tmp_path / "a.csv", other)
    assert get(stored.url.replace(stored.name, other)).status_code == 403


def test_an_address_signed_with_a_wrong_secret_is_refused(
    endpoint: str, stored: Stored
) -> None:
    wrong = store_at(endpoint, secret_key="not-the-secret")
    assert get(wrong.signed_get(stored.name, 60)).status_code == 403
    unknown = store_at(endpoint, access_key="nobody")
    assert get(unknown.signed_get(stored.name, 60)).status_code == 403


def test_an_address_that_expired_is_refused(store: S3Store, stored: Stored) -> None:
    url = store.signed_get(stored.name, 1)
    end = time.monotonic() + LONGEST_WAIT
    while get(url).status_code == 200 and time.monotonic() < end:
        time.sleep(0.1)
    assert get(url).status_code == 403


def test_an_address_is_good_for_nothing_but_get(stored: Stored) -> None:
    for method in ("HEAD", "PUT", "DELETE"):
        answer = httpx.request(method, stored.url, trust_env=False)
        assert answer.status_code == 403
    assert get(stored.url).content == stored.content


def test_a_deleted_file_is_gone_and_may_be_deleted_again(
    store: S3Store, stored: Stored
) -> None:
    store.delete(stored.name)
    assert get(stored.url).status_code == 404
    store.delete(stored.name)


def test_the_prefix_goes_before_the_name(stored: Stored) -> None:
    assert urlsplit(stored.url).path == f"/console/writes/{stored.name}"


def test_what_the_store_refuses_is_told_without_the_secret(
    endpoint: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id\n1\n")
    wrong = store_at(endpoint, secret_key="canary-wrong-key")
    for action in (lambda: wrong.put(path, "a.csv"), lambda: wrong.delete("a.csv")):
        with pytest.raises(StoreError) as caught:
            action()
        assert numbers(str(caught.value)) == [403]
        assert "SignatureDoesNotMatch" in str(caught.value)
        assert "canary" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_the_secret_is_not_shown(endpoint: str) -> None:
    store = store_at(endpoint)
    assert SECRET not in repr(store) + str(store) + str(vars(store))
    assert SECRET not in store.signed_get("a.csv", 60)


def test_the_environment_changes_nothing(
    endpoint: str, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "canary-token")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_REGION", "eu-west-9")
    url = store_at(endpoint).signed_get(stored.name, 60)
    assert "canary" not in url
    assert get(url).content == stored.content


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".hidden", "a b", "ä", "a\n"])
def test_a_name_that_would_lead_elsewhere_is_refused(name: str, store: S3Store) -> None:
    for action in (store.delete, lambda name: store.signed_get(name, 60)):
        with pytest.raises(ValueError, match="name"):
            action(name)


@pytest.mark.parametrize("seconds", [0, -1, LONGEST_SIGNED + 1])
def test_an_address_is_signed_for_a_sensible_time(seconds: int, store: S3Store) -> None:
    with pytest.raises(ValueError, match="seconds"):
        store.signed_get("a.csv", seconds)


def test_a_file_that_is_not_there_is_not_the_stores_fault(
    store: S3Store, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "gone.csv", "gone.csv")


def test_names_cannot_be_guessed() -> None:
    names = {new_name() for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) == 43 + len(".csv") for name in names)


def test_the_store_keeps_what_it_was_told_to_sign_for(store: S3Store) -> None:
    url = store.signed_get("a.csv", 90)
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["90"]
