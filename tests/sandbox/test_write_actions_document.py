"""Every call of Ampersand's Write Actions page, and the file that it shows."""

from typing import Any

from tests.sandbox import documented
from tests.sandbox.support import Console


def run(curl: str, address: str) -> Any:
    command = HOST.sub(address, KEY.sub("SANDBOX-KEY", curl))
    command = command.replace(CSV_URL, f"{address}/sandbox/sample.csv")
    done = subprocess.run(
        ["bash", "-c", f"{command.strip()} --silent --show-error --fail-with-body"],
        capture_output=True,
        text=True,
        check=False,
    )
    written = console.records("tactics__c")
    assert [record["custom_id__c"] for record in written] == ["0", "1", "2"]


def test_the_operation_of_the_page_failed_and_its_log_says_so(console: Console) -> None:
    assert call(console, documented.GET_OPERATION)["status"] == "failure"
    severities = [entry["severity"] for entry in call(console, documented.LIST_LOGS)]
    assert "ERROR" in severities
