"""What the console holds: some resumed together, the rest decided one by one."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import ROOT, Console
from tests.browser.reader import Reader


@pytest.fixture
def live(make_console: Callable[..., Console]) -> Iterator[Console]:
    console = make_console()
    yield console
    console.stop()


def test_what_cannot_have_left_is_resumed_together(
    chromium: Browser, live: Console
) -> None:
    reader = Reader(chromium, live, "operator")
    page = reader.page
    page.goto("/writes/held/")
    reader.look()
    command = [sys.executable, "-m", "tests.browser.stage_held"]
    subprocess.run(command, cwd=ROOT, env=live.environment, check=True)
    page.goto("/")
    page.locator("#held-writes").click()
    expect(page.locator("[data-doubtful]")).to_have_count(1)
    ticks = page.locator("input[name=write]")
    expect(ticks).to_have_count(2)
    reader.look()
    for number in range(2):
        ticks.nth(number).check()
    page.get_by_role("button", name="Resume 2 writes").click()
    expect(page.locator("[data-goes]")).to_have_count(2)
    reader.look()
    page.locator("#confirm").click()
    expect(page.locator("#done")).to_be_visible()
    reader.look()
    page.goto("/writes/held/")
    expect(page.locator("[data-doubtful]")).to_have_count(1)
    expect(ticks).to_have_count(0)
    reader.context.close()
