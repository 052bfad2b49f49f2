"""The curl that a page shows sends, in a real bash, what the console would send."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from console.models import Integration
from tests.conftest import SANDBOX_KEY
from tests.writes.making import make_draft
from writes import requests
from writes.models import Write

# Writes down its arguments, and its input if it is told to send that.
CURL = """curl() {
  printf '%s\\0' "$@" > arguments
  case "$*" in *@-*) cat > body ;; esac
}
"""
AWKWARD = 'it\'s "$HOME" `id` \\(env) \\n ! %s ü😀\nnew line | \\\n  curl'

pytestmark = [pytest.mark.pages, pytest.mark.django_db]


def run(command: str, folder: Path) -> list[str]:
    """Run `command` in bash with a curl of ours, and return curl's arguments."""
    bash = shutil.which("bash") or "/bin/bash"
    subprocess.run(
        [bash, "-c", CURL + command],
        cwd=folder,
        check=True,
        env={"PATH": os.environ["PATH"], "AMPERSAND_API_KEY": "from-environment"},
    )
    return (folder / "arguments").read_bytes().decode().split("\0")[:-1]


def options(arguments: list[str]) -> list[tuple[str, str]]:
    """Return the options of curl with their values."""
    return list(zip(arguments[::2], arguments[1::2], strict=True))


def shown_curl(write: Write) -> str:
    """Return the command that the review of `write` shows."""
    return requests.as_curl(write, requests.prepare_shown(write))


def check_head(given: list[tuple[str, str]], write: Write) -> None:
    """Check method, address and headers."""
    prepared = requests.prepare_exact(write)
    assert ("--request", prepared.method) in given
    assert ("--url", prepared.url) in given
    assert ("--header", "X-Api-Key: from-environment") in given
    for name, value in prepared.headers().items():
        assert ("--header", f"{name}: {value}") in given


@pytest.mark.parametrize(
    "values",
    [
        {"record": {AWKWARD: AWKWARD, "n": 0.1, "nothing": None}},
        {"action": "update", "record_id": "003'A", "record": {"a": "@file"}},
        {"url": "https://example.com/it's?a=$b", "primary_key": "id"},
    ],
)
def test_the_curl_of_a_record_or_url_sends_the_same(
    values: dict[str, Any], integration: Integration, olga: User, tmp_path: Path
) -> None:
    write = make_draft(integration, olga, **values)
    given = options(run(shown_curl(write), tmp_path))
    check_head(given, write)
    body = dict(given)["--data-raw"].encode()
    assert body == requests.prepare_exact(write).content()


def test_the_curl_of_a_file_sends_the_same(
    integration: Integration, olga: User, tmp_path: Path
) -> None:
    key = "it's \\(env.AMPERSAND_API_KEY) $HOME"
    text = f'{key},a\n1,"{AWKWARD.replace(chr(34), chr(34) * 2)}"\n'
    write = make_draft(integration, olga, csv=text.encode(), primary_key=key)
    (tmp_path / "as-sent.csv").write_bytes(text.encode())
    given = options(run(shown_curl(write), tmp_path))
    check_head(given, write)
    assert ("--data-binary", "@-") in given
    sent = json.loads((tmp_path / "body").read_bytes())
    assert sent == requests.prepare_exact(write).body


def test_bash_can_read_the_curl_of_a_file_and_the_key_is_not_in_it(
    integration: Integration, olga: User
) -> None:
    data = b"it's,a\n1,x\n"
    write = make_draft(integration, olga, csv=data, primary_key="it's")
    command = shown_curl(write)
    bash = shutil.which("bash") or "/bin/bash"
    subprocess.run([bash, "-n", "-c", command], check=True)
    assert SANDBOX_KEY not in command
    assert "< as-sent.csv |\n  curl --request PUT" in command
