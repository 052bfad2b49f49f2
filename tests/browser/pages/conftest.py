"""One console with something of everything, for all tests that look at pages."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Console
from tests.browser.reader import DESK, Reader


@pytest.fixture(scope="session")
def full(make_console: Callable[..., Console]) -> Console:
    """A console with something of everything, see tests/browser/stage.py."""
    console = make_console()
    console.set_up("tests.browser.stage")
    return console


@pytest.fixture(scope="session")
def addresses(full: Console) -> dict[str, str]:
    """The addresses of what is in the full console, by name."""
    made: dict[str, str] = full.told
    return made


@pytest.fixture(scope="session")
def _reader(chromium: Browser, full: Console) -> Iterator[Reader]:
    reader = Reader(chromium, full, "operator")
    yield reader
    reader.context.close()


@pytest.fixture
def reader(_reader: Reader) -> Reader:
    """The admin of the full console, at a desk."""
    _reader.complaints.clear()
    _reader.page.set_viewport_size({"width": DESK, "height": 900})
    return _reader
