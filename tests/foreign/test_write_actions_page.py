"""Ampersand's Write Actions page itself: its calls as printed, and our table of them.

Only the host, the key and the address of the CSV are replaced.
"""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox import documented
from tests.sandbox.support import served, wait_for

HOST = re.compile(r"https://(?:write|api)\.withampersand\.com")
KEY = re.compile(r"(?<=X-Api-Key: )[^']+")
CSV_URL = "https://sample.com/data.csv"


@pytest.fixture
def page(foreign: Path) -> str:
    """The text of the page."""
    return (foreign / "write-actions.md").read_text(encoding="utf-8")


@pytest.fixture
def curls(page: str) -> list[str]:
    """Its curl commands, in the order in which they are printed."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.M | re.S)
    return [block.strip() for block in blocks if block.startswith("curl")]


def asked(curl: str) -> tuple[str, str, set[str]]:
    """Return the method, the path and the fields of the body of a curl command."""
    words = shlex.split(curl.replace("\\\n", " "))
    given = dict(zip(words, words[1:], strict=False))
    (url,) = [word for word in words if word.startswith("https://")]
    body = json.loads(given.get("--data", "{}"))
    method = given.get("--request", "POST" if body else "GET")
    return method, urlsplit(url).path, set(body)


def run(curl: str, address: str) -> Any:
    """Run a curl command as printed against the sandbox and return its answer."""
    command = HOST.sub(address, KEY.sub("SANDBOX-KEY", curl))
    command = command.replace(CSV_URL, f"{address}/sandbox/sample.csv")
    done = subprocess.run(
        ["bash", "-c", f"{command} --silent --show-error --fail-with-body"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_the_table_has_every_call_of_the_page(curls: list[str]) -> None:
    assert [asked(curl) for curl in curls] == [
        (call.method, call.path, set(call.body or {})) for call in documented.CALLS
    ]


def test_every_curl_of_the_page_works(curls: list[str]) -> None:
    with served("--bulk-seconds", "0.2") as (http, _):
        address = str(http.base_url).rstrip("/")
        created, started, operation, logs = (run(curl, address) for curl in curls)
        finished = wait_for(http, started["operationId"], "2234wf")
        written = http.get("/sandbox/records/tactics__c").json()
    assert created["result"]["success"]
    assert created["result"]["recordId"].startswith("003")
    assert operation["status"] == "failure"
    assert any(entry["severity"] == "ERROR" for entry in logs)
    assert finished["result"] == "Batch write completed (3 succeeded, 0 failed)"
    assert [record["custom_id__c"] for record in written] == ["0", "1", "2"]


def test_the_csv_of_the_page_is_the_one_the_sandbox_serves(page: str) -> None:
    with served() as (http, _):
        assert http.get("/sandbox/sample.csv").text in page
