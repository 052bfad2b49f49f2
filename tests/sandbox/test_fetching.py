import pytest

from sandbox import fetching
from sandbox.fetching import FetchError, fetch
from tests.sandbox.support import served


def test_what_comes_back_and_what_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as (http, _):
        address = str(http.base_url).rstrip("/")
        assert fetch(f"{address}/sandbox/sample.csv").startswith("custom_id__c,")
        with pytest.raises(FetchError, match="404"):
            fetch(f"{address}/nothing")
        monkeypatch.setattr(fetching, "MAX_BYTES", 20)
        with pytest.raises(FetchError, match="150 MiB"):
            fetch(f"{address}/sandbox/sample.csv")
    with pytest.raises(FetchError):
        fetch(f"{address}/sandbox/sample.csv")


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://a.test/x.csv", True),
        ("http://127.0.0.1:1/", True),
        ("file:///etc/passwd", False),
        ("ftp://a.test/x", False),
        ("https://", False),
        ("http://[", False),
        ("a.csv", False),
    ],
)
def test_web_addresses(url: str, good: bool) -> None:
    assert fetching.is_web_address(url) is good
