"""Every curl of Ampersand's Write Actions page, run as printed.

Only the host, the key and the address of the CSV are replaced.
"""

import json
import re
import subprocess
from typing import Any

from tests.sandbox.support import served, shared, wait_for

HOST = re.compile(r"https://(?:write|api)\.withampersand\.com")
KEY = re.compile(r"(?<=X-Api-Key: )[^']+")
CSV_URL = "https://sample.com/data.csv"


def run(curl: str, address: str) -> Any:
    command = HOST.sub(address, KEY.sub("SANDBOX-KEY", curl))
    command = command.replace(CSV_URL, f"{address}/sandbox/sample.csv")
    done = subprocess.run(
        ["bash", "-c", f"{command.strip()} --silent --show-error --fail-with-body"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_every_curl_of_the_page_works() -> None:
    page = shared("write-actions.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", page, re.M | re.S)
    curls = [block for block in blocks if block.startswith("curl")]
    assert len(curls) == 4, "create, upsert, operation, logs"
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


def test_the_csv_of_the_page_is_the_one_the_sandbox_serves() -> None:
    page = shared("write-actions.md").read_text(encoding="utf-8")
    with served() as (http, _):
        assert http.get("/sandbox/sample.csv").text in page
