"""A console with a Chromium, as the browser tests have them; a provider beside it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from tests.browser.conftest import (
    Console,
    chromium,
    free_port,
    make_console,
    playwright,
    prepared,
)

__all__ = ["chromium", "make_console", "playwright", "prepared"]

HERE = Path(__file__).resolve().parent
# Seconds that nothing takes, however busy the machine is.
LONGEST = 120
GROUPS = "crm-admins=admin@sandbox, crm-ops=operator, crm-readers=viewer@production"


@dataclass
class Provider:
    """A running provider, and whom it knows: their claims by name."""

    url: str
    people: Path

    def knows(self, name: str, *groups: str) -> None:
        """Say of somebody in which groups they are."""
        people = json.loads(self.people.read_text())
        people[name] = {"preferred_username": name, "groups": groups}
        self.people.write_text(json.dumps(people))


@pytest.fixture(scope="module")
def provider_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def console(make_console: Callable[..., Console], provider_port: int) -> Console:  # noqa: F811
    """A console by which people sign in at the provider."""
    return make_console(
        OIDC_ISSUER=f"http://127.0.0.1:{provider_port}",
        OIDC_CLIENT_ID="write-console",
        OIDC_CLIENT_SECRET="only-for-the-tests-of-the-console",
        OIDC_NAME="Staff login",
        OIDC_SCOPES="openid,profile,email,groups",
        OIDC_GROUPS=GROUPS,
    )


@pytest.fixture(scope="module")
def provider(
    console: Console, provider_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Provider]:
    """The provider, which leads back to that console."""
    people = tmp_path_factory.mktemp("provider") / "people.json"
    people.write_text("{}")
    callback = f"{console.url}/login/oidc/callback/"
    command = ["node", "provider.mjs", str(provider_port), callback, str(people)]
    with subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        # All that it prints is read, so that it never waits for a reader.
        lines: list[str] = []
        reader = Thread(target=lines.extend, args=(process.stdout,))
        try:
            until = time.monotonic() + LONGEST
            for line in process.stdout:
                assert time.monotonic() < until, "The provider did not start."
                if "is listening" in line:
                    break
            reader.start()
            yield Provider(f"http://127.0.0.1:{provider_port}", people)
        finally:
            process.terminate()
            process.wait()
            if reader.ident:
                reader.join()
